using System.Collections.Concurrent;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Cisco;

/// <summary>
/// Who is behind which port of a Cisco switch. Catalysts have a BRIDGE-MIB for each VLAN, in a view of its own; whether a view answers is found out before it is walked, because to a community that it does not know a
/// switch says nothing at all. Nexus have one table for all VLANs, and so has a Catalyst whose version 3 user was given no views but the default one (VLAN 1's).
/// </summary>
sealed class CiscoAddresses(SnmpSession session)
{
    /// <summary>A view in which nobody answered is tried again after so long.</summary>
    static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(10);

    readonly ConcurrentDictionary<VlanId, DateTimeOffset> silentUntil = [];
    readonly ConcurrentDictionary<VlanId, bool> answering = [];

    /// <exception cref="Hosting.DeviceException">The switch cannot be read.</exception>
    public async Task<IReadOnlyList<ForwardingEntry>> ReadAsync(SwitchSnapshot ports, CancellationToken cancellationToken)
    {
        var now = session.Clock.GetUtcNow();
        var (asked, silent) = (ports.Vlans.Keys.Where(vlan => !IsSilent(vlan, now)).ToList(), new ConcurrentBag<VlanId>());
        // Where the first does not answer there are no such views: not each of a hundred VLANs is waited for.
        if (answering.IsEmpty && asked is [var first, ..] && !await AnswersAsync(first, cancellationToken))
        {
            foreach (var vlan in asked) silent.Add(vlan);
            asked.Clear();
        }
        var found = (await Task.WhenAll(asked.Select(vlan => ReadAsync(vlan, silent, cancellationToken)))).SelectMany(f => f).ToList();
        if (silent.IsEmpty && !ports.Vlans.Keys.Any(vlan => IsSilent(vlan, now))) return found;
        var others = await ReadAsync(null, SnmpContext.Default, cancellationToken);
        // Only now: a switch that is away altogether has not been silent in its views.
        foreach (var vlan in silent) silentUntil[vlan] = now + AskAgain;
        var seen = found.Select(e => e.Mac).ToHashSet();
        return [.. found, .. others.Where(e => !seen.Contains(e.Mac))];
    }

    bool IsSilent(VlanId vlan, DateTimeOffset now) => silentUntil.TryGetValue(vlan, out var until) && now < until;

    async Task<IReadOnlyList<ForwardingEntry>> ReadAsync(VlanId vlan, ConcurrentBag<VlanId> silent, CancellationToken cancellationToken)
    {
        if (await AnswersAsync(vlan, cancellationToken)) return await ReadAsync(vlan, SnmpContext.CiscoVlan(vlan), cancellationToken);
        silent.Add(vlan);
        return [];
    }

    async Task<bool> AnswersAsync(VlanId vlan, CancellationToken cancellationToken)
    {
        if (answering.ContainsKey(vlan)) return true;
        if (!await session.HasContextAsync(QBridgeMib.ForwardingPort, SnmpContext.CiscoVlan(vlan), cancellationToken)) return false;
        answering[vlan] = true;
        return true;
    }

    async Task<IReadOnlyList<ForwardingEntry>> ReadAsync(VlanId? vlan, SnmpContext context, CancellationToken cancellationToken)
    {
        var entries = QBridgeSwitch.ReadPlainForwarding(await session.ReadTreeAsync(QBridgeMib.ForwardingPort, context, cancellationToken), vlan);
        if (entries.Count == 0) return entries;
        var interfaces = new Dictionary<int, int>();
        foreach (var cell in await session.ReadTreeAsync(QBridgeMib.BasePortIfIndex, context, cancellationToken))
        {
            if (cell.Name.Below(QBridgeMib.BasePortIfIndex) is [<= int.MaxValue and var port] && cell.Value.TryGetInt32(out var index)) interfaces[(int)port] = index;
        }
        // Port 0 is the switch itself; one that no interface is known for cannot be told from another, and is left out.
        return [.. entries.Where(e => e.Port == 0 || interfaces.ContainsKey(e.Port)).Select(e => e with { Port = e.Port == 0 ? 0 : interfaces[e.Port] })];
    }
}
