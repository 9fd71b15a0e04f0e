using System.Collections.Concurrent;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// Installs, runs and removes modules. Orders come one at a time from one task; beside it there is one task for each running module, which starts its program again
/// when it ends.
/// </summary>
sealed class ModuleHost(AgentPaths paths, ModuleStore store, ModuleLauncher launcher, ApplianceCalls calls, string trustedFingerprint, HeartbeatTrigger trigger,
    AgentConsole console, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>How long an appliance may be away in the middle of its own order.</summary>
    static readonly TimeSpan ApplianceAway = TimeSpan.FromMinutes(10);

    readonly ConcurrentDictionary<string, ModuleWatch> watches = new(StringComparer.Ordinal);

    public IReadOnlyList<InstalledModuleDocument> List() =>
        [.. store.Records().Select(record => new InstalledModuleDocument
        {
            Name = record.Name,
            Version = record.Version,
            State = record.Removing ? "removing" : watches.TryGetValue(record.Name, out var watch) ? watch.State : "failed",
        })];

    /// <summary>What an earlier run of the agent left: half-done work is undone or finished, programs that still run are found again, others are started.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        foreach (var record in store.Recover()) await TakeAwayAsync(record, cancellationToken);
        foreach (var record in store.Records()) Watch(record, launcher.Adopt(record.Name));
    }

    public async Task<ModuleOutcome> InstallAsync(ModuleOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        if (!ModuleManifest.IsName(order.Name) || !ModuleManifest.IsVersion(order.Version) || order.Digest.Length != 64 || !order.Digest.All(char.IsAsciiHexDigitLower)
            || order.SizeBytes is <= 0 or > PackageReader.MaximumBytes)
            return ModuleOutcome.Refused("the order's name, version, digest or size is not acceptable");
        var previous = store.Find(order.Name);
        if (previous is { Removing: false } && previous.Digest == order.Digest) return ModuleOutcome.Done($"{order.Name} {order.Version} is installed already");

        var staging = store.Stage(order.Digest);
        try
        {
            var (manifest, problem) = await FetchAsync(order, signer, staging, cancellationToken);
            if (manifest is null) return ModuleOutcome.Refused(problem!);
            if (manifest.Name != order.Name || manifest.Version != order.Version)
                return ModuleOutcome.Refused($"the package is {manifest.Name} {manifest.Version}, not {order.Name} {order.Version}");
            if (store.Records().FirstOrDefault(r => r.Class == manifest.Class && r.Name != manifest.Name) is { } rival)
                return ModuleOutcome.Refused($"{rival.Name} is installed already, and of the same class ({manifest.Class})");
            var record = new ModuleRecord { Name = manifest.Name, Version = manifest.Version, Class = manifest.Class, Digest = order.Digest, Start = manifest.Start };
            return await SwapAsync(previous, record, staging, cancellationToken);
        }
        finally
        {
            store.Unstage(order.Digest);
        }
    }

    public async Task<ModuleOutcome> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (store.Find(name) is not { } record) return ModuleOutcome.Done($"{name} is not installed");
        await TakeAwayAsync(record, cancellationToken);
        return ModuleOutcome.Done($"{record.Name} {record.Version} is removed");
    }

    /// <summary>Stops the watching, not the programs: they outlive the agent.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var name in watches.Keys)
            if (watches.TryRemove(name, out var watch)) await watch.DisposeAsync();
    }

    /// <summary>Ends every program, as before a restart of the machine.</summary>
    public async Task StopAllAsync(CancellationToken cancellationToken)
    {
        foreach (var record in store.Records()) await StopAsync(record.Name, cancellationToken);
    }

    /// <summary>Gets the package. An appliance that is away is no answer: it ordered this, and is asked again until it is back or <see cref="ApplianceAway"/> is over.</summary>
    async Task<Answer> DownloadAsync(ModuleOrder order, CallSigner signer, FileStream package, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(Random.Shared);
        var began = clock.GetTimestamp();
        while (true)
        {
            package.SetLength(0);
            var answer = await calls.DownloadAsync(signer, order.Digest, order.SizeBytes, package, cancellationToken);
            if (answer.Arrived || clock.GetElapsedTime(began) > ApplianceAway) return answer;
            await Task.Delay(backoff.Next(), clock, cancellationToken);
        }
    }

    async Task<(ModuleManifest? Manifest, string? Problem)> FetchAsync(ModuleOrder order, CallSigner signer, string staging, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(paths.Incoming);
        var file = Path.Combine(paths.Incoming, order.Digest);
        await using var package = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        });
        var answer = await DownloadAsync(order, signer, package, cancellationToken);
        if (!answer.Succeeded) return (null, $"the package could not be fetched: {answer.Problem}");
        package.Position = 0;
        var problem = PackageReader.Verify(package, trustedFingerprint);
        ModuleManifest? manifest = null;
        if (problem == PackageProblem.None) problem = PackageReader.Unpack(package, staging, out manifest);
        return problem == PackageProblem.None ? (manifest, null) : (null, $"the package is refused: {problem.Say()}");
    }

    /// <summary>New in place of old. A program that does not stay up for a moment undoes it all: the old version comes back, or nothing stays.</summary>
    async Task<ModuleOutcome> SwapAsync(ModuleRecord? previous, ModuleRecord record, string staging, CancellationToken cancellationToken)
    {
        if (previous is not null)
        {
            await StopAsync(previous.Name, cancellationToken);
            // The same version with other content takes the old one's folder, so there is nothing to come back to.
            if (previous.Version == record.Version) { store.Remove(previous); previous = null; }
        }
        store.Commit(staging, record);
        var watch = Watch(record, null);
        if (await watch.ProveAsync(cancellationToken) is { } reason)
        {
            await StopAsync(record.Name, cancellationToken);
            if (previous is null)
            {
                store.Remove(record);
                return ModuleOutcome.Refused($"{record.Name} {record.Version} {reason}; it was taken away again");
            }
            store.Write(previous);
            store.DropOtherVersions(previous);
            Watch(previous, null);
            return ModuleOutcome.Refused($"{record.Name} {record.Version} {reason}; {previous.Version} is back");
        }
        store.DropOtherVersions(record);
        return ModuleOutcome.Done($"{record.Name} {record.Version} runs");
    }

    async Task TakeAwayAsync(ModuleRecord record, CancellationToken cancellationToken)
    {
        store.Write(record with { Removing = true });
        await StopAsync(record.Name, cancellationToken);
        store.Remove(record);
    }

    ModuleWatch Watch(ModuleRecord record, ModuleProcess? running)
    {
        var watch = new ModuleWatch(record, store, launcher, trigger, console, clock);
        watches[record.Name] = watch;
        watch.Begin(running);
        return watch;
    }

    async Task StopAsync(string name, CancellationToken cancellationToken)
    {
        if (watches.TryRemove(name, out var watch)) await watch.DisposeAsync();
        if (watch?.Current is { } process) await launcher.StopAsync(process, clock, cancellationToken);
        else if (launcher.Adopt(name) is { } left) await launcher.StopAsync(left, clock, cancellationToken);
    }
}
