using GridAppliance.Api.Resources;

namespace GridAppliance.Api.Nodes;

/// <summary>A node as the management plane shows it (<c>GET /api/v1/nodes/{name}</c>). Fields are only ever added.</summary>
public sealed record NodeDocument
{
    /// <summary>Stable identity, a UUID of the appliance's own; the name may change, this does not.</summary>
    public required string Id { get; init; }
    public required string Name { get; init; }
    /// <summary>discovered, enrolling, idle, assigning, active, releasing, held, failed or retired.</summary>
    public required string State { get; init; }
    /// <summary>The boot NIC, lower-case with colons.</summary>
    public required string Mac { get; init; }
    public required IReadOnlyList<string> Macs { get; init; }
    public string? Ip { get; init; }
    /// <summary>SMBIOS system UUID in its usual text form; boards may share one, so it is not an identity.</summary>
    public string? Uuid { get; init; }
    /// <summary>x86_64, i386, aarch64 …</summary>
    public string? Arch { get; init; }
    /// <summary>bios or uefi.</summary>
    public string? Firmware { get; init; }
    public LocationDocument? Location { get; init; }
    /// <summary>on, off or unknown, as last observed.</summary>
    public string? Power { get; init; }
    /// <summary>on or off, as somebody last asked for; apart from what is observed.</summary>
    public string? DesiredPower { get; init; }
    /// <summary>observe, or enforce where the appliance sees to it that <see cref="DesiredPower"/> comes true.</summary>
    public string? PowerPolicy { get; init; }
    public BmcDocument? Bmc { get; init; }
    /// <summary>Ways in which its privileged ports let in who should not be, a sentence each.</summary>
    public IReadOnlyList<string> SecurityProblems { get; init; } = [];
    public AgentDocument? Agent { get; init; }
    public IReadOnlyList<InstalledModuleDocument> Modules { get; init; } = [];
    public InventoryDocument? Inventory { get; init; }
    /// <summary>What it runs: tiny, debian, or debian-disk; null for an operating system of its own, or before its agent has said it.</summary>
    public string? Image { get; init; }
    /// <summary>What was written to a disk of it.</summary>
    public WrittenDiskDocument? Disk { get; init; }
    /// <summary>How far its agent is with a long order.</summary>
    public string? Doing { get; init; }
    /// <summary>The node that is this one's master, as both were told.</summary>
    public string? Master { get; init; }
    /// <summary>What is wrong, in one sentence, or null.</summary>
    public string? Problem { get; init; }
    /// <summary>The boot under way or the last one.</summary>
    public BootDocument? Boot { get; init; }
    public DateTimeOffset FirstSeen { get; init; }
    public DateTimeOffset StateSince { get; init; }
}

/// <summary>A system on a node's disk; wiped when the node is released.</summary>
public sealed record WrittenDiskDocument
{
    public required string Name { get; init; }
    public string? Serial { get; init; }
    public string? Wwn { get; init; }
    public required long SizeBytes { get; init; }
    /// <summary>What was written.</summary>
    public required string Image { get; init; }
    public required string HostName { get; init; }
    /// <summary>Its address with the prefix's length; null for what DHCP gives.</summary>
    public string? Address { get; init; }
    /// <summary>Types and comments of the keys that may log in.</summary>
    public IReadOnlyList<string> SshKeys { get; init; } = [];
    public required DateTimeOffset Since { get; init; }
    public required string By { get; init; }
}

public sealed record LocationDocument { public string? Switch { get; init; } public string? Port { get; init; } }

public sealed record BmcDocument { public string? Kind { get; init; } public string? Address { get; init; } }

public sealed record AgentDocument { public string? Version { get; init; } public DateTimeOffset? LastSeen { get; init; } }

public sealed record InstalledModuleDocument
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>installing, running, failed or removing.</summary>
    public required string State { get; init; }
}

/// <summary>How far a boot has come.</summary>
public sealed record BootDocument
{
    public required DateTimeOffset Started { get; init; }
    /// <summary>The last stage reached: address, loader, script, kernel, initramfs, agent, idle.</summary>
    public required string Stage { get; init; }
    /// <summary>0 to 100.</summary>
    public required int Percent { get; init; }
    /// <summary>Milliseconds that requests of this boot spent inside the appliance, summed.</summary>
    public double ApplianceMs { get; init; }
    public DateTimeOffset? Finished { get; init; }
}

/// <summary>What the agent found on its node. Sizes in the unit that the name says.</summary>
public sealed record InventoryDocument
{
    /// <summary>Logical processors.</summary>
    public int Cpus { get; init; }
    public string? CpuModel { get; init; }
    public long MemoryMiB { get; init; }
    public IReadOnlyList<DiskDocument> Disks { get; init; } = [];
    public IReadOnlyList<NicDocument> Nics { get; init; } = [];
    public string? Vendor { get; init; }
    public string? Product { get; init; }
    public string? Serial { get; init; }
    public string? Uuid { get; init; }
    public string? Arch { get; init; }
    /// <summary>bios or uefi.</summary>
    public string? Firmware { get; init; }
    public string? Kernel { get; init; }
    public BmcDocument? Bmc { get; init; }
    /// <summary>What the agent can give to owners: the machine, less what the system needs.</summary>
    public ResourceAmounts? Allocatable { get; init; }
}

public sealed record DiskDocument
{
    public required string Name { get; init; }
    public long SizeBytes { get; init; }
    public string? Model { get; init; }
    public string? Serial { get; init; }
    /// <summary>World-wide name, as the kernel tells it: naa., eui. or t10. and what follows.</summary>
    public string? Wwn { get; init; }
    public bool Rotational { get; init; }
    public bool Removable { get; init; }
    /// <summary>nvme, sata, sas, virtio, usb or null where it cannot be told.</summary>
    public string? Transport { get; init; }
}

public sealed record NicDocument
{
    public required string Name { get; init; }
    public required string Mac { get; init; }
    public string? Driver { get; init; }
    /// <summary>Megabits per second; null without a link or where the driver does not say.</summary>
    public int? SpeedMbps { get; init; }
    public bool Link { get; init; }
    public string? PciAddress { get; init; }
    /// <summary>Neighbours heard by LLDP (IEEE 802.1AB).</summary>
    public IReadOnlyList<LldpNeighbourDocument> Neighbours { get; init; } = [];
}

public sealed record LldpNeighbourDocument
{
    public string? ChassisId { get; init; }
    public string? PortId { get; init; }
    public string? SystemName { get; init; }
    public string? PortDescription { get; init; }
    public int? PortVlan { get; init; }
}
