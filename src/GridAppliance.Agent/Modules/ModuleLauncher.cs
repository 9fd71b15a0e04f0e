using System.Diagnostics;
using System.Globalization;
using GridAppliance.Agent.Native;

namespace GridAppliance.Agent.Modules;

/// <summary>A module's program: its process leads a session of its own, and a control group where the kernel has one, so that all it started ends with it.</summary>
sealed record ModuleProcess(Process Process, string Name, long StartTime);

/// <summary>
/// Starts, finds again and ends modules' programs. They do not end with the agent: a note under /run says which process it was and when it started, so that
/// an agent that was restarted finds it (and not another process that got its number).
/// </summary>
sealed class ModuleLauncher(string launcher, AgentPaths paths)
{
    static readonly TimeSpan Politeness = TimeSpan.FromSeconds(5);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    public ModuleProcess Start(string name, string folder, IReadOnlyList<string> start, string logFile)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(logFile)!);
        var program = new ProcessStartInfo(launcher) { WorkingDirectory = folder, UseShellExecute = false };
        foreach (var argument in (ReadOnlySpan<string>)[MakeGroup(name), logFile, Path.Combine(folder, start[0]), .. start.Skip(1)]) program.ArgumentList.Add(argument);
        program.Environment.Clear();
        program.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        program.Environment["GRID_MODULE"] = name;
        var process = Process.Start(program) ?? throw new IOException($"{launcher} did not start");
        var started = new ModuleProcess(process, name, StartTimeOf(process.Id) ?? 0);
        DurableFile.Write(NoteOf(name), System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{process.Id} {started.StartTime}\n")));
        return started;
    }

    /// <summary>The process that an earlier run of the agent started, if it is still that one.</summary>
    public ModuleProcess? Adopt(string name)
    {
        var parts = (DurableFile.Read(NoteOf(name)) is { } note ? System.Text.Encoding.ASCII.GetString(note) : "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 2 || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var id) || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var startTime)) return null;
        if (StartTimeOf(id) != startTime) return null;
        try { return new ModuleProcess(Process.GetProcessById(id), name, startTime); }
        catch (ArgumentException) { return null; }   // it ended between the two looks
    }

    /// <summary>Ends the program and all that it started: asked first, then made to.</summary>
    public async Task StopAsync(ModuleProcess module, TimeProvider clock, CancellationToken cancellationToken)
    {
        Signal(module, Libc.SigTerm);
        var deadline = clock.GetTimestamp();
        while (IsAlive(module) && clock.GetElapsedTime(deadline) < Politeness) await Task.Delay(LookAgain, clock, cancellationToken);
        Signal(module, Libc.SigKill);
        await ClearGroupAsync(module.Name, clock, cancellationToken);
        Forget(module.Name);
        module.Process.Dispose();
    }

    /// <summary>Ends what a program left behind when it ended by itself.</summary>
    public async Task SweepAsync(ModuleProcess module, TimeProvider clock, CancellationToken cancellationToken)
    {
        Libc.Kill(-module.Process.Id, Libc.SigKill);
        await ClearGroupAsync(module.Name, clock, cancellationToken);
        Forget(module.Name);
        module.Process.Dispose();
    }

    static bool IsAlive(ModuleProcess module) => StartTimeOf(module.Process.Id) == module.StartTime;

    void Forget(string name) => DurableFile.Delete(NoteOf(name));

    string NoteOf(string name) => Path.Combine(paths.Processes, name);

    string GroupOf(string name) => Path.Combine(paths.ControlGroups, name);

    string MakeGroup(string name)
    {
        // Without a cgroup file system there is a plain path that is no folder, and the launcher goes on without.
        if (Directory.Exists(Path.GetDirectoryName(paths.ControlGroups)) && File.Exists(Path.Combine(Path.GetDirectoryName(paths.ControlGroups)!, "cgroup.procs")))
            Directory.CreateDirectory(GroupOf(name));
        return GroupOf(name);
    }

    static void Signal(ModuleProcess module, int signal)
    {
        // The session's leader may have ended with children left, and then the group's number still is theirs alone. A launcher that has not come as far as
        // making the session has no group yet.
        if (Libc.Kill(-module.Process.Id, signal) != 0 && IsAlive(module)) Libc.Kill(module.Process.Id, signal);
    }

    async Task ClearGroupAsync(string name, TimeProvider clock, CancellationToken cancellationToken)
    {
        var group = GroupOf(name);
        if (!Directory.Exists(group)) return;
        await File.WriteAllTextAsync(Path.Combine(group, "cgroup.kill"), "1", cancellationToken);
        for (var i = 0; i < 40 && Directory.Exists(group); i++)
        {
            try { Directory.Delete(group); }
            catch (IOException) { await Task.Delay(LookAgain, clock, cancellationToken); }   // the kernel is still burying them
        }
    }

    /// <summary>Field 22 of /proc/PID/stat; null for a process that is not there or only waits to be reaped.</summary>
    static long? StartTimeOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
