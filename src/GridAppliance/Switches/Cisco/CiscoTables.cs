using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches.Cisco;

/// <summary>The tables of a Cisco switch as they came.</summary>
sealed record CiscoRows
{
    public required IReadOnlyList<Varbind> VlanTypes { get; init; }
    public required IReadOnlyList<Varbind> VlanNames { get; init; }
    public IReadOnlyList<Varbind> DomainNames { get; init; } = [];
    public IReadOnlyList<Varbind> DomainModes { get; init; } = [];
    public required IReadOnlyList<Varbind> AccessVlans { get; init; }
    public IReadOnlyList<Varbind> AccessTypes { get; init; } = [];
    public required IReadOnlyList<Varbind> TrunkNatives { get; init; }
    public IReadOnlyList<Varbind> TrunkStates { get; init; } = [];
    public required IReadOnlyList<Varbind> TrunkStatuses { get; init; }
    public IReadOnlyList<Varbind> TrunkEncapsulations { get; init; } = [];
    /// <summary>Column by column.</summary>
    public required IReadOnlyList<IReadOnlyList<Varbind>> TrunkVlans { get; init; }
    public required IReadOnlyList<Varbind> InterfaceNames { get; init; }
    public required IReadOnlyList<Varbind> InterfaceAliases { get; init; }
    public IReadOnlyList<Varbind> InterfaceAdminStatus { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceOperStatus { get; init; } = [];
}

/// <summary>A port's row among the trunks: nearly every port has one, whether it is a trunk or not.</summary>
/// <param name="Mode">What it was told; null where the switch does not say.</param>
/// <param name="Encapsulation">ISL, 802.1Q, or whatever is agreed upon.</param>
/// <param name="Native">Null where it is not told.</param>
/// <param name="Vlans">The four columns, as they came; null for one that is not there.</param>
sealed record TrunkRow(TrunkMode? Mode, int? Encapsulation, int? Native, ImmutableArray<SnmpValue?> Vlans)
{
    public IEnumerable<VlanId> Allowed => Vlans.SelectMany((column, i) => VlanBits.Read(column?.AsOctets.ToArray() ?? [], i)).Select(v => VlanId.From(v)).OfType<VlanId>();
}

/// <param name="Index">The switch's number for it.</param>
/// <param name="Name">Empty: there is none yet, and nothing is told to others.</param>
/// <param name="Mode">Null where the switch does not say.</param>
sealed record VtpDomain(uint Index, string Name, VtpMode? Mode);

/// <summary>What they mean: ports are numbered by interface. Pure.</summary>
sealed class CiscoTables
{
    readonly CiscoRows rows;
    readonly Dictionary<int, SnmpValue> access, accessTypes, natives, states, statuses, encapsulations;
    readonly Dictionary<int, SnmpValue>[] allowed;

    CiscoTables(CiscoRows rows)
    {
        this.rows = rows;
        access = ByInterface(CiscoMib.AccessVlan, rows.AccessVlans);
        accessTypes = ByInterface(CiscoMib.AccessType, rows.AccessTypes);
        natives = ByInterface(CiscoMib.TrunkNative, rows.TrunkNatives);
        states = ByInterface(CiscoMib.TrunkState, rows.TrunkStates);
        statuses = ByInterface(CiscoMib.TrunkStatus, rows.TrunkStatuses);
        encapsulations = ByInterface(CiscoMib.TrunkEncapsulation, rows.TrunkEncapsulations);
        allowed = [.. Enumerable.Range(0, VlanBits.Columns).Select(c => ByInterface(CiscoMib.TrunkVlans[c], rows.TrunkVlans[c]))];
        Snapshot = Read();
    }

    public static CiscoTables From(CiscoRows rows) => new(rows);

    public SwitchSnapshot Snapshot { get; }

    /// <summary>Null where the switch has none, and so no list of VLANs that could be changed.</summary>
    public VtpDomain? Domain
    {
        get
        {
            foreach (var cell in rows.DomainModes)
            {
                if (cell.Name.Below(CiscoMib.DomainMode) is not [var index]) continue;
                var name = rows.DomainNames.FirstOrDefault(n => n.Name == CiscoMib.DomainName.Append(index)).Value.AsText;
                return new(index, name, cell.Value.TryGetInt32(out var mode) && Enum.IsDefined((VtpMode)mode) ? (VtpMode)mode : null);
            }
            return null;
        }
    }

    /// <summary>Null where the port cannot be a trunk.</summary>
    public TrunkRow? Trunk(int port) => natives.ContainsKey(port) || states.ContainsKey(port) || statuses.ContainsKey(port)
        ? new(Mode(port), Number(encapsulations, port), Number(natives, port), [.. allowed.Select(column => column.TryGetValue(port, out var cell) ? cell : (SnmpValue?)null)])
        : null;

    /// <summary>The VLAN that the port is in, or would be in, as an access port.</summary>
    public VlanId? AccessVlan(int port) => Number(access, port) is { } vlan ? VlanId.From(vlan) : null;

    /// <summary>Whether somebody sets the port's VLAN by hand; on others a policy server does.</summary>
    public bool IsStatic(int port) => Number(accessTypes, port) is null or CiscoMib.StaticMembership;

    SwitchSnapshot Read()
    {
        var vlans = Vlans(rows);
        var names = ByInterface(QBridgeMib.InterfaceName, rows.InterfaceNames);
        var aliases = ByInterface(QBridgeMib.InterfaceAlias, rows.InterfaceAliases);
        var admin = ByInterface(QBridgeMib.InterfaceAdminStatus, rows.InterfaceAdminStatus);
        var oper = ByInterface(QBridgeMib.InterfaceOperStatus, rows.InterfaceOperStatus);
        var ports = access.Keys.Union(natives.Keys).ToImmutableSortedDictionary(index => index, index => new SwitchPort
        {
            Number = index,
            IfIndex = index,
            Name = names.GetValueOrDefault(index).AsText is { Length: > 0 } name ? name : $"interface {index}",
            Description = aliases.GetValueOrDefault(index).AsText,
            IsEnabled = Status(admin, index),
            HasLink = Status(oper, index),
            Vlans = VlansOf(index, vlans),
        });
        return new() { Ports = ports, Vlans = vlans, OpenTrunks = [.. ports.Keys.Where(p => IsTrunk(p) && Trunk(p)!.Allowed.Any(v => !vlans.ContainsKey(v)))] };
    }

    // FDDI and token ring have VLANs of their own there, which no port is ever in.
    static ImmutableSortedDictionary<VlanId, SwitchVlan> Vlans(CiscoRows rows)
    {
        var others = new HashSet<uint>();
        foreach (var cell in rows.VlanTypes)
        {
            if (cell.Name.Below(CiscoMib.VlanType) is [_, var number] && cell.Value.TryGetInt32(out var type) && type != CiscoMib.Ethernet) others.Add(number);
        }
        var found = ImmutableSortedDictionary.CreateBuilder<VlanId, SwitchVlan>();
        foreach (var cell in rows.VlanNames)
        {
            if (cell.Name.Below(CiscoMib.VlanName) is [_, var number] && !others.Contains(number) && VlanId.From(number) is { } vlan) found[vlan] = new(vlan, cell.Value.AsText);
        }
        return found.ToImmutable();
    }

    TrunkMode? Mode(int port) => Number(states, port) is { } state && Enum.IsDefined((TrunkMode)state) ? (TrunkMode)state : null;

    // A port that was told is what it was told, also while it has no link, when it counts as not trunking; one that makes it out with the other end is what came of that.
    public bool IsTrunk(int port) => Mode(port) switch
    {
        TrunkMode.On or TrunkMode.OnWithoutAsking => true,
        TrunkMode.Off => false,
        TrunkMode.Desirable or TrunkMode.Auto or null => Number(statuses, port) == CiscoMib.Trunking,
    };

    PortVlans VlansOf(int port, ImmutableSortedDictionary<VlanId, SwitchVlan> vlans)
    {
        if (!IsTrunk(port)) return AccessVlan(port) is { } only ? PortVlans.Access(only) : PortVlans.Unknown;
        // All 4,094 are allowed where nothing was said: those that the switch has are meant.
        var tagged = Trunk(port)!.Allowed.Where(vlans.ContainsKey).ToList();
        var native = Number(natives, port) is { } number ? VlanId.From(number) : null;
        // A native VLAN that is not among the allowed ones carries nothing.
        return PortVlans.Trunk(native is { } vlan && tagged.Contains(vlan) ? native : null, tagged);
    }

    static Dictionary<int, SnmpValue> ByInterface(ObjectIdentifier column, IReadOnlyList<Varbind> cells)
    {
        var found = new Dictionary<int, SnmpValue>();
        foreach (var cell in cells)
        {
            if (cell.Name.Below(column) is [<= int.MaxValue and var index]) found[(int)index] = cell.Value;
        }
        return found;
    }

    static int? Number(Dictionary<int, SnmpValue> cells, int port) => cells.TryGetValue(port, out var cell) && cell.TryGetInt32(out var number) ? number : null;

    static bool? Status(Dictionary<int, SnmpValue> cells, int index) => Number(cells, index) is { } status ? status == 1 : null;
}
