namespace GridAppliance.Api.Switches;

/// <summary>Where everything is (<c>GET /api/v1/fabric/map</c>).</summary>
public sealed record FabricMapDocument
{
    public required IReadOnlyList<FabricSwitchDocument> Switches { get; init; }
    public required IReadOnlyList<PlacementDocument> Placements { get; init; }
    /// <summary>Nodes that no switch sees.</summary>
    public required IReadOnlyList<string> Unplaced { get; init; }
    public required IReadOnlyList<FabricFindingDocument> Findings { get; init; }
    /// <summary>Cables in the plan.</summary>
    public int Planned { get; init; }
    /// <summary>Who reaches which storage.</summary>
    public IReadOnlyList<FabricStorageDocument> Storage { get; init; } = [];
    /// <summary>Who sends in others' names, and from which port.</summary>
    public IReadOnlyList<ForgedSourceDocument> Forged { get; init; } = [];
}

/// <summary>A storage fabric on the map.</summary>
public sealed record FabricStorageDocument
{
    public required string Name { get; init; }
    public required string Address { get; init; }
    /// <summary>ok, unread, or trouble.</summary>
    public required string State { get; init; }
    public string? Problem { get; init; }
    public DateTimeOffset? LastRead { get; init; }
    public IReadOnlyList<FabricZoneDocument> Zones { get; init; } = [];
}

public sealed record FabricZoneDocument
{
    public required string Name { get; init; }
    public required IReadOnlyList<FabricInitiatorDocument> Initiators { get; init; }
    /// <summary>Ports of storage, or files that are served.</summary>
    public required IReadOnlyList<string> Storage { get; init; }
}

public sealed record FabricInitiatorDocument
{
    public required string Name { get; init; }
    /// <summary>The node whose it is, where that is known.</summary>
    public string? Node { get; init; }
    /// <summary>When it has to go again; null: it is in for good.</summary>
    public DateTimeOffset? Until { get; init; }
}

public sealed record FabricSwitchDocument
{
    public required string Name { get; init; }
    /// <summary>ok, unread, or trouble.</summary>
    public required string State { get; init; }
    public DateTimeOffset? LastRead { get; init; }
    public IReadOnlyList<SwitchPortDocument> Ports { get; init; } = [];
}

/// <summary>A NIC behind a port.</summary>
public sealed record PlacementDocument
{
    public required string Node { get; init; }
    public required string Mac { get; init; }
    public required string Switch { get; init; }
    public required string Port { get; init; }
    /// <summary>Who says so, the best first: switch-lldp, forwarding, agent-lldp, dhcp-relay.</summary>
    public required IReadOnlyList<string> Sources { get; init; }
}

public sealed record FabricFindingDocument
{
    /// <summary>two-ports, wrong-cable, missing-cable, disagreement, impostor or flood.</summary>
    public required string Kind { get; init; }
    public string? Node { get; init; }
    public required string Message { get; init; }
}

/// <summary><c>PUT /api/v1/fabric/cabling</c>: the plan of who should be where.</summary>
public sealed record CablingRequest
{
    /// <summary>A line for each cable: <c>machine,switch,port</c>; a machine is a node, a NIC's address, a serial number or a UUID.</summary>
    public required string Csv { get; init; }
}

public sealed record CablingDocument
{
    public required string Csv { get; init; }
    public required int Cables { get; init; }
}

/// <summary>What is not as it was left (<c>GET /api/v1/fabric/drift</c>).</summary>
public sealed record DriftDocument
{
    public required IReadOnlyList<PortDriftDocument> Differences { get; init; }
}

public sealed record PortDriftDocument
{
    public required string Switch { get; init; }
    public required string Port { get; init; }
    /// <summary>As it was left, in words.</summary>
    public required string Wanted { get; init; }
    /// <summary>As it is, in words; null: the port is gone.</summary>
    public string? Actual { get; init; }
    /// <summary>Who left it so, and when.</summary>
    public required string By { get; init; }
    public required DateTimeOffset At { get; init; }
    /// <summary>report (a person says), assert (the appliance is right) or adopt (the switch is).</summary>
    public required string Right { get; init; }
}

/// <summary><c>POST /api/v1/fabric/drift/assert</c> and <c>…/adopt</c>.</summary>
public sealed record DriftRequest
{
    /// <summary>Null: every switch.</summary>
    public string? Switch { get; init; }
}

/// <summary>What became of it, switch by switch.</summary>
public sealed record DriftAnswerDocument
{
    public required IReadOnlyList<DriftAnswerSwitchDocument> Switches { get; init; }
}

public sealed record DriftAnswerSwitchDocument
{
    public required string Switch { get; init; }
    public required bool Accepted { get; init; }
    public required string Message { get; init; }
}

/// <summary>Whether the fabric is as it should be, from what the switches say now and what probe frames show (<c>POST /api/v1/fabric/verify</c>).</summary>
public sealed record FabricVerdictDocument
{
    /// <summary>Nothing is wrong.</summary>
    public required bool Good { get; init; }
    /// <summary>Switches that were read.</summary>
    public required int Read { get; init; }
    public required IReadOnlyList<FabricComplaintDocument> Complaints { get; init; }
    /// <summary>What was tried with frames; null when there was nobody to send any.</summary>
    public ProbeRoundDocument? Probes { get; init; }
}

/// <summary>A round of probe frames between nodes' agents and the appliance.</summary>
public sealed record ProbeRoundDocument
{
    /// <summary>NICs that sent and listened.</summary>
    public required int Stations { get; init; }
    /// <summary>Pairs of them, each way, that must not reach each other.</summary>
    public required int Apart { get; init; }
    /// <summary>Pairs, each way, that are in one VLAN and did hear each other: that probes get through where they should.</summary>
    public required int Together { get; init; }
    /// <summary>Pairs of the first kind between which something got through.</summary>
    public required int Leaks { get; init; }
}

public sealed record FabricComplaintDocument
{
    /// <summary>unread, two-ports, wrong-cable, missing-cable, disagreement, drift, mixed-port, shared-port, owner, forged, impostor, flood, leak or unproven.</summary>
    public required string Kind { get; init; }
    public required string Message { get; init; }
}

/// <summary>What keeps nodes from speaking in others' names (<c>GET /api/v1/fabric/guard</c>).</summary>
public sealed record GuardDocument
{
    public required IReadOnlyList<NetworkGuardDocument> Networks { get; init; }
    /// <summary>Who was dropped lately, the latest first.</summary>
    public required IReadOnlyList<ForgedSourceDocument> Forged { get; init; }
    /// <summary>NICs that are shut out because their address is used on another port than their own.</summary>
    public required IReadOnlyList<DisplacedNicDocument> Displaced { get; init; }
}

public sealed record NetworkGuardDocument
{
    public required string Network { get; init; }
    public required string Interface { get; init; }
    /// <summary>on or failed.</summary>
    public required string State { get; init; }
    /// <summary>Why it is not in force.</summary>
    public string? Reason { get; init; }
    /// <summary>NICs that may speak from their addresses.</summary>
    public required int Assigned { get; init; }
    /// <summary>Frames that were dropped since it came into force.</summary>
    public required long Dropped { get; init; }
}

/// <summary>Somebody who sent from an address that is not his, or from a port that is not his.</summary>
public sealed record ForgedSourceDocument
{
    public required string Network { get; init; }
    public required string Mac { get; init; }
    public required string Ip { get; init; }
    public required long Packets { get; init; }
    public required DateTimeOffset First { get; init; }
    public required DateTimeOffset Last { get; init; }
    /// <summary>Where the frames came from, when a switch has said so.</summary>
    public string? Switch { get; init; }
    public string? Port { get; init; }
    /// <summary>The node whose NIC it is, if it is one's.</summary>
    public string? Node { get; init; }
    /// <summary>All of it in a sentence.</summary>
    public required string Message { get; init; }
}

public sealed record DisplacedNicDocument
{
    public required string Mac { get; init; }
    public string? Node { get; init; }
    /// <summary>SWITCH/PORT where its machine is.</summary>
    public required string Own { get; init; }
    /// <summary>SWITCH/PORT where its address is used.</summary>
    public required string Seen { get; init; }
}
