using System.Collections.Immutable;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>A port of the simulated switch.</summary>
sealed record BridgePort(int Number, string Name)
{
    /// <summary>Not the bridge port, as on most switches: whoever mixes them up is found out.</summary>
    public int IfIndex => 1000 + Number;
    public string Alias { get; init; } = "";
    public bool IsEnabled { get; init; } = true;
    public bool HasLink { get; init; } = true;
    public int Pvid { get; init; } = 1;
}

sealed record BridgeVlan(string Name, PortList Egress, PortList Untagged)
{
    public static BridgeVlan Empty { get; } = new("", default, default);
}

sealed record BridgeAddress(int Vlan, MacAddress Mac, int Port);

/// <summary>What a neighbour has said of itself over LLDP, as it said it.</summary>
/// <param name="Port">Where it was heard.</param>
sealed record BridgeNeighbour(int Port, LldpChassisKind ChassisKind, ImmutableArray<byte> ChassisId, LldpPortKind PortKind, ImmutableArray<byte> PortId)
{
    public string PortDescription { get; init; } = "";
    public string SystemName { get; init; } = "";
    public string SystemDescription { get; init; } = "";
}

/// <summary>What a Q-BRIDGE switch holds, at one time.</summary>
sealed record BridgeModel
{
    public required ImmutableSortedDictionary<int, BridgePort> Ports { get; init; }
    public required ImmutableSortedDictionary<int, BridgeVlan> Vlans { get; init; }
    /// <summary>The bridge's own; null where it has none.</summary>
    public MacAddress? Address { get; init; }
    /// <summary>sysContact.</summary>
    public string Contact { get; init; } = "";
    public ImmutableArray<BridgeAddress> Addresses { get; init; } = [];
    public ImmutableArray<BridgeNeighbour> Neighbours { get; init; } = [];

    /// <summary>A switch as it comes out of its box: every port in VLAN 1.</summary>
    public static BridgeModel Factory(int ports) => new()
    {
        Ports = Enumerable.Range(1, ports).ToImmutableSortedDictionary(n => n, n => new BridgePort(n, $"Gi0/{n}")),
        Vlans = ImmutableSortedDictionary<int, BridgeVlan>.Empty.Add(1, new("default", PortList.Of(Enumerable.Range(1, ports)), PortList.Of(Enumerable.Range(1, ports)))),
    };

    /// <summary>The same with a VLAN in which some ports are, without a tag and with it as their PVID, and in no other.</summary>
    public BridgeModel WithAccess(int vlan, params ReadOnlySpan<int> ports)
    {
        var vlans = Vlans.ContainsKey(vlan) ? Vlans : Vlans.Add(vlan, BridgeVlan.Empty with { Name = $"VLAN{vlan}" });
        var all = Ports;
        foreach (var port in ports)
        {
            all = all.SetItem(port, all[port] with { Pvid = vlan });
            foreach (var (id, row) in vlans)
            {
                vlans = vlans.SetItem(id, id == vlan ? row with { Egress = row.Egress.With(port), Untagged = row.Untagged.With(port) } : row with { Egress = row.Egress.Without(port), Untagged = row.Untagged.Without(port) });
            }
        }
        return this with { Vlans = vlans, Ports = all };
    }
}

/// <summary>Where a model comes from and goes to.</summary>
interface IBridgeBackend
{
    ValueTask<BridgeModel> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Makes it so; false when it cannot, and then nothing has changed.</summary>
    ValueTask<bool> ApplyAsync(BridgeModel model, CancellationToken cancellationToken);
}

/// <summary>A switch that is nothing but its model.</summary>
sealed class MemoryBridge(BridgeModel model) : IBridgeBackend
{
    public BridgeModel Model { get; set; } = model;

    public ValueTask<BridgeModel> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Model);

    public ValueTask<bool> ApplyAsync(BridgeModel model, CancellationToken cancellationToken)
    {
        Model = model;
        return ValueTask.FromResult(true);
    }
}
