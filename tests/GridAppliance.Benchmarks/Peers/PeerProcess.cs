using System.Diagnostics;
using System.Globalization;

namespace GridAppliance.Benchmarks.Peers;

/// <summary>A server in a process of its own, so that its CPU time is its own.</summary>
sealed class PeerProcess : IDisposable
{
    readonly Process process;

    public PeerProcess(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start");
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
    }

    /// <summary>One line of its standard output.</summary>
    public string? ReadLine() => process.StandardOutput.ReadLine();

    /// <summary>Writes a line to it, and gives the one that it answers.</summary>
    public string? Ask(string line)
    {
        process.StandardInput.WriteLine(line);
        return ReadLine();
    }

    public bool HasExited => process.HasExited;

    /// <summary>User and system time so far, of all its threads.</summary>
    public TimeSpan Cpu
    {
        get
        {
            var text = File.ReadAllText($"/proc/{process.Id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return TimeSpan.FromSeconds(ticks / 100.0);
        }
    }

    /// <summary>How often its threads were woken so far.</summary>
    public long Wakes => Directory.EnumerateDirectories($"/proc/{process.Id}/task").Sum(static task =>
        File.ReadLines($"{task}/status").Where(static line => line.StartsWith("voluntary_ctxt_switches:", StringComparison.Ordinal)).Sum(static line => long.Parse(line.AsSpan(line.IndexOf(':') + 1).Trim(), CultureInfo.InvariantCulture)));

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
