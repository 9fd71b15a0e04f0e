using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>A module's program: its process leads a session of its own, and a control group where the kernel has one, so that all it started ends with it.</summary>
sealed record ModuleProcess(Process Process, string Name, long StartTime);

/// <summary>How a program ended: its status, where it had one, and in words, where that is not simply well.</summary>
readonly record struct ProgramEnd(int? Status, string? How);

/// <summary>
/// Starts, finds again and ends modules' programs, each below its module's view. They do not end with the agent: a note under /run says which process it was and when it started, so
/// that an agent that was restarted finds it (and not another process that got its number).
/// </summary>
/// <param name="appliance">Where programs find the appliance, as ADDRESS:PORT; null where there is none.</param>
/// <param name="place">The group of an owner in whose limits this module runs, if there is one.</param>
/// <param name="fence">What is to be done with the group of a module that runs in nobody's limits.</param>
sealed class ModuleLauncher(string launcher, AgentPaths paths, ModuleView views, string? appliance = null, Func<string, string?>? place = null, Action<string>? fence = null)
{
    static readonly TimeSpan Politeness = TimeSpan.FromSeconds(5);
    const int MostTries = 50, NotStarted = 126, MostLooks = 250;
    const uint FolderMode = 0x1ed;   // octal 755
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>Starts the program that the module keeps running.</summary>
    public ModuleProcess Start(ModuleRecord record, string logFile)
    {
        var process = Launch(record, record.Manifest.Start!, logFile);
        var started = new ModuleProcess(process, record.Name, StartTimeOf(process.Id) ?? 0);
        try
        {
            DurableFile.Write(NoteOf(record.Name), System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{process.Id} {started.StartTime} {record.Instance}\n")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody would find it again, and the next try would start a second beside it.
            Signal(process.Id, Libc.SigKill);
            process.Dispose();
            throw;
        }
        return started;
    }

    /// <summary>Runs a program of the module to its end, and makes an end of one that takes too long.</summary>
    /// <returns>No trouble when it ended well, else how not.</returns>
    public async Task<Trouble> RunAsync(ModuleRecord record, IReadOnlyList<string> arguments, string logFile, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            var (status, reason) = await RunOnceAsync(record, arguments, logFile, limit, clock, cancellationToken);
            if (!WasBusy(status, logFile) || tries == MostTries) return reason;
            await Task.Delay(LookAgain, clock, cancellationToken);
        }
    }

    /// <summary>A program that was just laid cannot be started ("text file busy") while another child, forked in that moment, has yet to come to its own exec.</summary>
    public static bool WasBusy(int? status, string logFile) => status == NotStarted && ModuleLog.LastLine(logFile).EndsWith("Text file busy", StringComparison.Ordinal);

    async Task<ProgramEnd> RunOnceAsync(ModuleRecord record, IReadOnlyList<string> arguments, string logFile, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        Process process;
        try { process = Launch(record, arguments, logFile); }
        catch (Exception e) when (e is IOException or Win32Exception) { return new(null, $"{arguments[0]} could not be started: {e.Message}"); }
        using var _ = process;
        using var timeout = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await process.WaitForExitAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            Signal(process.Id, Libc.SigKill);
            cancellationToken.ThrowIfCancellationRequested();
            return new(null, string.Create(CultureInfo.InvariantCulture, $"{arguments[0]} did not end within {limit.TotalSeconds} s"));
        }
        if (process.ExitCode == 0) return new(0, null);
        var said = ModuleLog.LastLine(logFile);
        return new(process.ExitCode, string.Create(CultureInfo.InvariantCulture, $"{arguments[0]} ended with status {process.ExitCode}{(said.Length > 0 ? $", saying: {said}" : "")}"));
    }

    Process Launch(ModuleRecord record, IReadOnlyList<string> arguments, string logFile)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(logFile)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var program = new ProcessStartInfo(launcher) { UseShellExecute = false };
        var folder = ModuleManifest.FolderOf(record.Name);
        var path = arguments[0][0] == '/' ? arguments[0] : $"{folder}/{arguments[0]}";
        if (record.Root is { } root) foreach (var argument in (ReadOnlySpan<string>)["--image", root.HostName, RunningOf(record)]) program.ArgumentList.Add(argument);
        foreach (var argument in (ReadOnlySpan<string>)[MakeGroup(record.Name), logFile, views.Of(record), folder, path, .. arguments.Skip(1)]) program.ArgumentList.Add(argument);
        program.Environment.Clear();
        program.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        program.Environment["HOME"] = "/root";
        program.Environment["GRID_MODULE"] = record.Name;
        if (appliance is not null) program.Environment["GRID_APPLIANCE"] = appliance;
        foreach (var (name, value) in record.Parameters) program.Environment[$"GRID_PARAM_{name.ToUpperInvariant()}"] = value;
        return Process.Start(program) ?? throw new IOException($"{launcher} did not start");
    }

    /// <summary>The number of the module's own program, among whose processes others of it run; empty while there is none.</summary>
    string RunningOf(ModuleRecord record)
    {
        if (Adopt(record) is not { } running) return "";
        using var process = running.Process;
        return process.Id.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The process that an earlier run of the agent started, if it is still that one.</summary>
    public ModuleProcess? Adopt(ModuleRecord record)
    {
        var name = record.Name;
        var parts = (DurableFile.Read(NoteOf(name)) is { } note ? System.Text.Encoding.ASCII.GetString(note) : "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 3 || parts[2] != record.Instance || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var id) || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var startTime)) return null;
        if (StartTimeOf(id) != startTime) return null;
        try { return new ModuleProcess(Process.GetProcessById(id), name, startTime); }
        catch (ArgumentException) { return null; }   // it ended between the two looks
    }

    /// <summary>Ends the program and all that it started: asked first, then made to.</summary>
    public async Task StopAsync(ModuleProcess module, TimeProvider clock, CancellationToken cancellationToken)
    {
        Signal(module.Process.Id, Libc.SigTerm);
        var deadline = clock.GetTimestamp();
        while (IsAlive(module) && clock.GetElapsedTime(deadline) < Politeness) await Task.Delay(LookAgain, clock, cancellationToken);
        Signal(module.Process.Id, Libc.SigKill);
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

    string GroupOf(string name) => Path.Combine(place?.Invoke(name) ?? paths.ControlGroups, name);

    /// <summary>Wherever it was started: owners come and go.</summary>
    IEnumerable<string> GroupsOf(string name) => Directory.Exists(paths.ControlGroups)
        ? Directory.GetDirectories(paths.ControlGroups).Prepend(paths.ControlGroups).Select(parent => Path.Combine(parent, name)).Where(Directory.Exists)
        : [];

    string MakeGroup(string name)
    {
        // Without a cgroup file system the launcher goes on without.
        if (!File.Exists(Path.Combine(Path.GetDirectoryName(paths.ControlGroups)!, "cgroup.procs"))) return "";
        var group = GroupOf(name);
        Directory.CreateDirectory(paths.ControlGroups);
        // An owner's group is not made anew here, where it would have no limits.
        if (Libc.MakeFolder(group, FolderMode) != 0 && Marshal.GetLastPInvokeError() is var error && error != Libc.Exists)
            throw new IOException($"there is no group {group} for its programs: {new Win32Exception(error).Message}");
        if (Path.GetDirectoryName(group) == paths.ControlGroups) fence?.Invoke(group);
        return group;
    }

    // The session's leader may have ended with children left, and then the group's number still is theirs alone. A launcher that has not come as far as making the
    // session has no group yet.
    static void Signal(int process, int signal)
    {
        if (Libc.Kill(-process, signal) != 0) _ = Libc.Kill(process, signal);
    }

    /// <summary>Groups that have a module's name.</summary>
    public IReadOnlyList<string> Groups() => Directory.Exists(paths.ControlGroups) ? [.. Directory.GetDirectories(paths.ControlGroups).Select(folder => Path.GetFileName(folder)!).Where(ModuleManifest.IsName)] : [];

    /// <summary>Ends everything that runs in a module's group, whoever started it.</summary>
    public async Task ClearAsync(string name, TimeProvider clock, CancellationToken cancellationToken)
    {
        await ClearGroupAsync(name, clock, cancellationToken);
        Forget(name);
    }

    async Task ClearGroupAsync(string name, TimeProvider clock, CancellationToken cancellationToken)
    {
        foreach (var group in GroupsOf(name).ToList()) await ClearOneAsync(group, clock, cancellationToken);
    }

    async Task ClearOneAsync(string group, TimeProvider clock, CancellationToken cancellationToken)
    {
        // Somebody else may be taking it away at this moment: an owner's limits end with all that is in them.
        for (var looks = 0; Directory.Exists(group); looks++)
        {
            try { File.WriteAllText(Path.Combine(group, "cgroup.kill"), "1"); }
            catch (DirectoryNotFoundException) { break; }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && looks < MostLooks) { /* once more */ }
            if (Libc.RemoveFolder(group) == 0) break;
            // The kernel is still burying them.
            if (looks >= MostLooks && Directory.Exists(group)) throw new IOException($"what runs in {group} does not end: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
            await Task.Delay(LookAgain, clock, cancellationToken);
        }
        // The last module takes the group above with it, unless somebody else has use for that.
        if (Directory.Exists(paths.ControlGroups) && Groups().Count == 0 && Directory.GetDirectories(paths.ControlGroups).Length == 0)
        {
            try { Directory.Delete(paths.ControlGroups); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
        }
    }

    /// <summary>Field 22 of /proc/PID/stat; null for a process that is not there or only waits to be reaped.</summary>
    public static long? StartTimeOf(int process)
    {
        if (SystemFiles.Text("/proc", $"{process}/stat") is not { } stat) return null;
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
    }
}
