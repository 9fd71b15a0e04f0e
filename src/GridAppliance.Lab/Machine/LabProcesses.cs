using System.Globalization;
using System.Text;
using GridAppliance.Lab.Native;

namespace GridAppliance.Lab.Machine;

/// <summary>
/// Starts and ends the long-running programs of one lab. Each runs in a session of its own with its output in a log, and carries the lab's name in its
/// environment: so all of them can be found again even when gridlab itself was killed between starting one and writing it down.
/// </summary>
sealed class LabProcesses(LabPaths paths, TimeProvider clock)
{
    const string Marker = "GRIDLAB_INSTANCE";
    const int LooksUntilNobody = 3;
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Starts a program, or finds it running.</summary>
    /// <param name="name">Names its pid file and its log.</param>
    /// <param name="networkNamespace">Where it lives; null for this machine's own.</param>
    /// <param name="arguments">The program and its arguments; <c>NAME=VALUE</c> before the program goes into its environment.</param>
    /// <exception cref="LabException">It cannot be started.</exception>
    public async Task<ProcessIdentity> StartAsync(string name, string? networkNamespace, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        if (Find(name) is { } running) return running;
        File.Delete(paths.Pid(name));
        await Command.RunAsync(StartArguments(paths, name, networkNamespace, arguments), cancellation);
        return await StartedAsync(name, cancellation);
    }

    /// <summary>The command line that starts a program apart from ours; pure.</summary>
    public static IReadOnlyList<string> StartArguments(LabPaths paths, string name, string? networkNamespace, IReadOnlyList<string> arguments)
    {
        var variables = arguments.TakeWhile(argument => !argument.StartsWith('/')).ToList();
        IReadOnlyList<string> program = [.. arguments.Skip(variables.Count)];
        var inPlace = networkNamespace is null ? program : Namespaces.Inside(networkNamespace, program);
        return
        [
            "/usr/bin/env", $"{Marker}={paths.Name}", .. variables,
            "/usr/sbin/start-stop-daemon", "--start", "--quiet", "--background", "--make-pidfile", "--pidfile", paths.Pid(name),
            "--output", paths.Log(name), "--chdir", "/", "--startas", inPlace[0], "--", .. inPlace.Skip(1),
        ];
    }

    /// <summary>The program of this name as long as it runs.</summary>
    public ProcessIdentity? Find(string name)
    {
        try
        {
            return int.TryParse(File.ReadAllText(paths.Pid(name)), CultureInfo.InvariantCulture, out var pid) && IsOurs(pid) ? ProcessIdentity.Of(pid) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Every process of this lab, whoever started it.</summary>
    public IReadOnlyList<ProcessIdentity> All() =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(directory => int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && pid != Environment.ProcessId && IsOurs(pid))
            .Select(ProcessIdentity.Of).OfType<ProcessIdentity>()];

    /// <summary>Every program that this process runs from now on carries the lab's mark, short helpers such as <c>ip</c> included.</summary>
    public static void MarkChildren(LabName name) => Environment.SetEnvironmentVariable(Marker, name.ToString());

    /// <summary>Ends every process of this lab, and those that they were about to start.</summary>
    public async Task EndAllAsync(CancellationToken cancellation)
    {
        // One in the middle of an exec has no environment to know it by: for that moment it is nobody's.
        for (var looks = 0; looks < LooksUntilNobody; looks++)
        {
            while (All() is { Count: > 0 } processes)
            {
                await EndAsync(processes, cancellation);
                looks = 0;
            }
            await Task.Delay(Look, clock, cancellation);
        }
    }

    /// <summary>Asks processes to end, waits a little, and ends those that stay.</summary>
    async Task EndAsync(IReadOnlyList<ProcessIdentity> processes, CancellationToken cancellation)
    {
        foreach (var process in processes) process.Signal(Libc.SignalTerminate);
        if (await AreGoneAsync(processes, EndPatience, cancellation)) return;
        foreach (var process in processes) process.Signal(Libc.SignalKill);
        if (!await AreGoneAsync(processes, EndPatience, cancellation))
            throw new LabException($"Processes {string.Join(", ", processes.Where(p => p.IsAlive).Select(p => p.Pid))} do not end, not even when killed.");
    }

    /// <summary>Ends a process at once, as a power cut would.</summary>
    public async Task KillAsync(ProcessIdentity process, CancellationToken cancellation)
    {
        process.Signal(Libc.SignalKill);
        await AreGoneAsync([process], EndPatience, cancellation);
    }

    async Task<ProcessIdentity> StartedAsync(string name, CancellationToken cancellation)
    {
        // start-stop-daemon returns before its child has written the file and become the program.
        var giveUp = clock.GetUtcNow() + StartPatience;
        while (clock.GetUtcNow() < giveUp)
        {
            if (Find(name) is { } process) return process;
            await Task.Delay(Look, clock, cancellation);
        }
        throw new LabException($"{name} did not start:{Environment.NewLine}{LogTail.Of(paths.Log(name), 10)}");
    }

    async Task<bool> AreGoneAsync(IReadOnlyList<ProcessIdentity> processes, TimeSpan patience, CancellationToken cancellation)
    {
        var giveUp = clock.GetUtcNow() + patience;
        while (processes.Any(p => p.IsAlive))
        {
            if (clock.GetUtcNow() >= giveUp) return false;
            await Task.Delay(Look, clock, cancellation);
        }
        return true;
    }

    bool IsOurs(int pid)
    {
        try
        {
            var environment = File.ReadAllBytes($"/proc/{pid}/environ").AsSpan();
            var wanted = Encoding.UTF8.GetBytes($"{Marker}={paths.Name}");
            foreach (var range in environment.Split((byte)0))
                if (environment[range].SequenceEqual(wanted)) return true;
            return false;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
