using System.Diagnostics;
using System.Globalization;

namespace GridAppliance.Benchmarks.Peers;

/// <summary>A server in a process of its own, so that its CPU time is its own.</summary>
sealed class PeerProcess : IDisposable
{
    readonly Process process;
    bool isEnded;

    public PeerProcess(string program, params string[] arguments) : this(new ProcessStartInfo(program, arguments))
    {
    }

    PeerProcess(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} does not start");
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
    }

    /// <summary>Our own daemon, as its unit starts it: what it says is read, and goes nowhere.</summary>
    public static PeerProcess Appliance(string gridappliance, string configuration)
    {
        var daemon = new PeerProcess(new ProcessStartInfo(gridappliance, ["serve", "--config", configuration]) { Environment = { ["DOTNET_GCgen0MaxBudget"] = "1000000" } });
        daemon.process.BeginOutputReadLine();
        return daemon;
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

    /// <summary>Memory that it holds now, in megabytes.</summary>
    public long Resident =>
        long.Parse(File.ReadLines($"/proc/{process.Id}/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1000;

    /// <summary>How often its threads were woken so far.</summary>
    public long Wakes => Directory.EnumerateDirectories($"/proc/{process.Id}/task").Sum(static task =>
        File.ReadLines($"{task}/status").Where(static line => line.StartsWith("voluntary_ctxt_switches:", StringComparison.Ordinal)).Sum(static line => long.Parse(line.AsSpan(line.IndexOf(':') + 1).Trim(), CultureInfo.InvariantCulture)));

    public void Dispose()
    {
        if (isEnded) return;
        isEnded = true;
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
