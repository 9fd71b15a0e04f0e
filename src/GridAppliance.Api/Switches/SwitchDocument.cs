namespace GridAppliance.Api.Switches;

/// <summary>A switch that the appliance looks after (<c>GET /api/v1/switches/{name}</c>). Never with its secrets.</summary>
public sealed record SwitchDocument
{
    public required string Name { get; init; }
    public required string Address { get; init; }
    /// <summary>How the appliance logs in, in words.</summary>
    public required string Account { get; init; }
    /// <summary>ok, unread, or trouble.</summary>
    public required string State { get; init; }
    public string? Problem { get; init; }
    public string? SystemName { get; init; }
    public string? Description { get; init; }
    public double? UptimeSeconds { get; init; }
    public DateTimeOffset? LastRead { get; init; }
    public double? ReadMs { get; init; }
    /// <summary>ours, free, theirs, unmarkable or unknown.</summary>
    public required string Ownership { get; init; }
    /// <summary>The appliance whose mark is on it.</summary>
    public string? Owner { get; init; }
    /// <summary>What it can do, in sentences; empty until it was tried.</summary>
    public IReadOnlyList<string> Abilities { get; init; } = [];
    /// <summary>Whether it took a change; null: not tried.</summary>
    public bool? CanWrite { get; init; }
    /// <summary>Changed, and not in its start-up store yet.</summary>
    public bool Unsaved { get; init; }
    public int Ports { get; init; }
    public IReadOnlyList<SwitchVlanDocument> Vlans { get; init; } = [];
    public required SwitchTerritoryDocument Ours { get; init; }
    /// <summary>Ports that were found to lead to other switches or to the appliance, with how that is known.</summary>
    public IReadOnlyDictionary<string, string> RecognisedUplinks { get; init; } = new Dictionary<string, string>();
    /// <summary>report, assert or adopt.</summary>
    public required string Drift { get; init; }
    /// <summary>It stands in the configuration file.</summary>
    public bool FromFile { get; init; }
}

public sealed record SwitchVlanDocument
{
    public required int Vlan { get; init; }
    public string Name { get; init; } = "";
}

/// <summary>What of a switch is the appliance's to write: nothing that is not named here.</summary>
public sealed record SwitchTerritoryDocument
{
    /// <summary>Names (<c>Gi0/1</c>), beginnings of names (<c>Gi0/*</c>), numbers and ranges (<c>1-24</c>).</summary>
    public IReadOnlyList<string> Ports { get; init; } = [];
    /// <summary>Numbers and ranges.</summary>
    public IReadOnlyList<string> Vlans { get; init; } = [];
    /// <summary>As ports; never written.</summary>
    public IReadOnlyList<string> Uplinks { get; init; } = [];
}

/// <summary><c>POST /api/v1/switches</c>.</summary>
public sealed record SwitchRequest
{
    public required string Name { get; init; }
    /// <summary>Such as <c>snmp+qbridge://10.0.0.2</c>.</summary>
    public required string Address { get; init; }
    /// <summary>User of SNMP version 3; without it version 2c is spoken and the secret is the community.</summary>
    public string? User { get; init; }
    /// <summary>sha1, sha224, sha256, sha384 or sha512.</summary>
    public string? Authentication { get; init; }
    /// <summary>aes128, aes192, aes256 or none.</summary>
    public string? Privacy { get; init; }
    /// <summary>The community; or the authentication passphrase and, in a second line, the privacy passphrase where it is another.</summary>
    public required string Secret { get; init; }
    public SwitchTerritoryDocument Ours { get; init; } = new();
    public string? Drift { get; init; }
}

/// <summary><c>POST /api/v1/switches/{name}/allow</c>: what is not given stays as it is.</summary>
public sealed record SwitchAllowRequest
{
    public IReadOnlyList<string>? Ports { get; init; }
    public IReadOnlyList<string>? Vlans { get; init; }
    public IReadOnlyList<string>? Uplinks { get; init; }
    public string? Drift { get; init; }
}

/// <summary>A port (<c>GET /api/v1/switches/{name}/ports</c>).</summary>
public sealed record SwitchPortDocument
{
    public required string Switch { get; init; }
    public required string Name { get; init; }
    /// <summary>The driver's number for it.</summary>
    public required int Number { get; init; }
    public string Description { get; init; } = "";
    public bool? Enabled { get; init; }
    public bool? Link { get; init; }
    /// <summary>access, trunk, isolated, mixed or unknown.</summary>
    public required string Mode { get; init; }
    /// <summary>Where frames without a tag go that come in.</summary>
    public int? Pvid { get; init; }
    public IReadOnlyList<int> Untagged { get; init; } = [];
    public IReadOnlyList<int> Tagged { get; init; } = [];
    /// <summary>The appliance may write it.</summary>
    public bool Ours { get; init; }
    /// <summary>How it is known that it is an uplink; null: it is none.</summary>
    public string? Uplink { get; init; }
    /// <summary>Nodes behind it.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];
    /// <summary>Addresses behind it that are no node's; the first few.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];
    /// <summary>Addresses behind it, all of them.</summary>
    public int Addresses { get; init; }
    /// <summary>What its neighbour says of itself over LLDP.</summary>
    public string? Neighbour { get; init; }
}

/// <summary><c>POST /api/v1/switches/vlan</c>: puts ports into a VLAN, opens or shuts them, describes them. What is null stays as it is.</summary>
public sealed record VlanChangeRequest
{
    /// <summary>A node's name, or <c>SWITCH/PORT</c>.</summary>
    public required IReadOnlyList<string> Targets { get; init; }
    /// <summary>For frames without a tag.</summary>
    public int? Vlan { get; init; }
    /// <summary>Open, or shut.</summary>
    public bool? Enabled { get; init; }
    /// <summary>What the switch shows of it (ifAlias).</summary>
    public string? Description { get; init; }
    /// <summary>VLANs that go out with a tag; empty makes an access port.</summary>
    public IReadOnlyList<int> Tagged { get; init; } = [];
    /// <summary>Say what would be done, and do nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What became of it, target by target.</summary>
public sealed record VlanChangeDocument
{
    public required IReadOnlyList<PortChangeDocument> Ports { get; init; }
    /// <summary>SET requests that it took, or would take.</summary>
    public int Pdus { get; init; }
    public bool DryRun { get; init; }
}

public sealed record PortChangeDocument
{
    public required string Target { get; init; }
    public string? Switch { get; init; }
    public string? Port { get; init; }
    public required bool Accepted { get; init; }
    /// <summary>done, unchanged, refused, rolledback or damaged; planned in a dry run.</summary>
    public required string Outcome { get; init; }
    public string? Message { get; init; }
    public string? Before { get; init; }
    public string? After { get; init; }
}
