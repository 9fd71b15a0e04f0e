using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Agent.Modules;

/// <summary>Carries out orders about modules, one at a time, and finds its way after an interruption at any point: a module is wholly installed, or the node is as before.</summary>
/// <param name="reached">Told at every point at which the agent might end. For tests.</param>
sealed class ModuleHost(AgentPaths paths, ModuleStore store, ModulePackages packages, ModuleStage stage, ModuleView views, RootImages images, NodeChanges changes, AgentConsole console, Action<string>? reached = null) : IAsyncDisposable
{
    readonly ChangeReport report = new(views);

    /// <summary>Without one that is only tried: nobody can count on that.</summary>
    public IReadOnlyList<InstalledModuleDocument> List() =>
    [
        .. store.Records().Where(record => !IsTried(record)).Select(record => new InstalledModuleDocument { Name = record.Name, Version = record.Version, State = stage.StateOf(record) }),
        .. store.LeavingRecords().Select(record => new InstalledModuleDocument { Name = record.Name, Version = record.Version, State = "removing" }),
    ];

    /// <summary>What each module has changed, in the order of their names.</summary>
    public IReadOnlyList<ModuleChangesDocument> Changes() =>
        [.. store.Records() is var records ? records.Select(record => report.Of(record, ModuleFit.Below(record.Manifest, records), HeldBy(record), records.Count)) : []];

    /// <summary>Nothing when the journal is damaged, as recovery has said: a node whose heartbeats end with that could not be reached any more.</summary>
    IReadOnlyList<ChangeRecord> HeldBy(ModuleRecord record)
    {
        try { return changes.Of(record.Instance); }
        catch (IOException) { return []; }
    }

    /// <summary>What an earlier run of the agent left: half-done work is undone or finished, programs that still run are found again, what is missing is made again.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        await TryAsync("modules", async () =>
        {
            store.Recover();
            // The machine was restarted, and with its memory went the layers: what is left of those modules goes too. The appliance sees that they are gone.
            foreach (var record in store.Records().Where(record => !views.Has(record)))
            {
                console.Say($"module {record.Name} went with the machine's memory");
                store.Leave(record);
            }
            // Whoever tried it does not wait for it any more, or asks again.
            foreach (var record in store.Records().Where(IsTried)) store.Leave(record);
            // One that cannot go keeps no other from going: an order to remove it tries again, and says why it cannot.
            foreach (var record in store.LeavingRecords()) await TryAsync($"module {record.Name}", () => FinishRemovalAsync(record, [], cancellationToken));
            await stage.SweepAsync([.. store.Records(), .. store.LeavingRecords()], cancellationToken);
            images.Keep([.. store.Records(), .. store.LeavingRecords()]);
        });
        foreach (var record in InOrder(store.Records())) await TryAsync($"module {record.Name}", () => stage.ResumeAsync(record, cancellationToken));
    }

    /// <summary>The node stays reachable, whatever goes wrong with its modules.</summary>
    async Task TryAsync(string what, Func<Task> work)
    {
        try { await work(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { console.Say($"{what}: {e.Message}"); }
    }

    public async Task<ModuleOutcome> InstallAsync(ModuleOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        if (!ModulePackages.IsAcceptable(order)) return ModuleOutcome.Refused("the order's name, version, digest or size is not acceptable");
        if (order.Root is { } root && !RootImages.IsAcceptable(root)) return ModuleOutcome.Refused("the order's root image is not acceptable");
        if (store.LeavingRecords().Any(record => record.Name == order.Name)) return ModuleOutcome.Refused($"{order.Name} is being removed, and that has not ended well; order its removal again");
        if (order.Name == ModuleManifest.Agent) return ModuleOutcome.Refused("the agent is not installed as a module, it is updated");
        var owner = order.Owner ?? ModuleOrder.Operator;
        var previous = store.Find(order.Name);
        if (previous?.Digest == order.Digest) return UseAsItIs(previous, order, owner);
        if (previous is not null && order.RefuseUpgrade) return ModuleOutcome.Refused($"{previous.Name} {previous.Version} is installed, and the order does not allow another version in its place");

        var staging = store.Stage(order.Digest);
        try
        {
            var (manifest, problem) = await packages.FetchAsync(order, signer, staging, cancellationToken);
            reached?.Invoke("fetched");
            if (manifest is null) return ModuleOutcome.Refused(problem!);
            if (ModuleFit.Refusal(manifest, order, store.Records(), order.Root is null ? NodePackages.Installed(paths) : new HashSet<string>(), RoomFor(manifest)) is { } refusal) return ModuleOutcome.Refused(refusal);
            if (order.Root is { } image && await images.FetchAsync(image, cancellationToken) is { } missing) return ModuleOutcome.Refused($"the root image {missing}");
            var record = new ModuleRecord
            {
                Name = manifest.Name, Version = manifest.Version, Class = manifest.Class, Digest = order.Digest, Manifest = manifest, Parameters = ModuleFit.Values(manifest, order), Root = order.Root,
                Owners = previous is null ? [owner] : [.. previous.Owners.Union([owner], StringComparer.Ordinal)],
            };
            return await SwapAsync(previous, record, staging, cancellationToken);
        }
        finally
        {
            store.Unstage(order.Digest);
            store.Tidy();
            images.Keep([.. store.Records(), .. store.LeavingRecords()]);
        }
    }

    /// <summary>Whether modules work on this node: one is installed as any other is, what it changed is listed, and it is taken out again.</summary>
    public async Task<ModuleOutcome> TryAsync(ModuleOrder order, CallSigner signer, CancellationToken cancellationToken)
    {
        var there = await InstallAsync(order with { Owner = ModuleOrder.Trial }, signer, cancellationToken);
        if (!there.Succeeded) return there;
        var isListed = Changes().Any(module => module.Module == order.Name && module.Changes.Count > 0);
        var gone = await RemoveAsync(order.Name, ModuleOrder.Trial, cancellationToken);
        return !gone.Succeeded ? gone : isListed ? ModuleOutcome.Done("modules work here") : ModuleOutcome.Refused($"what {order.Name} {order.Version} wrote is not on its record");
    }

    static bool IsTried(ModuleRecord record) => record.Owners is [ModuleOrder.Trial];

    /// <param name="name">What.</param>
    /// <param name="owner">Who does not need it any more.</param>
    /// <param name="cancellationToken">The agent ends; the removal goes on when it is back.</param>
    public async Task<ModuleOutcome> RemoveAsync(string name, string? owner, CancellationToken cancellationToken)
    {
        if (store.LeavingRecords().FirstOrDefault(record => record.Name == name) is { } leaving) await FinishRemovalAsync(leaving, [], cancellationToken);
        if (store.Find(name) is not { } record) return ModuleOutcome.Done($"{name} is not installed");
        // Whatever stands on it needs it, whether it was entered as an owner or not.
        var above = store.Records().Where(other => other.Manifest.Needs?.Modules?.Contains(name) is true).Select(other => other.AsOwner);
        var others = record.Owners.Where(other => other != (owner ?? ModuleOrder.Operator)).Union(above, StringComparer.Ordinal).ToList();
        if (others.Count > 0)
        {
            if (!others.SequenceEqual(record.Owners)) store.Write(record with { Owners = others });
            return ModuleOutcome.Done($"{record.Name} {record.Version} stays for {string.Join(", ", others)}");
        }
        store.Leave(record);
        reached?.Invoke("leaving");
        List<string> stays = [];
        await FinishRemovalAsync(record, stays, cancellationToken);
        return ModuleOutcome.Done($"{record.Name} {record.Version} is removed{string.Concat(stays.Select(what => $"; {what}"))}");
    }

    /// <summary>Why the space that these modules write cannot be kept to what their owner asks for, or null.</summary>
    public string? Unbounded(IReadOnlyList<string> names) => names.Select(store.Find).OfType<ModuleRecord>().Select(views.Unbounded).FirstOrDefault(reason => reason is not null);

    /// <summary>Owners have come or gone.</summary>
    public void Rebound()
    {
        foreach (var record in store.Records()) views.Rebound(record);
    }

    /// <summary>Stops the watching, not the programs: they outlive the agent.</summary>
    public ValueTask DisposeAsync() => stage.DisposeAsync();

    /// <summary>Ends every program, as before a restart of the machine.</summary>
    public async Task StopAllAsync(CancellationToken cancellationToken)
    {
        foreach (var record in InOrder(store.Records()).Reverse()) await stage.StopAsync(record, cancellationToken);
    }

    ModuleOutcome UseAsItIs(ModuleRecord record, ModuleOrder order, string owner)
    {
        if (record.Root?.Digest != order.Root?.Digest) return ModuleOutcome.Refused($"{record.Name} {record.Version} is installed already, on another root, for {string.Join(", ", record.Owners)}");
        if (order.Parameters?.FirstOrDefault(wanted => record.Parameters.GetValueOrDefault(wanted.Key) != wanted.Value) is { Key: { } differs })
            return ModuleOutcome.Refused($"{record.Name} {record.Version} is installed already, with another value of {differs}, for {string.Join(", ", record.Owners)}");
        if (!record.Owners.Contains(owner)) store.Write(record with { Owners = [.. record.Owners, owner] });
        return ModuleOutcome.Done($"{record.Name} {record.Version} is installed already, and used as it is");
    }

    /// <summary>New in place of old. Whatever goes wrong on the way undoes it all: the old version comes back, or nothing stays.</summary>
    async Task<ModuleOutcome> SwapAsync(ModuleRecord? previous, ModuleRecord record, string staging, CancellationToken cancellationToken)
    {
        if (previous is not null) await stage.RetireAsync(previous, [], cancellationToken);
        var reason = (await stage.PutAsync(record, staging, cancellationToken)).Reason;
        if (reason is null)
        {
            try { store.Write(record); }
            catch (IOException e) { reason = $"cannot be recorded: {e.Message}"; }
            reached?.Invoke("recorded");
        }
        if (reason is null)
        {
            if (previous is not null) views.Drop(previous.Instance);
            return ModuleOutcome.Done(record.Manifest.Start is null ? $"{record.Name} {record.Version} is installed" : $"{record.Name} {record.Version} runs");
        }
        await stage.TakeDownAsync(record, [], cancellationToken);
        if (previous is null)
        {
            store.Forget(record);
            stage.Close();
            return ModuleOutcome.Refused($"{record.Name} {record.Version} {reason}; it was taken away again");
        }
        await stage.ResumeAsync(previous, cancellationToken);
        return ModuleOutcome.Refused($"{record.Name} {record.Version} {reason}; {previous.Version} is back");
    }

    async Task FinishRemovalAsync(ModuleRecord record, List<string> stays, CancellationToken cancellationToken)
    {
        await stage.TakeDownAsync(record, stays, cancellationToken);
        // What it needed is not needed on its behalf any more. Before its own record goes, so that an interruption comes back here.
        foreach (var need in record.Manifest.Needs?.Modules ?? []) await RemoveAsync(need, record.AsOwner, cancellationToken);
        store.Forget(record);
        images.Keep([.. store.Records(), .. store.LeavingRecords()]);
        reached?.Invoke("forgotten");
        stage.Close();
    }

    ModuleFit.Room RoomFor(ModuleManifest manifest) =>
        new(Environment.ProcessorCount, manifest.Needs?.MemoryMiB is null ? 0 : NodePackages.AvailableMemory(), manifest.Needs?.DiskMiB is null ? 0 : views.FreeBytes(),
            manifest.Needs?.Network is true && NicReader.Read(paths.Sys, _ => []).Any(nic => nic.Link), manifest.Needs?.Ports is null ? new HashSet<int>() : NodePorts.Taken());

    /// <summary>Those that are needed before those that need them.</summary>
    static IEnumerable<ModuleRecord> InOrder(IReadOnlyList<ModuleRecord> records) => records.OrderBy(record => ModuleFit.Below(record.Manifest, records).Count);
}
