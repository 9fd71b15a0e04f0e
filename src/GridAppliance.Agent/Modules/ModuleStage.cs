using System.Collections.Concurrent;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// Brings one module into being on the node and out again, step by step, each of which may be repeated. Whether it is installed is not decided here: see <see cref="ModuleStore"/>.
/// </summary>
/// <param name="reached">Told at every point at which the agent might end. For tests.</param>
sealed class ModuleStage(AgentPaths paths, ModuleStore store, ModuleLauncher launcher, ModuleView views, NodeChanges changes, HeartbeatTrigger trigger, AgentConsole console,
    TimeProvider clock, Action<string>? reached) : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, ModuleWatch> watches = new(StringComparer.Ordinal);
    readonly ModuleFirewall firewall = new(launcher, changes, views, store, clock);

    /// <summary>installing, running or failed. A module without a program runs as long as it is there.</summary>
    public string StateOf(ModuleRecord record) => watches.TryGetValue(record.Name, out var watch) ? watch.State : record.Manifest.Start is null ? "running" : "failed";

    /// <summary>A module that was just unpacked: kernel, view, files, firewall, set-up, program, good health.</summary>
    /// <returns>None when all is well; else why not, and the caller takes it down again.</returns>
    public async Task<Trouble> PutAsync(ModuleRecord record, string staging, CancellationToken cancellationToken)
    {
        try
        {
            changes.Apply(record.Instance, record.Manifest, record.Root is not null);
            views.Mount(record, ModuleFit.Below(record.Manifest, store.Records()));
            reached?.Invoke("view mounted");
            new ViewFiles(views.Of(record), reached).Lay(ModulePackages.OwnIn(staging), ModulePackages.RootIn(staging), record.Manifest);
            if (await firewall.LoadAsync(record, cancellationToken) is { IsNone: false } wrong) return wrong;
            reached?.Invoke("firewall loaded");
            if (record.Manifest.Setup is { } setup && await launcher.RunAsync(record, setup, store.LogFile(record.Name), ModuleHealthCheck.LimitOf(record), clock, cancellationToken) is { IsNone: false } failed) return failed;
            reached?.Invoke("set up");
            var trouble = Start(record, null) is { } watch ? await watch.ProveAsync(cancellationToken) : await HealthOf(record).WaitAsync(cancellationToken);
            reached?.Invoke("started");
            if (trouble.IsNone) Sync();
            return trouble;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"cannot be installed: {e.Message}";
        }
    }

    /// <summary>A module that is installed, after a restart of the agent or of the machine, or when another version failed: whatever of it is missing is made again.</summary>
    public async Task ResumeAsync(ModuleRecord record, CancellationToken cancellationToken)
    {
        changes.Apply(record.Instance, record.Manifest, record.Root is not null);
        views.Mount(record, ModuleFit.Below(record.Manifest, store.Records()));
        if (await firewall.LoadAsync(record, cancellationToken) is { Reason: { } reason }) console.Say($"module {record.Name}: {reason}");
        Start(record, launcher.Adopt(record));
    }

    /// <summary>Ends a module's programs: asked first, by its own program for that if it has one.</summary>
    public async Task StopAsync(ModuleRecord record, CancellationToken cancellationToken)
    {
        if (watches.TryRemove(record.Name, out var watch)) await watch.DisposeAsync();
        // Only now: a watch that still runs may be clearing up after a program that has just ended by itself.
        var running = watch?.Current ?? launcher.Adopt(record);
        if (record.Manifest.Stop is { } stop && MountTable.IsMounted(views.Of(record)) && (running is not null || record.Manifest.Start is null)
            && await launcher.RunAsync(record, stop, store.LogFile(record.Name), ModuleHealthCheck.LimitOf(record), clock, cancellationToken) is { Reason: { } reason }) console.Say($"module {record.Name}: {reason}");
        if (running is not null) await launcher.StopAsync(running, clock, cancellationToken);
        else await launcher.ClearAsync(record.Name, clock, cancellationToken);
        reached?.Invoke("stopped");
    }

    /// <summary>Takes away all that <see cref="PutAsync"/> made, in the opposite order.</summary>
    /// <param name="record">What.</param>
    /// <param name="stays">Gets what of it somebody else uses, and stays.</param>
    /// <param name="cancellationToken">The agent ends.</param>
    public async Task TakeDownAsync(ModuleRecord record, List<string> stays, CancellationToken cancellationToken)
    {
        await RetireAsync(record, stays, cancellationToken);
        views.Drop(record.Instance);
        reached?.Invoke("view dropped");
    }

    /// <summary>Takes away all but what the module wrote: as it is before another version is tried in its place.</summary>
    /// <param name="record">What.</param>
    /// <param name="stays">Gets what of it somebody else uses, and stays.</param>
    /// <param name="cancellationToken">The agent ends.</param>
    public async Task RetireAsync(ModuleRecord record, List<string> stays, CancellationToken cancellationToken)
    {
        await StopAsync(record, cancellationToken);
        stays.AddRange(TakeBack(record.Instance));
    }

    /// <summary>Takes away what interrupted orders left: layers, kernel changes and processes of installations that there are no records of.</summary>
    public async Task SweepAsync(IReadOnlyList<ModuleRecord> installed, CancellationToken cancellationToken)
    {
        var known = installed.Select(record => record.Instance).ToHashSet(StringComparer.Ordinal);
        foreach (var name in launcher.Groups().Where(group => installed.All(record => record.Name != group || launcher.Adopt(record) is null))) await launcher.ClearAsync(name, clock, cancellationToken);
        foreach (var owner in changes.Owners().Where(owner => !known.Contains(owner)).Reverse()) TakeBack(owner);
        foreach (var instance in views.Instances().Where(instance => !known.Contains(instance))) views.Drop(instance);
        views.Close();
    }

    /// <summary>The kernel does not let go of what a mounted view uses: the overlay's own module first of all.</summary>
    IReadOnlyList<string> TakeBack(string instance)
    {
        views.Unmount(instance);
        reached?.Invoke("view unmounted");
        return changes.Undo(instance);
    }

    public void Close() => views.Close();

    public async ValueTask DisposeAsync()
    {
        foreach (var name in watches.Keys)
            if (watches.TryRemove(name, out var watch)) await watch.DisposeAsync();
    }

    /// <returns>What keeps its program running; null for a module that has none.</returns>
    ModuleWatch? Start(ModuleRecord record, ModuleProcess? running)
    {
        if (record.Manifest.Start is null) return null;
        var watch = new ModuleWatch(record, store, launcher, HealthOf(record), trigger, console, clock);
        watches[record.Name] = watch;
        watch.Begin(running);
        return watch;
    }

    ModuleHealthCheck HealthOf(ModuleRecord record) => new(record, launcher, store, clock);

    /// <summary>What was laid is on the disk before the record says that it is there.</summary>
    void Sync()
    {
        var folder = Libc.Open(paths.Layers, Libc.OpenReadOnly | Libc.OpenCloseOnExec);
        if (folder < 0) return;
        _ = Libc.SyncFileSystem(folder);
        _ = Libc.Close(folder);
    }
}
