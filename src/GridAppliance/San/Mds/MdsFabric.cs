using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.San.Mds;

/// <summary>
/// Zoning of a Cisco MDS over SNMP: <c>snmp+mds://10.0.0.5/20</c> is VSAN 20. A zone is written down member by member, put into the zone set, and the set is activated, which
/// clones it to all switches of the fabric; then what is written down is distributed to them too, so that the next change can be made on any of them. Written from CISCO-ZS-MIB's own text (basic zoning) and tried on an agent that keeps state and
/// enforces the MIB's rules; no recording of a zoning switch could be had.
/// </summary>
/// <remarks>
/// What is in force is the clone of a set as it was activated, and is read from the tables of the enforced zones: what is written down may have been changed since, by somebody or by a change that was
/// cut off before its activation. A failed activation is answered by writing down again what was there before and activating that.
/// </remarks>
sealed class MdsFabric : ISanFabric, IDisposable
{
    /// <summary>The set that we make when none is in force.</summary>
    const string OurSet = SanNames.Prefix + "set";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Look = TimeSpan.FromMilliseconds(500);

    readonly SnmpSession session;
    readonly uint vsan;
    // Two changes at once would take the same free rows.
    readonly SemaphoreSlim turn = new(1, 1);

    public MdsFabric(Uri address, SnmpSession session)
    {
        Address = address;
        this.session = session;
        vsan = uint.TryParse(address.AbsolutePath.AsSpan().Trim('/'), out var number) && number is >= 1 and <= 4093 ? number : throw new NotSupportedException($"{address}: the path is the VSAN, such as /20");
    }

    public Uri Address { get; }

    public async Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken)
    {
        var database = await ReadDatabaseAsync(cancellationToken);
        if (!database.EnforcedZones.IsEmpty || database.Enforced is not { } enforced || database.Set(enforced) is not { } set) return [.. database.EnforcedZones.Values.Select(Describe)];
        // A switch that does not tell what is in force: what is written down of the set comes nearest.
        return [.. set.Zones.Ports.Select(i => database.Zones.GetValueOrDefault((uint)i)).OfType<MdsZone>().Select(Describe)];
    }

    // Which of a zone's members are initiators is not written on the switch: all are told as such.
    static SanZone Describe(MdsZone zone) => new(zone.Name, [.. zone.Members.Values.Select(m => m?.ToString() ?? "another kind of member")], []);

    public async Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken)
    {
        if (SanNames.ProblemOf(zone.Name) is { } problem) return SanOutcome.Refused(problem);
        var members = new SortedSet<Wwn>();
        foreach (var text in zone.Initiators.Union(zone.Storage))
        {
            if (!Wwn.TryParse(text, null, out var name)) return SanOutcome.Refused($"'{text}' is no world-wide name");
            members.Add(name);
        }
        if (members.Count < 2) return SanOutcome.Refused("a zone has at least one initiator and one storage port");
        return await InTurnAsync(database => Connect(database, zone.Name, members), cancellationToken);
    }

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) =>
        SanNames.ProblemOf(zone) is { } problem ? Task.FromResult(SanOutcome.Refused(problem)) : InTurnAsync(database => Disconnect(database, zone), cancellationToken);

    public void Dispose()
    {
        session.Dispose();
        turn.Dispose();
    }

    /// <param name="Set">Index of the zone set to activate afterwards; zero when there is none.</param>
    /// <param name="Writes">One PDU each, with the one that takes it back.</param>
    sealed record Plan(uint Set, ImmutableArray<VlanWrite> Writes)
    {
        /// <summary>Why nothing is written.</summary>
        public string? Refusal { get; init; }
        /// <summary>The zone that it is about, and who is to be in it: nobody when it is to be gone.</summary>
        public string Zone { get; init; } = "";
        public IReadOnlySet<Wwn> Members { get; init; } = ImmutableSortedSet<Wwn>.Empty;
        /// <summary>The set is made by this: nothing was in force before.</summary>
        public bool IsNewSet { get; init; }
        /// <summary>No zone is left in the set, and one without zones cannot be in force.</summary>
        public bool EmptiesSet { get; init; }

        public static Plan Refused(string reason) => new(0, []) { Refusal = reason };
    }

    Plan Connect(ZoneDatabase database, string name, SortedSet<Wwn> members)
    {
        var writes = new List<VlanWrite>();
        var zone = database.Zone(name);
        var index = zone?.Index ?? ZoneDatabase.Free(database.Zones.Keys, ZoneServerMib.LargestZone);
        if (index is not { } row) return Plan.Refused("the switch has no room for another zone");
        if (zone is null)
        {
            writes.Add(new([new(At(ZoneServerMib.ZoneName, row), SnmpValue.Text(name)), Status(ZoneServerMib.ZoneStatus, row, RowStatus.CreateAndGo)], [Status(ZoneServerMib.ZoneStatus, row, RowStatus.Destroy)]));
        }
        var before = zone?.Members ?? ImmutableSortedDictionary<uint, Wwn?>.Empty;
        foreach (var (member, known) in before)
        {
            // One that is not named by its port was not put there by us: what it was could not be put back if something went wrong.
            if (known is not { } wwn) return Plan.Refused($"zone {name} has a member that is not named by its port: somebody else has written to it");
            if (!members.Contains(wwn)) writes.Add(new([Member(row, member, RowStatus.Destroy)], Make(row, member, wwn)));
        }
        var taken = before.Keys.ToList();
        foreach (var wwn in members.Where(w => !before.ContainsValue(w)))
        {
            if (ZoneDatabase.Free(taken, ZoneServerMib.LargestMember) is not { } member) return Plan.Refused($"zone {name} is full");
            taken.Add(member);
            writes.Add(new(Make(row, member, wwn), [Member(row, member, RowStatus.Destroy)]));
        }
        return IntoSet(database, row, writes) with { Zone = name, Members = members };
    }

    // The set in force is the one that is added to: activating another would take everybody else's zones away.
    Plan IntoSet(ZoneDatabase database, uint zone, List<VlanWrite> writes)
    {
        var name = database.Enforced ?? OurSet;
        if (database.Set(name) is { } set)
        {
            if (!set.Zones.Contains((int)zone)) writes.Add(new([Zones(set.Index, set.Zones.With((int)zone))], [Zones(set.Index, set.Zones)]));
            return new(set.Index, [.. writes]);
        }
        if (database.Enforced is not null) return Plan.Refused($"zone set {name} is in force, and is not written down on this switch: write there where it is, or copy it here first");
        if (ZoneDatabase.Free(database.Sets.Keys, ZoneServerMib.LargestZoneSet) is not { } row) return Plan.Refused("the switch has no room for another zone set");
        writes.Add(new([new(At(ZoneServerMib.ZoneSetName, row), SnmpValue.Text(name)), Zones(row, PortList.Of([(int)zone])), Status(ZoneServerMib.ZoneSetStatus, row, RowStatus.CreateAndGo)], [Status(ZoneServerMib.ZoneSetStatus, row, RowStatus.Destroy)]));
        return new(row, [.. writes]) { IsNewSet = true };
    }

    Plan Disconnect(ZoneDatabase database, string name)
    {
        var enforced = database.Enforced is { } inForce ? database.Set(inForce) : null;
        // It may be in force all the same: a change was cut off before its activation.
        if (database.Zone(name) is not { } zone) return new(enforced?.Index ?? 0, []) { Zone = name, EmptiesSet = enforced is { Zones.IsEmpty: true } };
        if (zone.Members.Values.Any(m => m is null)) return Plan.Refused($"zone {name} has a member that is not named by its port: somebody else has written to it");
        var writes = new List<VlanWrite>();
        foreach (var set in database.Sets.Values.Where(s => s.Zones.Contains((int)zone.Index)))
            writes.Add(new([Zones(set.Index, set.Zones.Without((int)zone.Index))], [Zones(set.Index, set.Zones)]));
        writes.Add(new([Status(ZoneServerMib.ZoneStatus, zone.Index, RowStatus.Destroy)],
            [new(At(ZoneServerMib.ZoneName, zone.Index), SnmpValue.Text(name)), Status(ZoneServerMib.ZoneStatus, zone.Index, RowStatus.CreateAndGo), .. zone.Members.SelectMany(m => Make(zone.Index, m.Key, m.Value!.Value))]));
        return new(enforced?.Index ?? 0, [.. writes]) { Zone = name, EmptiesSet = enforced is not null && enforced.Zones.Without((int)zone.Index).IsEmpty };
    }

    async Task<SanOutcome> InTurnAsync(Func<ZoneDatabase, Plan> plan, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            var database = await ReadDatabaseAsync(cancellationToken);
            if (database.DefaultPermits) return SanOutcome.Refused($"the default zone of VSAN {vsan} permits: whoever is in no zone reaches everybody else, and zones would protect nobody");
            if ((await session.GetAsync([At(ZoneServerMib.OperationMode)], cancellationToken))[0].Value.TryGetInt32(out var mode) && mode == ZoneServerMib.Enhanced)
                return SanOutcome.Refused($"VSAN {vsan} zones in enhanced mode, where a change is a session with a lock on the fabric: only basic zoning is written (`no zone mode enhanced vsan {vsan}`)");
            var made = plan(database);
            if (made.Refusal is { } refusal) return SanOutcome.Refused(refusal);
            if (made.Writes.IsEmpty && (made.Set == 0 || database.IsInForce(made.Zone, made.Members))) return SanOutcome.Unchanged;
            // From here on it goes to its end whatever happens to the caller.
            return await CarryOutAsync(made);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<SanOutcome> CarryOutAsync(Plan plan)
    {
        var done = 0;
        string? trouble = null;
        try
        {
            for (; done < plan.Writes.Length && trouble is null; done++)
            {
                if (await WriteAsync(plan.Writes[done].Set) is { } refusal) trouble = $"the switch refused step {done + 1} of {plan.Writes.Length}: {refusal}";
            }
            trouble ??= await EnforceAsync(plan);
            trouble ??= await DistributeAsync();
            if (trouble is null) return SanOutcome.Done;
        }
        catch (DeviceException e)
        {
            trouble = e.Message;
        }
        return await TakeBackAsync(plan, done, trouble);
    }

    Task<string?> WriteAsync(ImmutableArray<Varbind> set) => session.WriteAsync(set, ZoneServerMib.IsRowStatus, CancellationToken.None);

    /// <returns>What went wrong, or null.</returns>
    async Task<string?> EnforceAsync(Plan plan)
    {
        if (plan.Set == 0) return null;
        if ((plan.EmptiesSet ? await DeactivateAsync() : await ActivateAsync(plan.Set)) is { } trouble) return trouble;
        var now = await ReadDatabaseAsync(CancellationToken.None);
        var isTold = now.Enforced is null || !now.EnforcedZones.IsEmpty;
        return !isTold || now.IsInForce(plan.Zone, plan.Members) ? null : $"the switch says that the zone set is in force, and zone {plan.Zone} in it is not as it was written down";
    }

    async Task<SanOutcome> TakeBackAsync(Plan plan, int done, string trouble)
    {
        try
        {
            string? left = null;
            foreach (var write in plan.Writes.Take(done).Reverse()) left ??= await WriteAsync(write.Undo);
            // An activation that failed may have gone through on some switches of the fabric: what was there before is activated again.
            if (left is null && plan.Set > 0 && done > 0 && done == plan.Writes.Length) left = plan.IsNewSet ? await DeactivateAsync() : await ActivateAsync(plan.Set);
            if (left is null && done > 0 && done == plan.Writes.Length) left = await DistributeAsync();
            return left is null ? new(SanEnding.RolledBack, trouble) : new(SanEnding.Damaged, $"{trouble}; not taken back: {left}");
        }
        catch (DeviceException e)
        {
            return new(SanEnding.Damaged, $"{trouble}; and then {e.Message}");
        }
    }

    /// <returns>What went wrong, or null.</returns>
    async Task<string?> ActivateAsync(uint set) => await PrepareAsync() ??
        await OrderAsync("activate the zone set", new(At(ZoneServerMib.Activate), SnmpValue.Gauge(set))) ??
        await UntilAsync("zone set", At(ZoneServerMib.ActivateResult), At(ZoneServerMib.ActivateFailure), ZoneServerMib.ActivateSuccess, ZoneServerMib.ActivateFailed);

    /// <returns>What went wrong, or null.</returns>
    async Task<string?> DeactivateAsync() => await PrepareAsync() ??
        await OrderAsync("deactivate the zone set", new(At(ZoneServerMib.Deactivate), SnmpValue.Integer(1))) ??
        await UntilAsync("end of the zone set", At(ZoneServerMib.ActivateResult), At(ZoneServerMib.ActivateFailure), ZoneServerMib.DeactivateSuccess, ZoneServerMib.DeactivateFailed);

    // At most one row for each VSAN; it is made if it is not there, which an agent that has it refuses.
    async Task<string?> PrepareAsync() =>
        (await session.GetAsync([At(ZoneServerMib.ActivateResult)], CancellationToken.None))[0].Value.IsException
        && await WriteAsync([new(At(ZoneServerMib.ActivateStatus), SnmpValue.Integer(RowStatus.CreateAndGo))]) is { } refusal ? $"the switch refused to prepare an activation: {refusal}" : null;

    async Task<string?> OrderAsync(string what, Varbind order)
    {
        var outcome = await session.SetAsync([order], CancellationToken.None);
        return outcome.IsDone ? null : $"the switch refused to {what}: {outcome}";
    }

    /// <returns>What went wrong, or null: also where a release has no such order.</returns>
    async Task<string?> DistributeAsync()
    {
        if ((await session.GetAsync([ZoneServerMib.DistributeResult], CancellationToken.None))[0].Value.IsException) return null;
        return await OrderAsync("distribute its zone database", new(ZoneServerMib.Distribute, SnmpValue.Integer((int)vsan))) ??
            await UntilAsync("zone database", ZoneServerMib.DistributeResult, ZoneServerMib.DistributeFailure, ZoneServerMib.DistributeSuccess, ZoneServerMib.DistributeFailed);
    }

    /// <returns>What went wrong, or null.</returns>
    async Task<string?> UntilAsync(string what, ObjectIdentifier result, ObjectIdentifier failure, int success, int failed)
    {
        var giveUp = session.Clock.GetUtcNow() + Patience;
        while (true)
        {
            var cells = await session.GetAsync([result, failure], CancellationToken.None);
            if (cells[0].Value.TryGetInt32(out var state) && state == success) return null;
            var cause = cells[1].Value.TryGetInt32(out var code) ? code : 0;
            if (state == failed) return cause is ZoneServerMib.UnchangedAndActive or ZoneServerMib.NotActive ? null : $"the fabric did not take the {what} over (cause {cause} of FcChangeProtoFailCause)";
            if (session.Clock.GetUtcNow() >= giveUp) return $"the fabric has not taken the {what} over after {Patience.TotalSeconds:0} s";
            await Task.Delay(Look, session.Clock, CancellationToken.None);
        }
    }

    async Task<ZoneDatabase> ReadDatabaseAsync(CancellationToken cancellationToken)
    {
        ObjectIdentifier[] columns =
        [
            ZoneServerMib.ZoneName, ZoneServerMib.MemberFormat, ZoneServerMib.MemberId, ZoneServerMib.EnforcedZoneName, ZoneServerMib.EnforcedMemberFormat, ZoneServerMib.EnforcedMemberId,
            ZoneServerMib.ZoneSetName, ZoneServerMib.ZoneSetZones,
        ];
        var cells = await Task.WhenAll(columns.Select(c => session.WalkAsync(c, cancellationToken)));
        var scalars = await session.GetAsync([At(ZoneServerMib.EnforcedSetName), At(ZoneServerMib.DefaultZoneBehaviour)], cancellationToken);
        return ZoneDatabase.Read(vsan, new(cells[0], cells[1], cells[2]), new(cells[3], cells[4], cells[5]), cells[6], cells[7], scalars[0].Value, scalars[1].Value);
    }

    ObjectIdentifier At(ObjectIdentifier column, params ReadOnlySpan<uint> index) => column.Append(vsan).Append(index);

    Varbind Status(ObjectIdentifier column, uint row, int status) => new(At(column, row), SnmpValue.Integer(status));

    Varbind Member(uint zone, uint member, int status) => new(At(ZoneServerMib.MemberStatus, ZoneServerMib.OfZone, zone, member), SnmpValue.Integer(status));

    ImmutableArray<Varbind> Make(uint zone, uint member, Wwn name) =>
    [
        new(At(ZoneServerMib.MemberFormat, ZoneServerMib.OfZone, zone, member), SnmpValue.Integer(ZoneServerMib.PortName)),
        new(At(ZoneServerMib.MemberId, ZoneServerMib.OfZone, zone, member), SnmpValue.Octets(name.ToOctets())),
        Member(zone, member, RowStatus.CreateAndGo),
    ];

    // A list of numbers as bits, the first one the most significant: as a port list.
    Varbind Zones(uint set, PortList zones) => new(At(ZoneServerMib.ZoneSetZones, set), SnmpValue.Octets(zones.Octets.TrimEnd((byte)0)));
}
