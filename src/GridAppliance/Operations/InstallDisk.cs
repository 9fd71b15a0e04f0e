using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Disks;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// A system onto a disk of an idle node, which is active from then on. What is going to be written is on record before the first octet is, so that whatever happens next, a release knows what to wipe.
/// Taken back, the disk is wiped (quick, read back) before the record goes.
/// </summary>
sealed class InstallDisk(NodeDirectory nodes, ImageSteps images, DiskOrders orders, BootCatalogState catalog, TimeProvider time) : IOperationKind
{
    public const string KindName = "node-install";

    const string Write = "write", Wipe = "write-undo", Back = "back", Boot = "boot";

    /// <summary>Firmware of large machines takes minutes, and a first boot has much to do.</summary>
    static readonly TimeSpan ArriveLimit = TimeSpan.FromMinutes(20);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public string Name => KindName;

    /// <param name="node">Which.</param>
    /// <param name="disk">What is going to be written; none of it is yet.</param>
    /// <param name="overwrite">Data of others may be lost.</param>
    /// <param name="actor">Who.</param>
    public static NewOperation For(Node node, WrittenDisk disk, bool overwrite, string actor) => new(KindName, JsonSerializer.Serialize(new(disk, overwrite, node.ImageWish), InstallDiskJson.Default.InstallDiskInput))
    {
        NodeId = node.Id, Node = node.Name, Subject = disk.Name, Key = $"{KindName}:{node.Id}", StartedBy = actor,
    };

    /// <summary>Why nothing can be written to this node, or null.</summary>
    public string? Refusal(Node node) =>
        node.Disk is { } written ? $"{node.Name} has a system on {written.Name} already: `gridctl node release {node.Name}` wipes it"
        : node.State != NodeState.Idle ? $"{node.Name} is {node.State.ToString().ToLowerInvariant()}: only an idle node can be installed"
        : catalog.Current?.Root?.ForDisks is null ? $"there is no {RootImage.Debian} image for disks beside the boot files: make image-debian"
        : images.Refusal(node, RootImage.Debian);

    public IReadOnlyList<Step> StepsFor(Operation operation)
    {
        var input = JsonSerializer.Deserialize(operation.Input, InstallDiskJson.Default.InstallDiskInput)!;
        return
        [
            new("assign", token => AssignAsync(operation, input, token), token => UnassignAsync(operation, token)),
            .. images.For(operation, RootImage.Tiny, input.Before),
            new("look", token => orders.RunAsync(operation, "look", OrderKinds.LookAtDisk, order => order with { Disk = input.Disk.ToOrder() with { Overwrite = input.Overwrite } }, token),
                token => WithdrawAsync(operation, "look", token)),
            new("record", token => RecordAsync(operation, input.Disk, token), token => ForgetAsync(operation, token)),
            // Apart from its end: a step that fails is not taken back itself, and a disk that was half written must be.
            new("write", async token => await WriteAsync(operation, input.Disk, token) is StepOutcome.Failed { Reason: var reason } && IsUntouched(await orders.FindAsync(operation, Write)) ? new StepOutcome.Failed(reason) : new StepOutcome.Done($"ordered {operation.Node}'s agent"),
                token => WipeAsync(operation, input.Disk, token)),
            new("written", token => WriteAsync(operation, input.Disk, token)),
            new("disk wish", token => WishAsync(operation, RootImage.Disk, token), token => WishAsync(operation, null, token)),
            new("restart", token => orders.RunAsync(operation, Boot, OrderKinds.Reboot, order => order, token), token => WithdrawAsync(operation, Boot, token)),
            new("arrive", _ => ArriveAsync(operation)),
            new("activate", token => ActivateAsync(operation, input.Disk, token)),
        ];
    }

    /// <summary>A node whose disk could not be wiped on the way back is not idle, and says what there is to do.</summary>
    public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
    {
        if (end is OperationEnd.Done || Find(operation) is not { Disk: { } disk, State: NodeState.Assigning } node) return;
        await nodes.ApplyAsync(node.Id, NodeEvent.Fail, Left(node, disk, end.ReasonOrNull), "appliance", null, cancellationToken);
    }

    /// <summary>What is wrong with a node that has something on its disk and nobody who needs it.</summary>
    public static string Left(Node node, WrittenDisk disk, string? reason) =>
        $"what was written to its disk {disk.Name} is not wiped{(reason is null ? "" : $" ({reason})")}; `gridctl node release {node.Name}` does that";

    async Task<StepOutcome> AssignAsync(Operation operation, InstallDiskInput input, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { } node) return Gone(operation);
        if (node.State is NodeState.Assigning) return new StepOutcome.Done();
        return await nodes.ApplyAsync(node.Id, NodeEvent.Assign, $"{node.Name} is given a system on its disk {input.Disk.Name}", operation.StartedBy, null, cancellationToken) is null
            ? new StepOutcome.Failed($"{node.Name} is {node.State.ToString().ToLowerInvariant()}: only an idle node can be installed") : new StepOutcome.Done();
    }

    async Task<StepOutcome> UnassignAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { State: NodeState.Assigning or NodeState.Active or NodeState.Releasing } node) return new StepOutcome.Done();
        if (node.Disk is { } disk) return new StepOutcome.Failed(Left(node, disk, null));
        if (node.State != NodeState.Releasing) await nodes.ApplyAsync(node.Id, node.State == NodeState.Active ? NodeEvent.Release : NodeEvent.Abort, $"{node.Name} goes back to the idle nodes", "appliance", null, cancellationToken);
        await nodes.ApplyAsync(node.Id, NodeEvent.Released, $"{node.Name} is idle", "appliance", null, cancellationToken);
        return new StepOutcome.Done();
    }

    async Task<StepOutcome> RecordAsync(Operation operation, WrittenDisk disk, CancellationToken cancellationToken) =>
        await nodes.ChangeAsync(operation.NodeId!.Value, node => node.Disk is not null ? null
            : (node with { Disk = disk }, [NewEvent.About(node, "disk.recorded", $"{disk.Image} is going to be written to its disk {disk.Name}{(disk.Serial is null ? "" : $" (serial {disk.Serial})")}")]), cancellationToken) is not { } after ? Gone(operation)
        : after.Disk!.Id == disk.Id ? new StepOutcome.Done() : new StepOutcome.Failed($"{after.Name} has a system on {after.Disk.Name} already");

    /// <summary>Only what is known to be wiped, or was never begun, is forgotten.</summary>
    async Task<StepOutcome> ForgetAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (Find(operation) is not { Disk: { } disk } node) return new StepOutcome.Done();
        if (!IsUntouched(await orders.FindAsync(operation, Write)) && await orders.FindAsync(operation, Wipe) is not { State: OrderState.Succeeded }) return new StepOutcome.Failed(Left(node, disk, null));
        await nodes.ChangeAsync(node.Id, latest => latest.Disk is null ? null : (latest with { Disk = null }, [NewEvent.About(latest, "disk.forgotten", $"nothing of the installation is left on its disk {disk.Name}")]), cancellationToken);
        return new StepOutcome.Done();
    }

    Task<StepOutcome> WriteAsync(Operation operation, WrittenDisk disk, CancellationToken cancellationToken)
    {
        if (Find(operation) is null) return Task.FromResult<StepOutcome>(Gone(operation));
        if (catalog.Current is not { Root.ForDisks: { } root } files || root.Digest != disk.Digest) return Task.FromResult<StepOutcome>(new StepOutcome.Failed($"the {disk.Image} image that was asked for is not beside the boot files any more"));
        return orders.RunAsync(operation, Write, OrderKinds.InstallDisk, order => order with
        {
            Disk = disk.ToOrder() with
            {
                Image = new() { Digest = root.Digest, SizeBytes = root.Size },
                Kernel = ImageSteps.FileOf(files.Kernel),
                Initramfs = ImageSteps.FileOf(files.Initramfs),
                Arguments = files.CommandLine.ToString(),
                Cloud = CloudSeed.PathOf(disk),
            },
        }, cancellationToken);
    }

    /// <summary>From the tiny image, to which one that runs from its disk goes back first.</summary>
    async Task<StepOutcome> WipeAsync(Operation operation, WrittenDisk disk, CancellationToken cancellationToken)
    {
        var written = await orders.WithdrawAsync(operation, Write, cancellationToken);
        if (IsUntouched(written)) return new StepOutcome.Done();
        if (written is { State: OrderState.Open }) return new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent is at it");
        if (Find(operation) is not { } node) return Gone(operation);
        if (node.Image == RootImage.Disk)
        {
            if (catalog.Current is not { } files) return new StepOutcome.Failed("there are no boot files any more");
            if (await orders.RunAsync(operation, Back, OrderKinds.BootImage, order => order with { Boot = ImageSteps.OrderFor(files, RootImage.Tiny, node) }, cancellationToken) is var back and not StepOutcome.Done) return back;
            return new StepOutcome.NotYet(LookAgain, $"{node.Name} boots the tiny image");
        }
        return await orders.RunAsync(operation, Wipe, OrderKinds.WipeDisk, order => order with { Disk = disk.ToOrder() }, cancellationToken);
    }

    /// <summary>No agent has seen the order to write.</summary>
    static bool IsUntouched(AgentOrder? order) => order is null or { State: OrderState.Withdrawn } or { State: OrderState.Lost, Delivered: false };

    async Task<StepOutcome> WishAsync(Operation operation, string? wish, CancellationToken cancellationToken) =>
        await nodes.ChangeAsync(operation.NodeId!.Value, latest => latest.ImageWish == wish ? null : (latest with { ImageWish = wish }, []), cancellationToken) is null
            ? Gone(operation) : new StepOutcome.Done(wish is null ? null : $"{operation.Node} boots from its disk from now on");

    async Task<StepOutcome> WithdrawAsync(Operation operation, string part, CancellationToken cancellationToken) => (await orders.WithdrawAsync(operation, part, cancellationToken))?.State == OrderState.Open
        ? new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent is at it") : new StepOutcome.Done();

    /// <summary>One that is silent may be at its first start; one that goes on calling from where it was has not started from the disk, and is given as long as the order to restart was good for.</summary>
    async Task<StepOutcome> ArriveAsync(Operation operation)
    {
        if (Find(operation) is not { } node) return Gone(operation);
        if (node.Image == RootImage.Disk) return new StepOutcome.Done($"{node.Name} runs from its disk");
        var now = time.GetUtcNow();
        if (now - (node.AgentLastSeen ?? operation.Started) > ArriveLimit) return new StepOutcome.Failed($"{node.Name} did not come back from its disk: look at its console, and whether its firmware boots that disk first");
        return await orders.FindAsync(operation, Boot) is { } restart && now > restart.Expires
            ? new StepOutcome.Failed($"{node.Name} was told to restart and still calls from the {node.Image} image: look at its console, and whether its firmware boots its disk {node.Disk?.Name} at all")
            : new StepOutcome.NotYet(LookAgain, $"{node.Name} boots from its disk");
    }

    async Task<StepOutcome> ActivateAsync(Operation operation, WrittenDisk disk, CancellationToken cancellationToken)
    {
        await nodes.ApplyAsync(operation.NodeId!.Value, NodeEvent.Assigned, $"{operation.Node} runs {disk.Image} from its disk {disk.Name}", "appliance", null, cancellationToken);
        return new StepOutcome.Done($"{operation.Node} is active");
    }

    Node? Find(Operation operation) => nodes.Current.Find(operation.NodeId ?? default);

    static StepOutcome.Failed Gone(Operation operation) => new($"{operation.Node} is gone: it was removed from the appliance");
}

/// <param name="Disk">What is going to be written.</param>
/// <param name="Overwrite">Data of others may be lost.</param>
/// <param name="Before">What the node was to boot.</param>
sealed record InstallDiskInput(WrittenDisk Disk, bool Overwrite, string? Before);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(MacConverter), typeof(Ipv4Converter), typeof(Ipv4NetworkConverter)])]
[JsonSerializable(typeof(InstallDiskInput))]
sealed partial class InstallDiskJson : JsonSerializerContext;
