using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Resources;

namespace GridAppliance.Agents;

/// <summary>
/// What agents send, made fit to be kept: JSON lets a list be null or hold nulls where the contract has none, and nothing in it bounds a list or a word.
/// A document that lacks what it cannot do without is null here.
/// </summary>
static class AgentInput
{
    const int MostDisks = 1024;
    const int MostNics = 128;
    const int MostNeighbours = 16;
    const int MostModules = 64;
    const int MostChanges = ModuleChangesDocument.MostListed;
    const int MostHoldings = 256;
    const int MostHeard = 8192;
    const int LongestWord = 256;
    const int LongestOutput = 256 << 10;

    public static EnrollRequest? Clean(EnrollRequest? request) =>
        request is { Token: not null, PublicKey: not null, Proof: not null, AgentVersion: not null, Inventory: not null }
            ? request with { AgentVersion = Word(request.AgentVersion)!, Inventory = Clean(request.Inventory), Image = Word(request.Image, 32), BootProblem = Word(request.BootProblem) }
            : null;

    public static HeartbeatRequest? Clean(HeartbeatRequest? heartbeat) => heartbeat is { AgentVersion: not null }
        ? heartbeat with { AgentVersion = Word(heartbeat.AgentVersion)!, Modules = Clean(heartbeat.Modules), Changes = Clean(heartbeat.Changes), Holdings = Clean(heartbeat.Holdings), Inventory = heartbeat.Inventory is { } inventory ? Clean(inventory) : null, Doing = Word(heartbeat.Doing) }
        : null;

    public static OrderResult? Clean(OrderResult? result) => result is null ? null : result with { Message = Word(result.Message, 500), Modules = Clean(result.Modules), Changes = Clean(result.Changes), Bmc = Clean(result.Bmc), Probe = Clean(result.Probe), Output = Word(result.Output, LongestOutput) };

    static ProbeAnswer? Clean(ProbeAnswer? probe) => probe is null ? null : new()
    {
        Nics = [.. Some(probe.Nics, MostNics).Select(nic => Word(nic)!)],
        Heard = [.. Some(probe.Heard, MostHeard).Where(heard => heard is { On: not null, From: not null, Kind: not null }).Select(heard => new ProbeHeard { On = Word(heard.On)!, From = Word(heard.From)!, Kind = Word(heard.Kind)! })],
    };

    static BmcHandover? Clean(BmcHandover? bmc) => bmc is { Address.Length: <= LongestWord, Account.Length: <= LongestWord, Key.Length: <= LongestWord, Box.Length: <= LongestWord } ? bmc : null;

    static InventoryDocument Clean(InventoryDocument inventory) => inventory with
    {
        CpuModel = Word(inventory.CpuModel),
        Vendor = Word(inventory.Vendor),
        Product = Word(inventory.Product),
        Serial = Word(inventory.Serial),
        Uuid = Word(inventory.Uuid),
        Arch = Word(inventory.Arch),
        Firmware = Word(inventory.Firmware),
        Kernel = Word(inventory.Kernel),
        Allocatable = Clean(inventory.Allocatable),
        Bmc = inventory.Bmc is { } bmc ? new() { Kind = Word(bmc.Kind), Address = Word(bmc.Address) } : null,
        Disks = [.. Some(inventory.Disks, MostDisks).Where(disk => disk.Name is not null).Select(disk => disk with
        {
            Name = Word(disk.Name)!, Model = Word(disk.Model), Serial = Word(disk.Serial), Wwn = Word(disk.Wwn), Transport = Word(disk.Transport),
        })],
        Nics = [.. Some(inventory.Nics, MostNics).Where(nic => nic is { Name: not null, Mac: not null }).Select(nic => nic with
        {
            Name = Word(nic.Name)!, Mac = Word(nic.Mac)!, Driver = Word(nic.Driver), PciAddress = Word(nic.PciAddress),
            Neighbours = [.. Some(nic.Neighbours, MostNeighbours).Select(neighbour => neighbour with
            {
                ChassisId = Word(neighbour.ChassisId), PortId = Word(neighbour.PortId), SystemName = Word(neighbour.SystemName), PortDescription = Word(neighbour.PortDescription),
            })],
        })],
    };

    static IReadOnlyList<HoldingReport> Clean(IReadOnlyList<HoldingReport>? holdings) => [.. Some(holdings, MostHoldings).Where(holding => holding.Id is { Length: <= LongestWord })];

    /// <summary>A machine provides no named resources: modules do.</summary>
    static ResourceAmounts? Clean(ResourceAmounts? amounts) => amounts is { Cpus: >= 0, MemoryMiB: >= 0, DiskMiB: >= 0, Accelerators: >= 0 } and { Cpus: < 1 << 16, MemoryMiB: < 1L << 40, DiskMiB: < 1L << 50, Accelerators: < 1 << 16 }
        ? new() { Cpus = amounts.Cpus, MemoryMiB = amounts.MemoryMiB, DiskMiB = amounts.DiskMiB, Accelerators = amounts.Accelerators }
        : null;

    static IReadOnlyList<InstalledModuleDocument> Clean(IReadOnlyList<InstalledModuleDocument>? modules) =>
        [.. Some(modules, MostModules).Where(module => module is { Name: not null, Version: not null, State: not null }).Select(module => new InstalledModuleDocument
        {
            Name = Word(module.Name)!, Version = Word(module.Version)!, State = Word(module.State)!,
        })];

    static IReadOnlyList<ModuleChangesDocument>? Clean(IReadOnlyList<ModuleChangesDocument>? changes) =>
        changes is null ? null : [.. Some(changes, MostModules).Where(module => module is { Module: not null, Version: not null }).Select(module => new ModuleChangesDocument
        {
            Module = Word(module.Module)!, Version = Word(module.Version)!, Owners = [.. Some(module.Owners, MostModules).Select(owner => Word(owner)!)], Omitted = module.Omitted,
            Changes = [.. Some(module.Changes, MostChanges).Where(change => change is { What: not null, Action: not null, Target: not null }).Select(change => change with
            {
                What = Word(change.What)!, Action = Word(change.Action)!, Target = Word(change.Target, 512)!, Digest = Word(change.Digest), Value = Word(change.Value, 512),
            })],
        })];

    static IEnumerable<T> Some<T>(IReadOnlyList<T>? list, int most) where T : class => (list ?? []).Where(one => one is not null).Take(most);

    static string? Word(string? text, int longest = LongestWord) => text is null || text.Length <= longest ? text : text[..longest];
}
