using System.ComponentModel;
using System.Diagnostics;

namespace GridAppliance.Agent.Native;

/// <summary>A short program of the node's own, run to its end.</summary>
static class NodeTool
{
    /// <param name="limit">After which it is ended.</param>
    /// <param name="said">What it complained of; less than a pipe holds.</param>
    /// <param name="command">Program and arguments.</param>
    /// <returns>Its exit status.</returns>
    /// <exception cref="IOException">It did not start, or takes longer than the limit.</exception>
    public static int Run(TimeSpan limit, out string said, params ReadOnlySpan<string> command)
    {
        var program = new ProcessStartInfo(command[0]) { RedirectStandardError = true };
        foreach (var argument in command[1..]) program.ArgumentList.Add(argument);
        using var process = Start(program);
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            throw new IOException($"{string.Join(' ', command)} takes longer than {limit.TotalSeconds} s");
        }
        said = process.StandardError.ReadToEnd().Trim();
        return process.ExitCode;
    }

    static Process Start(ProcessStartInfo program)
    {
        try { return Process.Start(program) ?? throw new IOException($"{program.FileName} did not start"); }
        catch (Win32Exception e) { throw new IOException($"{program.FileName} could not be started: {e.Message}"); }
    }
}
