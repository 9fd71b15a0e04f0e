namespace GridAppliance.Api.Power;

/// <summary><c>POST /api/v1/nodes/power</c>: a noderange and what to do to its machines.</summary>
public sealed record PowerRequest
{
    public required string Range { get; init; }
    /// <summary>on, off (hard), soft (asks the operating system), cycle, reset or interrupt.</summary>
    public required string Action { get; init; }
    /// <summary>Through which port, where a node has several: a scheme such as <c>ipmi</c>, or <c>bmc</c> or <c>outlet</c>; the preferred one without it.</summary>
    public string? Via { get; init; }
    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/nodes/boot</c>: what machines boot from.</summary>
public sealed record BootRequest
{
    public required string Range { get; init; }
    /// <summary>net, http (UEFI HTTP boot), disk, cd, setup, diag, removable, or none: whatever the firmware is set to.</summary>
    public required string Device { get; init; }
    /// <summary>At every boot from now on; otherwise at the next one only.</summary>
    public bool Persistent { get; init; }
    /// <summary>Also make the boot happen: switch on what is off, power-cycle what is on.</summary>
    public bool Power { get; init; }
    /// <summary>bios or uefi; without it as the node was last seen booting.</summary>
    public string? Firmware { get; init; }
    /// <summary>With http: what to fetch; without it, whatever DHCP says.</summary>
    public string? Uri { get; init; }
    public string? Via { get; init; }
    public bool DryRun { get; init; }
}

/// <summary>Answer of <c>GET /api/v1/nodes/{name}/media</c>.</summary>
public sealed record MediaDocument { public required string Node { get; init; } public required IReadOnlyList<MediaDriveDocument> Drives { get; init; } }

public sealed record MediaDriveDocument
{
    public required string Name { get; init; }
    public IReadOnlyList<string> Kinds { get; init; } = [];
    /// <summary>What is in it; null when nothing is.</summary>
    public string? Image { get; init; }
}

/// <summary><c>PUT /api/v1/nodes/{name}/media</c>: puts an image into a BMC's virtual drive.</summary>
public sealed record MediaRequest { public required string Image { get; init; } }

/// <summary><c>POST /api/v1/nodes/identify</c>: the light that shows a person which machine it is.</summary>
public sealed record IdentifyRequest
{
    public required string Range { get; init; }
    /// <summary>For how long; zero is off, null until told otherwise.</summary>
    public int? Seconds { get; init; }
    public bool DryRun { get; init; }
}

/// <summary><c>POST /api/v1/nodes/power-policy</c>.</summary>
public sealed record PowerPolicyRequest
{
    public required string Range { get; init; }
    /// <summary>observe, or enforce: see to it that what was asked for comes true. A person at the machine is never fought.</summary>
    public required string Policy { get; init; }
    public bool DryRun { get; init; }
}

/// <summary>Answer of <c>GET /api/v1/power</c>.</summary>
public sealed record PowerStatusDocument { public required IReadOnlyList<NodePowerDocument> Nodes { get; init; } }

public sealed record NodePowerDocument
{
    public required string Node { get; init; }
    /// <summary>on, off or unknown, as observed just now.</summary>
    public required string Power { get; init; }
    /// <summary>on or off, as somebody asked for last.</summary>
    public string? DesiredPower { get; init; }
    /// <summary>observe or enforce.</summary>
    public required string Policy { get; init; }
    /// <summary>Through which port it was looked at.</summary>
    public string? Port { get; init; }
    /// <summary>Why it is unknown, in one sentence.</summary>
    public string? Problem { get; init; }
}

/// <summary>Answer of <c>GET /api/v1/nodes/{name}/sensors</c>.</summary>
public sealed record SensorsDocument { public required string Node { get; init; } public required IReadOnlyList<SensorDocument> Sensors { get; init; } }

public sealed record SensorDocument
{
    public required string Name { get; init; }
    public required string Kind { get; init; }
    /// <summary>Null for a discrete sensor, and for one that gives nothing now.</summary>
    public double? Value { get; init; }
    public string? Unit { get; init; }
    /// <summary>unknown, ok, warning, critical or failed.</summary>
    public required string Health { get; init; }
}

/// <summary>Answer of <c>GET /api/v1/nodes/{name}/sel</c>: the event log of the machine's own BMC, oldest first.</summary>
public sealed record DeviceLogDocument { public required string Node { get; init; } public required IReadOnlyList<DeviceEventDocument> Events { get; init; } }

public sealed record DeviceEventDocument
{
    public required string Id { get; init; }
    public DateTimeOffset? At { get; init; }
    public required string Source { get; init; }
    public required string Text { get; init; }
    /// <summary>The condition went away rather than came.</summary>
    public bool IsOver { get; init; }
}

/// <summary>Answer of <c>GET /api/v1/nodes/{name}/bmc</c>: what a node's BMC says of the machine and of itself, read now. What it does not tell is left out.</summary>
public sealed record BmcDetailDocument
{
    public required string Node { get; init; }
    public required string Address { get; init; }
    /// <summary>The machine's UUID, likeliest order of octets first.</summary>
    public IReadOnlyList<string> Uuids { get; init; } = [];
    public IReadOnlyList<PartDocument> Parts { get; init; } = [];
    public BmcLanDocument? Lan { get; init; }
    public IReadOnlyList<BmcAccountDocument> Accounts { get; init; } = [];
    /// <summary>Ways in which it lets in who should not be.</summary>
    public IReadOnlyList<string> SecurityProblems { get; init; } = [];
}

/// <summary>What is written on a part of a machine (FRU).</summary>
public sealed record PartDocument
{
    public required string Name { get; init; }
    public string? Maker { get; init; }
    public string? Product { get; init; }
    public string? PartNumber { get; init; }
    public string? Serial { get; init; }
    public string? AssetTag { get; init; }
}

public sealed record BmcLanDocument
{
    public string? Address { get; init; }
    public string? Mask { get; init; }
    public string? Gateway { get; init; }
    public string? Mac { get; init; }
    /// <summary>static, dhcp, firmware, other or unknown.</summary>
    public string? Origin { get; init; }
    public int? Vlan { get; init; }
}

public sealed record BmcAccountDocument
{
    public required int Id { get; init; }
    public required string Name { get; init; }
    public required string Role { get; init; }
    public bool? Enabled { get; init; }
    public bool MaySignIn { get; init; }
}
