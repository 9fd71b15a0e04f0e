using System.Diagnostics;

namespace GridAppliance.Agent.Disks;

/// <summary>Programs of the system that is being installed, or of this image: argument lists, no shell, an end to their time, and what they complained of when they fail.</summary>
static class DiskTools
{
    const int MostComplaint = 300;

    /// <param name="root">A folder that is <c>/</c> to the program.</param>
    /// <param name="limit">After which it is ended.</param>
    /// <param name="cancellationToken">The agent ends.</param>
    /// <param name="command">Program and arguments.</param>
    public static Task RunInAsync(string root, TimeSpan limit, CancellationToken cancellationToken, params IReadOnlyList<string> command) => RunAsync(limit, cancellationToken, ["chroot", root, .. command]);

    public static async Task RunAsync(TimeSpan limit, CancellationToken cancellationToken, params IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        // Programs of the other system are where it has them.
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        var name = command[0] == "chroot" ? command[2] : command[0];
        using var process = Process.Start(start) ?? throw new IOException($"{name} did not start");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        var (said, complained) = (process.StandardOutput.ReadToEndAsync(deadline.Token), process.StandardError.ReadToEndAsync(deadline.Token));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            await said;
            if (process.ExitCode != 0) throw new IOException($"{name} failed ({process.ExitCode}): {Short(await complained)}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException($"{name} did not end within {limit.TotalMinutes:0} minutes");
        }
    }

    static string Short(string text)
    {
        var line = string.Join("; ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return line.Length <= MostComplaint ? line : "…" + line[^MostComplaint..];
    }
}
