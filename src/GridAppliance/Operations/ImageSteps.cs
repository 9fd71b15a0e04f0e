using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Boot.Files;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// A node from one image into another: what it is to boot is written down, its agent boots that at once, by kexec; where that cannot be, it restarts, and the firmware comes by the same image.
/// An agent that is in the image enrols anew, which is what the last step waits for.
/// </summary>
sealed class ImageSteps(NodeDirectory nodes, AgentOrders orders, AgentSessions sessions, BootCatalogState catalog, TimeProvider time)
{
    /// <summary>An agent fetches some twenty megabytes and loads them: more is no kexec that works.</summary>
    static readonly TimeSpan KexecLimit = TimeSpan.FromMinutes(2);
    /// <summary>Firmware of large machines takes minutes.</summary>
    static readonly TimeSpan ArriveLimit = TimeSpan.FromMinutes(15);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>The step that writes down what the node is to boot.</summary>
    public const string Wish = "image wish";

    /// <summary>Why this node cannot go into an image, or null.</summary>
    public string? Refusal(Node node, string image) =>
        InstallModule.NoAgent(node) ?? (node.Image is null ? $"{node.Name} has an operating system of its own"
        : node.Disk is { } disk ? $"{node.Name} has a system on its disk {disk.Name}: `gridctl node release {node.Name}` ends that"
        : image is not (RootImage.Tiny or RootImage.Debian) ? $"there is no image '{image}': {RootImage.Tiny} or {RootImage.Debian}"
        : catalog.Current is null || image == RootImage.Debian && catalog.Current.Root is null ? $"there is no {image} image beside the boot files: make image-debian"
        : null);

    /// <summary>Why this node cannot have an image's root as its modules', staying in its own system, or null.</summary>
    public string? RootRefusal(Node node, string image) =>
        InstallModule.NoAgent(node) ?? (image == RootImage.Debian && catalog.Current?.Root is null ? $"there is no {image} image beside the boot files: make image-debian" : null);

    /// <summary>The Debian image as the root of a module on a node that stays in its own system; null where there is none.</summary>
    public ModuleRootOrder? RootFor(string node) => catalog.Current?.Root is { } root ? new() { Digest = root.Digest, SizeBytes = root.Size, HostName = node } : null;

    /// <param name="operation">Whose steps.</param>
    /// <param name="image">tiny or debian.</param>
    /// <param name="before">What the node was to boot until now, for the way back.</param>
    public IEnumerable<Step> For(Operation operation, string image, string? before) =>
    [
        new(Wish, token => WishAsync(operation, image == RootImage.Tiny ? null : image, token), token => WishAsync(operation, before, token)),
        new("image kexec", token => KexecAsync(operation, image, token), token => WithdrawAsync(operation, token)),
        new("image firmware", token => FirmwareAsync(operation, image, token)),
        new("image arrive", _ => Task.FromResult(Arrive(operation, image))),
    ];

    async Task<StepOutcome> WishAsync(Operation operation, string? wish, CancellationToken cancellationToken)
    {
        var node = await nodes.ChangeAsync(NodeOf(operation), latest => latest.ImageWish == wish ? null : (latest with { ImageWish = wish }, []), cancellationToken);
        return node is null ? new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance") : new StepOutcome.Done($"{node.Name} boots the {wish ?? RootImage.Tiny} image from now on");
    }

    async Task<StepOutcome> KexecAsync(Operation operation, string image, CancellationToken cancellationToken)
    {
        if (nodes.Current.Find(NodeOf(operation)) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        if (await orders.FindAsync(KexecOf(operation)) is not { } order)
        {
            if (node.Image == image) return new StepOutcome.Done($"{node.Name} runs the {image} image already");
            if (catalog.Current is not { } files || image == RootImage.Debian && files.Root is null) return new StepOutcome.Failed($"there is no {image} image beside the boot files any more");
            order = await orders.PlaceAsync(new()
            {
                Id = KexecOf(operation), NodeId = node.Id, Node = node.Name, OperationId = operation.Id, Expires = time.GetUtcNow() + KexecLimit,
                Document = new() { Id = KexecOf(operation), NodeId = node.Id.ToString(), Kind = OrderKinds.BootImage, Boot = OrderFor(files, image, node) },
            }, cancellationToken);
        }
        return order.State switch
        {
            OrderState.Open => new StepOutcome.NotYet(LookAgain, order.Delivered ? $"{operation.Node}'s agent loads the kernel" : $"{operation.Node}'s agent has not come for the order yet"),
            OrderState.Succeeded => new StepOutcome.Done(order.Message),
            // No reason to give up: the firmware leads to the same image.
            OrderState.Failed or OrderState.Lost or OrderState.Withdrawn => new StepOutcome.Done($"not by kexec: {order.Message}"),
        };
    }

    /// <summary>An agent that has the order goes through with it; the wish, which is taken back next, says what comes after that.</summary>
    async Task<StepOutcome> WithdrawAsync(Operation operation, CancellationToken cancellationToken) => (await orders.WithdrawAsync(KexecOf(operation), cancellationToken))?.State == OrderState.Open
        ? new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent is at it") : new StepOutcome.Done();

    public static BootOrder OrderFor(BootCatalog files, string image, Node node) => new()
    {
        Image = image, Kernel = FileOf(files.Kernel), Initramfs = FileOf(files.Initramfs),
        Arguments = (image == RootImage.Debian ? files.CommandLine.ForRoot(files.Root!, node.Name) : files.CommandLine).ToString(),
    };

    public static BootOrderFile FileOf(BootFile file) => new() { Key = file.Key, Digest = file.Digest, SizeBytes = file.Content.Length };

    /// <summary>Where kexec did not work: an ordinary restart. The boot script then brings the same image.</summary>
    async Task<StepOutcome> FirmwareAsync(Operation operation, string image, CancellationToken cancellationToken)
    {
        if (await orders.FindAsync(KexecOf(operation)) is not { } kexec || kexec.State == OrderState.Succeeded) return new StepOutcome.Done("not needed");
        if (IsThere(operation, image)) return new StepOutcome.Done("not needed: it is there");
        var id = RestartOf(operation);
        var order = await orders.FindAsync(id) ?? await orders.PlaceAsync(new()
        {
            Id = id, NodeId = NodeOf(operation), Node = operation.Node!, OperationId = operation.Id, Expires = time.GetUtcNow() + KexecLimit,
            Document = new() { Id = id, NodeId = NodeOf(operation).ToString(), Kind = OrderKinds.Reboot },
        }, cancellationToken);
        return order.State switch
        {
            OrderState.Open => new StepOutcome.NotYet(LookAgain, $"{operation.Node}'s agent has not come for the order to restart"),
            OrderState.Succeeded => new StepOutcome.Done($"{operation.Node} restarts through its firmware"),
            OrderState.Failed or OrderState.Lost or OrderState.Withdrawn => new StepOutcome.Failed($"{operation.Node} could neither kexec ({kexec.Message}) nor restart ({order.Message}); its next boot over the network brings the {image} image"),
        };
    }

    StepOutcome Arrive(Operation operation, string image)
    {
        if (nodes.Current.Find(NodeOf(operation)) is not { } node) return new StepOutcome.Failed($"{operation.Node} is gone: it was removed from the appliance");
        if (IsThere(operation, image)) return new StepOutcome.Done($"{node.Name} runs the {image} image");
        if (sessions.EnrolledWith(node.Id) >= operation.Started && node.Problem is { } problem) return new StepOutcome.Failed($"{node.Name} came back in the {node.Image} image: {problem}");
        return time.GetUtcNow() - operation.Started > ArriveLimit
            ? new StepOutcome.Failed($"{node.Name} did not come back in the {image} image within {ArriveLimit.TotalMinutes:0} minutes")
            : new StepOutcome.NotYet(LookAgain, $"{node.Name} boots the {image} image");
    }

    /// <summary>It runs the image, in a boot that this operation brought about where it brought one about.</summary>
    bool IsThere(Operation operation, string image) => nodes.Current.Find(NodeOf(operation)) is { } node && node.Image == image
        && (sessions.EnrolledWith(node.Id) >= operation.Started || orders.FindAsync(KexecOf(operation)) is { IsCompletedSuccessfully: true, Result: null });

    /// <summary>The node's agent has let go of it for this operation: nothing is heard of it from then on until it is up again.</summary>
    public async Task<bool> IsUnderwayAsync(Operation operation) =>
        await orders.FindAsync(KexecOf(operation)) is { State: OrderState.Succeeded } || await orders.FindAsync(RestartOf(operation)) is { State: OrderState.Succeeded };

    static Guid NodeOf(Operation operation) => operation.NodeId ?? throw new InvalidOperationException("an image is a node's");

    static string KexecOf(Operation operation) => $"{operation.Id:N}-kexec";

    static string RestartOf(Operation operation) => $"{operation.Id:N}-restart";
}
