using System.Diagnostics;
using System.Text;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;

namespace GridAppliance.EndToEnd.Power;

/// <summary>A person at a terminal who says <c>gridctl recover</c>: util-linux's <c>script</c> is the terminal.</summary>
sealed class RecoveryTerminal : IDisposable
{
    readonly Process process;
    readonly StringBuilder seen = new();
    int looked;

    public RecoveryTerminal(LabInstance lab, string node)
    {
        var start = new ProcessStartInfo("/usr/bin/script") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["GRIDCTL_URL"] = $"unix:{lab.Plan.Paths.ApiSocket}";
        start.Environment["TERM"] = "xterm";
        foreach (var argument in (string[])["-qfec", $"{LabPrograms.Built().Gridctl} recover {node}", "/dev/null"]) start.ArgumentList.Add(argument);
        process = Process.Start(start)!;
    }

    public string Seen => seen.ToString();

    public async Task TypeAsync(string text, CancellationToken patience)
    {
        await process.StandardInput.WriteAsync(text.AsMemory(), patience);
        await process.StandardInput.FlushAsync(patience);
    }

    /// <summary>Everything since the last look, up to and with <paramref name="text"/>.</summary>
    public async Task<string> SeeAsync(string text, CancellationToken patience)
    {
        var buffer = new char[4096];
        while (true)
        {
            var at = Seen.IndexOf(text, looked, StringComparison.Ordinal);
            if (at >= 0)
            {
                var part = Seen[looked..(at + text.Length)];
                looked = at + text.Length;
                return part;
            }
            int count;
            try { count = await process.StandardOutput.ReadAsync(buffer, patience); }
            catch (OperationCanceledException) { throw new TimeoutException($"'{text}' was not seen: {Seen}"); }
            if (count == 0) throw new EndOfStreamException($"gridctl ended before '{text}': {Seen}");
            seen.Append(buffer, 0, count);
        }
    }

    public async Task<int> LeftAsync(CancellationToken patience)
    {
        await process.WaitForExitAsync(patience);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.WaitForExit(TimeSpan.FromSeconds(10));
        process.Dispose();
    }
}
