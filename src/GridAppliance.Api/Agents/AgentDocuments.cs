using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Resources;

namespace GridAppliance.Api.Agents;

// The agent's calls on the boot plane, all JSON over HTTP on :8067 under /agent/v1.
//
//   POST enroll      EnrollRequest  → EnrollResponse   (token from the boot script, spent by this call)
//   POST heartbeat   HeartbeatRequest → HeartbeatResponse                     (signed)
//   GET  order?wait=SECONDS  → 200 OrderDocument or 204                       (signed, long poll)
//   POST order/{id}  OrderResult → 204                                        (signed, idempotent)
//   POST boot        → BootTicket (a one-time token for the boot that an order asks for)   (signed)
//   POST secret      SecretRequest → SecretAnswer (what an open order names, sealed)        (signed)
//   GET  module/{sha256} → the package's bytes                                (signed; a key of the catalogue, never a path)
//
// A signed call carries `Grid-Agent: v1 <nodeId> <counter> <base64 signature>`: ECDSA P-256/SHA-256 (IEEE P1363 form) by the agent's own key over the text
// `METHOD\nPATH-AND-QUERY\nNODEID\nCOUNTER\nhex SHA-256 of the body\n`. The counter only grows; the appliance refuses one that it has seen. No clock is involved.
// What the appliance orders is signed the other way round: OrderEnvelope.Signature is by the appliance's key, whose fingerprint stood on the kernel command line, and
// OrderEnvelope.Freshness binds the answer to the counter of the very call that it answers: an order that was recorded once is worth nothing later.

/// <summary>The agent's first call. Spends the one-time token and names the key that speaks for this node from now on.</summary>
public sealed record EnrollRequest
{
    /// <summary>From <c>grid.token=</c> on the kernel command line.</summary>
    public required string Token { get; init; }
    /// <summary>SubjectPublicKeyInfo, DER, base64; ECDSA P-256.</summary>
    public required string PublicKey { get; init; }
    /// <summary>By that key over the UTF-8 text <c>enroll\nTOKEN\n</c>: proof of possession; base64.</summary>
    public required string Proof { get; init; }
    public required string AgentVersion { get; init; }
    public required InventoryDocument Inventory { get; init; }
    /// <summary>What runs: tiny, debian; null on a machine with an operating system of its own.</summary>
    public string? Image { get; init; }
    /// <summary>Why this is the tiny image, where the boot was to lead to another.</summary>
    public string? BootProblem { get; init; }
    /// <summary>It knows the order to try a module before the node is idle.</summary>
    public bool TriesModules { get; init; }
}

public sealed record EnrollResponse
{
    public required string NodeId { get; init; }
    public required string Node { get; init; }
    /// <summary>The appliance's public key (SubjectPublicKeyInfo, DER, base64); its SHA-256 must equal <c>grid.key=</c> of the command line.</summary>
    public required string ApplianceKey { get; init; }
    public required int HeartbeatSeconds { get; init; }
}

public sealed record HeartbeatRequest
{
    public required string AgentVersion { get; init; }
    public double UptimeSeconds { get; init; }
    public IReadOnlyList<InstalledModuleDocument> Modules { get; init; } = [];
    /// <summary>What each module on the node has changed; only when that is news.</summary>
    public IReadOnlyList<ModuleChangesDocument>? Changes { get; init; }
    public IReadOnlyList<HoldingReport> Holdings { get; init; } = [];
    /// <summary>Of the <see cref="RelationOrder"/> that is in force; 0 before one came.</summary>
    public long RelationVersion { get; init; }
    /// <summary>Only when it changed since the last heartbeat that was answered.</summary>
    public InventoryDocument? Inventory { get; init; }
    /// <summary>How far a long order is, in a few words; null when there is none.</summary>
    public string? Doing { get; init; }
}

public sealed record HeartbeatResponse { public required int HeartbeatSeconds { get; init; } public bool OrderWaiting { get; init; } }

/// <summary>An order as it travels: the exact bytes that were signed, and the signature.</summary>
public sealed record OrderEnvelope
{
    /// <summary>UTF-8 JSON of an <see cref="OrderDocument"/>, base64.</summary>
    public required string Order { get; init; }
    /// <summary>By the appliance's key over those bytes; ECDSA P-256/SHA-256, P1363, base64.</summary>
    public required string Signature { get; init; }
    /// <summary>By the same key over <see cref="AgentSignature.FreshText"/>: this order answers that call, and no other.</summary>
    public string? Freshness { get; init; }
}

/// <summary>One thing for the agent to do. Delivered at least once: the agent keeps results by id and answers a repeated order with the result it already has.</summary>
public sealed record OrderDocument
{
    public required string Id { get; init; }
    /// <summary>The node it is for; an agent refuses an order for another.</summary>
    public required string NodeId { get; init; }
    /// <summary>module.install, module.remove, inventory, reboot, bmc.adopt, resources.hold, resources.free, relation, agent.update, fabric.probe, image.boot, module.run, disk.look, disk.install, disk.wipe.</summary>
    public required string Kind { get; init; }
    public ModuleOrder? Module { get; init; }
    public BmcOrder? Bmc { get; init; }
    public ProbeOrder? Probe { get; init; }
    /// <summary>With resources.hold and resources.free.</summary>
    public HoldingOrder? Holding { get; init; }
    /// <summary>With relation.</summary>
    public RelationOrder? Relation { get; init; }
    /// <summary>With image.boot.</summary>
    public BootOrder? Boot { get; init; }
    /// <summary>With module.run.</summary>
    public RunOrder? Run { get; init; }
    /// <summary>With disk.look, disk.install and disk.wipe.</summary>
    public DiskOrder? Disk { get; init; }
}

/// <summary>Boot this kernel now, without going through the firmware. The words that are the boot's own (the appliance's address and key, the NIC, a fresh token) the agent adds itself.</summary>
public sealed record BootOrder
{
    /// <summary>For people: tiny, debian.</summary>
    public required string Image { get; init; }
    public required BootOrderFile Kernel { get; init; }
    public required BootOrderFile Initramfs { get; init; }
    /// <summary>The kernel's command line but for those words.</summary>
    public required string Arguments { get; init; }
}

/// <summary>A file of the boot plane.</summary>
public sealed record BootOrderFile
{
    public required string Key { get; init; }
    /// <summary>SHA-256, lower-case hex.</summary>
    public required string Digest { get; init; }
    public required long SizeBytes { get; init; }
}

/// <summary>What is to be looked at, written to, or wiped. A disk is the one with this serial number and size; its name is for people, and for disks without a number.</summary>
public sealed record DiskOrder
{
    /// <summary>Identity of the installation, and of the disk's partition table and root file system: a UUID.</summary>
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string? Serial { get; init; }
    public string? Wwn { get; init; }
    public required long SizeBytes { get; init; }
    /// <summary>With disk.look: data that is there may be written over.</summary>
    public bool Overwrite { get; init; }
    /// <summary>With disk.wipe: every octet, and not the ends of disk and partitions alone.</summary>
    public bool Full { get; init; }
    /// <summary>With disk.install, as all that follows: the root image.</summary>
    public DiskImageFile? Image { get; init; }
    public BootOrderFile? Kernel { get; init; }
    public BootOrderFile? Initramfs { get; init; }
    /// <summary>The kernel's command line but for where its root is.</summary>
    public string? Arguments { get; init; }
    /// <summary>Path on the boot plane below which cloud-init finds what it is told of this node.</summary>
    public string? Cloud { get; init; }
}

/// <summary>A root image, served by its digest.</summary>
public sealed record DiskImageFile
{
    /// <summary>SHA-256, lower-case hex.</summary>
    public required string Digest { get; init; }
    public required long SizeBytes { get; init; }
}

/// <summary>A token for one boot, as a boot script has one.</summary>
public sealed record BootTicket { public required string Token { get; init; } }

/// <summary>Put files into an installed module's view and run a program of its package there.</summary>
public sealed record RunOrder
{
    public required string Module { get; init; }
    /// <summary>A file of the package, and its arguments; no shell reads them.</summary>
    public required IReadOnlyList<string> Command { get; init; }
    /// <summary>Name (one plain word) to content; they lie in the package's folder <c>config</c>.</summary>
    public IReadOnlyDictionary<string, string>? Files { get; init; }
    /// <summary>Secrets that lie there too: fetched by name, sealed.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];
    public int Seconds { get; init; } = 30;
}

/// <summary>Asks for a secret that an open order of this node names.</summary>
public sealed record SecretRequest
{
    public required string OrderId { get; init; }
    public required string Name { get; init; }
    /// <summary>SubjectPublicKeyInfo (DER, base64; ECDH P-256) of a key made for this question: see <see cref="SealedHandover"/>. The call's signature says whose it is.</summary>
    public required string SealTo { get; init; }
}

public sealed record SecretAnswer
{
    /// <summary>SubjectPublicKeyInfo (DER, base64) of a key made for this answer.</summary>
    public required string Key { get; init; }
    public required string Box { get; init; }
}

/// <summary>Send probe frames from every NIC and say whose were heard: whether groups of nodes are apart.</summary>
public sealed record ProbeOrder
{
    /// <summary>A number that no other round has; hex.</summary>
    public required string Round { get; init; }
    public required int Seconds { get; init; }
    /// <summary>MAC addresses to send to directly.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];
    /// <summary>VLANs to try to get into with tags of its own making.</summary>
    public IReadOnlyList<int> Vlans { get; init; } = [];
}

/// <summary>What a node did in a round of probes.</summary>
public sealed record ProbeAnswer
{
    /// <summary>MAC addresses of the NICs that it sent from and listened on.</summary>
    public required IReadOnlyList<string> Nics { get; init; }
    public required IReadOnlyList<ProbeHeard> Heard { get; init; }
}

public sealed record ProbeHeard
{
    /// <summary>The NIC that heard it.</summary>
    public required string On { get; init; }
    public required string From { get; init; }
    /// <summary>As <see cref="Protocols.Probes.ProbeKind"/> has it.</summary>
    public required string Kind { get; init; }
}

/// <summary>
/// Bring this holding about, or end it. Says how it is to be, not what is to change: the same order twice is the order once. An id that has ended does not come back.
/// </summary>
public sealed record HoldingOrder
{
    public required string Id { get; init; }
    public required string Owner { get; init; }
    public required ResourceAmounts Amounts { get; init; }
    /// <summary>How many units there are of each named resource that it takes from; the node itself cannot know.</summary>
    public IReadOnlyDictionary<string, int> Of { get; init; } = new Dictionary<string, int>();
    /// <summary>With limits in force, or only kept free.</summary>
    public bool Allocated { get; init; }
    /// <summary>From the moment it is carried out, on the agent's own clock that never jumps: past it the agent ends the holding by itself.</summary>
    public long Seconds { get; init; }
    /// <summary>Modules whose programs run inside its limits.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
}

/// <summary>Who is the master of this node's manager, and of whom it is the master. The whole relation each time, never a part.</summary>
public sealed record RelationOrder
{
    /// <summary>Grows with each change; an older one changes nothing.</summary>
    public required long Version { get; init; }
    public ManagerDocument? Master { get; init; }
    public IReadOnlyList<ManagerDocument> Workers { get; init; } = [];
}

/// <summary>One node's manager, as others are told of it.</summary>
public sealed record ManagerDocument
{
    public required string NodeId { get; init; }
    public required string Node { get; init; }
    public string? Address { get; init; }
}

/// <summary>A holding as the agent has it.</summary>
public sealed record HoldingReport
{
    public required string Id { get; init; }
    public bool Allocated { get; init; }
    public HoldingUsage? Usage { get; init; }
}

/// <summary>Make the appliance an account of its own on the machine's BMC.</summary>
public sealed record BmcOrder
{
    /// <summary>Its name; ASCII letters and digits, up to sixteen.</summary>
    public required string Account { get; init; }
    /// <summary>SubjectPublicKeyInfo (DER, base64; ECDH P-256) of a key made for this order: the password is sealed to it, see <see cref="SealedHandover"/>.</summary>
    public required string SealTo { get; init; }
}

/// <summary>An account that an agent has made on its BMC.</summary>
public sealed record BmcHandover
{
    /// <summary>The BMC's own, IPv4.</summary>
    public required string Address { get; init; }
    public required string Account { get; init; }
    /// <summary>SubjectPublicKeyInfo (DER, base64) of a key made for this answer.</summary>
    public required string Key { get; init; }
    /// <summary>The password, sealed; base64.</summary>
    public required string Box { get; init; }
}

public sealed record ModuleOrder
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>SHA-256 of the package, lower-case hex: fetched from <c>/agent/v1/module/{digest}</c> and checked before it is read.</summary>
    public required string Digest { get; init; }
    public required long SizeBytes { get; init; }
    /// <summary>For whom; one installation may have several owners and goes when the last leaves. Null: <see cref="Operator"/>.</summary>
    public string? Owner { get; init; }
    /// <summary>Whether another version that is there is a reason to refuse. Else it is upgraded.</summary>
    public bool RefuseUpgrade { get; init; }
    /// <summary>Values in place of the manifest's defaults.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }
    /// <summary>What the module sees as its root in place of the node's own; for machines that have a system of their own.</summary>
    public ModuleRootOrder? Root { get; init; }

    /// <summary>The owner of what people order.</summary>
    public const string Operator = "operator";

    /// <summary>The owner that stands for all who hold resources of the node and named the module.</summary>
    public const string Holdings = "resources";

    /// <summary>The owner of a module that is only tried. What nobody else owns goes when the agent starts again.</summary>
    public const string Trial = "trial";
}

/// <summary>A root image (squashfs) of the boot plane, fetched from <c>/boot/image/{digest}</c> and checked before it is mounted.</summary>
public sealed record ModuleRootOrder
{
    /// <summary>SHA-256, lower-case hex.</summary>
    public required string Digest { get; init; }
    public required long SizeBytes { get; init; }
    /// <summary>What the machine is called there.</summary>
    public required string HostName { get; init; }
}

public sealed record OrderResult
{
    public required bool Succeeded { get; init; }
    public string? Message { get; init; }
    /// <summary>With bmc.adopt.</summary>
    public BmcHandover? Bmc { get; init; }
    /// <summary>With fabric.probe.</summary>
    public ProbeAnswer? Probe { get; init; }
    /// <summary>With module.run: what the program wrote, bounded.</summary>
    public string? Output { get; init; }
    public IReadOnlyList<InstalledModuleDocument> Modules { get; init; } = [];
    /// <summary>After a module order: what each module on the node has changed.</summary>
    public IReadOnlyList<ModuleChangesDocument>? Changes { get; init; }
}
