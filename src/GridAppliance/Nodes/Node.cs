using System.Collections.Immutable;
using GridAppliance.Api.Nodes;
using GridAppliance.Disks;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Nodes;

/// <summary>A server as the appliance knows it. Immutable; changed only through <see cref="NodeDirectory"/>.</summary>
sealed record Node
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required NodeState State { get; init; }
    public required DateTimeOffset StateSince { get; init; }
    public required DateTimeOffset FirstSeen { get; init; }
    /// <summary>The NIC it was first seen booting from.</summary>
    public required MacAddress BootMac { get; init; }
    /// <summary>All NICs known to be its own, the boot NIC first.</summary>
    public required ImmutableArray<MacAddress> Macs { get; init; }
    /// <summary>Provisioning network it was last seen on.</summary>
    public required string Network { get; init; }
    public Ipv4Address? Ip { get; init; }
    public Guid? Uuid { get; init; }
    public string? Arch { get; init; }
    /// <summary>bios or uefi.</summary>
    public string? Firmware { get; init; }
    public string? Switch { get; init; }
    public string? SwitchPort { get; init; }
    /// <summary>The switches themselves say where it is, which is worth more than what its agent has heard.</summary>
    public bool LocatedBySwitch { get; init; }
    /// <summary>Circuit id that a relaying switch put into its DHCP requests (option 82), in hexadecimal.</summary>
    public string? Circuit { get; init; }
    /// <summary>Remote id beside it: which switch that was, in hexadecimal.</summary>
    public string? CircuitRelay { get; init; }
    public InventoryDocument? Inventory { get; init; }
    public ImmutableArray<InstalledModuleDocument> Modules { get; init; } = [];

    /// <summary>Whether its agent says that it has a module; what a boot takes away its agent's first call does not have any more.</summary>
    public bool Has(string module) => Modules.Any(installed => installed.Name == module);
    /// <summary>SubjectPublicKeyInfo (DER) of the agent that speaks for this node; empty before one enrolled.</summary>
    public ImmutableArray<byte> AgentKey { get; init; } = [];
    public string? AgentVersion { get; init; }
    /// <summary>A person has said yes to this node: it is not asked for again.</summary>
    public bool Approved { get; init; }
    /// <summary>What is wrong, in one sentence.</summary>
    public string? Problem { get; init; }
    /// <summary>Its next boot over the network is for a person to mend it: no agent starts, and its disks are not touched.</summary>
    public RecoveryWish? Recovery { get; init; }
    /// <summary>What it runs, as its agent says: tiny, debian, debian-disk; null for an operating system of its own.</summary>
    public string? Image { get; init; }
    /// <summary>Its agent runs as a service of an operating system that the appliance did not bring.</summary>
    public bool HasOwnSystem => Image is null && Disk is null && !AgentKey.IsEmpty;
    /// <summary>Why it does not run the image that it was to boot, as its agent's first call said; null when it does.</summary>
    public string? ImageProblem { get; init; }
    /// <summary>Its agent knows the order to try a module.</summary>
    public bool TriesModules { get; init; }
    /// <summary>Why modules do not work on it, as the one said that was tried before it was idle; null when they do.</summary>
    public string? ModuleProblem { get; init; }
    /// <summary>What was written to a disk of it and has not been wiped since: on record before the first octet was.</summary>
    public WrittenDisk? Disk { get; init; }
    /// <summary>The root image that it is to boot, or its own disk; null: the tiny image.</summary>
    public string? ImageWish { get; init; }
    /// <summary>Whose manager is the master of this node's.</summary>
    public NodeReference? Master { get; init; }
    /// <summary>Grows with each change of who is its master and whose master it is: what its agent has to have been told.</summary>
    public long RelationVersion { get; init; }
    /// <summary>What was asked of its power; what is observed stands in <see cref="Reach"/>.</summary>
    public PowerWish? PowerWish { get; init; }

    // Soft state, kept in memory only: a restart learns it again.

    public DateTimeOffset? AgentLastSeen { get; init; }
    /// <summary>How far its agent is with a long order, in its own words.</summary>
    public string? Doing { get; init; }
    public BootProgress? Boot { get; init; }
    public NodeReach Reach { get; init; } = NodeReach.Nothing;

    public NodeDocument ToDocument() => new()
    {
        Id = Id.ToString(),
        Name = Name,
        State = State.ToString().ToLowerInvariant(),
        Mac = BootMac.ToString(),
        Macs = [.. Macs.Select(m => m.ToString())],
        Ip = Ip?.ToString(),
        Uuid = Uuid?.ToString(),
        Arch = Arch,
        Firmware = Firmware,
        Location = Switch is null && SwitchPort is null ? null : new() { Switch = Switch, Port = SwitchPort },
        Power = PowerPlan.Word(Reach.Power?.State ?? PowerState.Unknown),
        DesiredPower = PowerWish is { Desired: not PowerState.Unknown } wish ? PowerPlan.Word(wish.Desired) : null,
        PowerPolicy = PowerWish is { IsEnforced: true } ? "enforce" : "observe",
        Bmc = Reach.Bmc ?? Inventory?.Bmc,
        SecurityProblems = Reach.Weaknesses,
        Agent = AgentKey.IsEmpty ? null : new() { Version = AgentVersion, LastSeen = AgentLastSeen },
        Modules = [.. Modules],
        Inventory = Inventory,
        Master = Master?.Name,
        Image = Image,
        Disk = Disk?.ToDocument(),
        Doing = Doing,
        Problem = Problem,
        Boot = Boot?.ToDocument(),
        FirstSeen = FirstSeen,
        StateSince = StateSince,
    };
}

/// <summary>Another node, by identity and by the name that it had.</summary>
sealed record NodeReference(Guid Id, string Name);

/// <summary>Somebody wants to mend this node from its console.</summary>
sealed record RecoveryWish(string By, DateTimeOffset At);

/// <summary>One boot, from its first DISCOVER to idle.</summary>
sealed record BootProgress
{
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset LastActivity { get; init; }
    public required BootMilestone Milestone { get; init; }
    /// <summary>The script that it was given last, and when.</summary>
    public (string Name, DateTimeOffset At)? Script { get; init; }
    /// <summary>Time that this boot's requests spent inside the appliance, summed.</summary>
    public TimeSpan Appliance { get; init; }
    public DateTimeOffset? Finished { get; init; }

    public BootDocument ToDocument() => new()
    {
        Started = Started,
        Stage = Milestone.ToString().ToLowerInvariant(),
        Percent = Milestone switch
        {
            BootMilestone.Discover => 5,
            BootMilestone.Address => 15,
            BootMilestone.Loader => 25,
            BootMilestone.Script => 40,
            BootMilestone.Kernel => 50,
            BootMilestone.Initramfs => 65,
            BootMilestone.Agent => 90,
            BootMilestone.Idle => 100,
        },
        ApplianceMs = Appliance.TotalMilliseconds,
        Finished = Finished,
    };
}

/// <summary>In the order in which a boot passes them.</summary>
enum BootMilestone { Discover, Address, Loader, Script, Kernel, Initramfs, Agent, Idle }
