using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules.Changes;

/// <summary>
/// Makes modules' changes to the node's kernel and takes them back. Each is written down before it is made, with the value that stood before; taking back follows the journal alone,
/// backwards, and may be done again after an interruption at any point.
/// </summary>
/// <param name="paths">The node.</param>
/// <param name="kernel">Its kernel.</param>
/// <param name="reached">Told at every point at which the agent might end. For tests.</param>
sealed class NodeChanges(AgentPaths paths, INodeKernel kernel, Action<string>? reached = null)
{
    /// <summary>What processes that have just ended, and views that have just been taken down, used, is free in a moment.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly Lock gate = new();   // an order changes things while a heartbeat tells of them
    readonly ChangeJournal journal = new(paths.Journal);
    List<ChangeRecord>? read;

    List<ChangeRecord> Records => read ??= journal.Read();

    /// <summary>Installations that hold something.</summary>
    public IReadOnlyList<string> Owners()
    {
        lock (gate) return [.. HeldChanges.Live(Records).Select(record => record.Owner).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What an installation holds, each with how it was before anybody held it.</summary>
    public IReadOnlyList<ChangeRecord> Of(string owner)
    {
        lock (gate)
            return [.. HeldChanges.Live(Records).Where(record => record.Owner == owner).Select(record => record with { Before = HeldChanges.Original(Records, record.Kind, record.Target) })];
    }

    /// <summary>
    /// Makes what a manifest asks for, but for the firewall's table, which is only written down: <see cref="ModuleFirewall"/> makes it. What is there already is left, so that this
    /// may be repeated; what was made before something failed stays until <see cref="Undo"/>.
    /// </summary>
    /// <exception cref="IOException">A clash with another module, something that this node's kernel has not, or the disk is full.</exception>
    /// <param name="owner">The installation.</param>
    /// <param name="manifest">What it asks for.</param>
    /// <param name="standsOnImage">Whether its view's root is a file that is mounted.</param>
    public void Apply(string owner, ModuleManifest manifest, bool standsOnImage = false)
    {
        lock (gate)
        {
            if (manifest.Firewall is not null || manifest.KernelModules is { Count: > 0 })
                Hold(owner, ChangeKind.FirewallModules, "netfilter", string.Join(' ', kernel.FirewallModules()), "loaded as needed");
            // Every module's view is an overlay.
            foreach (var module in (manifest.KernelModules ?? []).Prepend("overlay").Concat(standsOnImage ? ["loop", "squashfs"] : []).SelectMany(kernel.LoadOrder))
            {
                Hold(owner, ChangeKind.KernelModule, module, kernel.IsLoaded(module) ? "loaded" : null, "loaded");
                if (!kernel.IsLoaded(module)) kernel.Load(module);
                reached?.Invoke($"module {module} loaded");
            }
            foreach (var (name, value) in manifest.Sysctls ?? new Dictionary<string, string>())
            {
                var now = kernel.ReadSysctl(name) ?? throw new IOException($"this node's kernel has no setting {name}");
                if (Rival(owner, ChangeKind.Sysctl, name) is { } rival && rival.After != value) throw new IOException($"{name} is held at {rival.After} by the module {ModuleRecord.NameIn(rival.Owner)}");
                Hold(owner, ChangeKind.Sysctl, name, now, value);
                if (kernel.ReadSysctl(name) != value) kernel.WriteSysctl(name, value);
                reached?.Invoke($"sysctl {name} written");
            }
            if (manifest.Firewall is null) return;
            var table = ModuleManifest.TableOf(manifest.Name);
            if (Rival(owner, ChangeKind.FirewallTable, table) is null && !Holds(owner, ChangeKind.FirewallTable, table) && kernel.HasTable(table)) throw new IOException($"this node has a firewall table {table} already, which is not ours");
            Hold(owner, ChangeKind.FirewallTable, table, null, "present");
        }
    }

    public bool HasTable(string table) => kernel.HasTable(table);

    /// <summary>Takes back all that an installation holds, the last first.</summary>
    /// <returns>What somebody else than a module uses by now, and stays as it is.</returns>
    public IReadOnlyList<string> Undo(string owner)
    {
        var stays = new List<string>();
        lock (gate)
        {
            foreach (var record in HeldChanges.Live(Records).Where(record => record.Owner == owner).Reverse().ToList())
            {
                if (HeldChanges.IsLast(Records, record)) TakeBack(record, HeldChanges.Original(Records, record.Kind, record.Target), stays);
                reached?.Invoke($"{record.Kind} {record.Target} taken back");
                var undone = new ChangeRecord { Sequence = NextSequence(), Owner = owner, Undoes = record.Sequence };
                // A disk without room for the note keeps nothing from being undone: without it the same is done again, to no effect.
                try { journal.Append(undone); }
                catch (IOException) { }
                Records.Add(undone);
                reached?.Invoke($"{record.Kind} {record.Target} struck out");
            }
            if (HeldChanges.Live(Records).Count > 0) return stays;
            journal.Clear();
            Records.Clear();
            reached?.Invoke("journal cleared");
            return stays;
        }
    }

    void Hold(string owner, ChangeKind kind, string target, string? before, string after)
    {
        if (Holds(owner, kind, target)) return;
        var record = new ChangeRecord { Sequence = NextSequence(), Owner = owner, Kind = kind, Target = target, Before = before, After = after };
        reached?.Invoke($"{kind} {target} about to be written down");
        journal.Append(record);
        Records.Add(record);
        reached?.Invoke($"{kind} {target} written down");
    }

    void TakeBack(ChangeRecord record, string? original, List<string> stays)
    {
        switch (record.Kind)
        {
            case ChangeKind.Sysctl:
                if (original is not null && kernel.ReadSysctl(record.Target) is { } now && now != original) kernel.WriteSysctl(record.Target, original);
                break;
            case ChangeKind.KernelModule:
                if (original is null && !kernel.TryUnload(record.Target, Patience)) stays.Add($"the kernel module {record.Target} stays loaded, because somebody else uses it");
                break;
            case ChangeKind.FirewallTable:
                if (kernel.HasTable(record.Target)) kernel.DeleteTable(record.Target);
                break;
            case ChangeKind.FirewallModules:
                UnloadBeyond((original ?? "").Split(' '));
                break;
        }
    }

    /// <summary>Modules that the kernel loaded for rules, one below another: as many rounds as it takes until no more goes. Rules are buried a moment after they were deleted.</summary>
    void UnloadBeyond(string[] before)
    {
        while (Beyond(before) is { Count: > 0 } left)
        {
            // Another may still stand on it, or somebody other than a module of ours uses it.
            var gone = left.Where(module => kernel.TryUnload(module, TimeSpan.Zero)).ToList();
            if (gone.Count == 0 && !left.Any(module => kernel.TryUnload(module, Patience / left.Count))) return;
        }
    }

    IReadOnlyList<string> Beyond(string[] before) => [.. kernel.FirewallModules().Where(module => !before.Contains(module))];

    bool Holds(string owner, ChangeKind kind, string target) => HeldChanges.Live(Records).Any(record => record.Owner == owner && record.Kind == kind && record.Target == target);

    ChangeRecord? Rival(string owner, ChangeKind kind, string target) => HeldChanges.Live(Records).FirstOrDefault(record => record.Owner != owner && record.Kind == kind && record.Target == target);

    long NextSequence() => Records.Count == 0 ? 1 : Records[^1].Sequence + 1;
}
