using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>
/// The VLANs' port lists as the look of every minute needs them. Where the current table bears time marks (TimeFilter, RFC 4502, section 3) it is asked whether anything has changed since the lists were last read, which is one
/// question whatever the number of VLANs; only if something has are they read. The marks are the current table's, and what is written is the static one: a port without a link may be moved in that alone. So the lists
/// are read whole now and then all the same, and a switch that had said nothing of what is then found is not asked that way any more.
/// </summary>
sealed class PortListPulse(SnmpSession session)
{
    /// <summary>Looks after which the lists are read whatever the switch says.</summary>
    public const int WholeEvery = 5;

    Seen? seen;
    volatile bool hasTimeMarks, isDistrusted;

    /// <param name="UpTime">The switch's clock before they were read: what changes meanwhile bears a later mark.</param>
    /// <param name="Deletes">Rows that had gone by then; null where the switch does not count.</param>
    /// <param name="Rows">The lists.</param>
    /// <param name="Looks">How often it was only asked since.</param>
    sealed record Seen(uint UpTime, uint? Deletes, IReadOnlyList<Varbind> Rows, int Looks);

    /// <summary>Whether the current table, when it was last read whole, had marks that can be asked by.</summary>
    public bool HasTimeMarks { get => hasTimeMarks && !isDistrusted; set => hasTimeMarks = value; }

    public async Task<IReadOnlyList<Varbind>> ReadAsync(CancellationToken cancellationToken)
    {
        var clock = await session.GetAsync([QBridgeMib.SysUpTime, QBridgeMib.VlanDeletes], cancellationToken);
        var now = clock[0].Value.TryGetUInt32(out var ticks) ? ticks : 0;
        uint? deletes = clock[1].Value.TryGetUInt32(out var count) ? count : null;
        var before = HasTimeMarks ? Volatile.Read(ref seen) : null;
        // A clock that went back is another life of the switch: what it says of the time before means nothing.
        var isUnchanged = before is not null && now >= before.UpTime && deletes == before.Deletes && !await HasChangedAsync(before.UpTime, cancellationToken);
        if (isUnchanged && before!.Looks + 1 < WholeEvery)
        {
            Volatile.Write(ref seen, before with { Looks = before.Looks + 1 });
            return before.Rows;
        }
        var (egress, untagged) = (session.WalkAsync(QBridgeMib.StaticEgress, cancellationToken), session.WalkAsync(QBridgeMib.StaticUntagged, cancellationToken));
        IReadOnlyList<Varbind> rows = [.. await egress, .. await untagged];
        if (isUnchanged && !rows.SequenceEqual(before!.Rows)) isDistrusted = true;
        Volatile.Write(ref seen, new(now, deletes, rows, 0));
        return rows;
    }

    // The first row with this mark or a later one.
    async Task<bool> HasChangedAsync(uint since, CancellationToken cancellationToken) =>
        (await session.GetNextAsync(QBridgeMib.CurrentEgress.Append(since), cancellationToken)).Name.StartsWith(QBridgeMib.CurrentEgress);
}
