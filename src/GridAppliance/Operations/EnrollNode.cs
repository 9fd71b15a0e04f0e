using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;

namespace GridAppliance.Operations;

/// <summary>
/// From an agent's first call to idle. It belongs to one boot, by the key of that boot's agent: when the node boots again it gives up, whatever it was doing, and touches nothing
/// that the next enrolment has taken over.
/// </summary>
sealed class EnrollNode(NodeDirectory nodes, ModuleOrders orders, TimeProvider time) : IOperationKind
{
    public const string KindName = "enroll";

    /// <summary>The shipped module that every node installs and takes out again before it is idle: one that cannot is known before somebody orders, and what the first order needs has run once.</summary>
    public const string Trial = "trial";

    /// <summary>A node is idle after that, whatever came of the trial.</summary>
    static readonly TimeSpan TrialLifetime = TimeSpan.FromMinutes(1);

    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    public string Name => KindName;

    /// <param name="node">Whose agent has called.</param>
    /// <param name="trial">The module to try, where its agent knows how.</param>
    public static NewOperation For(Node node, ModuleDocument? trial) => new(KindName,
        JsonSerializer.Serialize(new(AgentSignature.Fingerprint(node.AgentKey.AsSpan()), node.TriesModules && trial is not null ? InstallModule.OrderOf(trial) : null), EnrollNodeJson.Default.EnrollNodeInput))
    {
        NodeId = node.Id, Node = node.Name, Key = $"{KindName}:{node.Id}",
    };

    /// <summary>Whether <paramref name="operation"/> enrols the agent that speaks for the node now.</summary>
    public static bool IsOf(Operation operation, Node node) => InputOf(operation).AgentKey == AgentSignature.Fingerprint(node.AgentKey.AsSpan());

    // Adopting the BMC comes between "locate" and "ready" once there is something to adopt it with.
    public IReadOnlyList<Step> StepsFor(Operation operation) =>
    [
        new("inventory", _ => Task.FromResult(Inventory(operation))),
        new("locate", token => LocateAsync(operation, token)),
        .. InputOf(operation).Trial is { } trial ? (IReadOnlyList<Step>)
        [
            new("order trial", token => orders.PlaceAsync(operation, OrderKinds.TryModule, trial, token, lifetime: TrialLifetime), token => orders.WithdrawAsync(operation, token)),
            new("trial", token => TrialAsync(operation, token)),
        ] : [],
        new("ready", token => ReadyAsync(operation, token)),
    ];

    public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
    {
        if (Find(operation) is not ({ State: NodeState.Enrolling } node, null)) return;
        switch (end)
        {
            case OperationEnd.Failed failed: await nodes.ApplyAsync(node.Id, NodeEvent.Fail, failed.Reason, "appliance", latest => OfThisBoot(operation, latest), cancellationToken); break;
            case OperationEnd.Cancelled cancelled: await nodes.ApplyAsync(node.Id, NodeEvent.Abort, cancelled.Reason, "appliance", latest => OfThisBoot(operation, latest), cancellationToken); break;
            case OperationEnd.Done: break;
        }
    }

    StepOutcome Inventory(Operation operation)
    {
        if (Find(operation) is not ({ } node, null)) return new StepOutcome.Failed(Find(operation).Obstacle!);
        return node.Inventory is { } inventory
            // The agent calls before the drivers of disks are loaded: they are told of when they come, and "0 disks" would be a claim.
            ? new StepOutcome.Done($"found {Count(inventory.Cpus, "CPU")}, {inventory.MemoryMiB} MiB of memory, {(inventory.Disks.Count == 0 ? "" : $"{Count(inventory.Disks.Count, "disk")}, ")}{Count(inventory.Nics.Count, "NIC")}")
            : new StepOutcome.NotYet(TimeSpan.FromSeconds(30), "its agent has not sent an inventory");
    }

    async Task<StepOutcome> LocateAsync(Operation operation, CancellationToken cancellationToken)
    {
        if (Find(operation) is not ({ Inventory: { } inventory } node, null)) return new StepOutcome.Failed(Find(operation).Obstacle ?? "its inventory is gone");
        if (node.LocatedBySwitch) return new StepOutcome.Done($"located on {node.Switch} port {node.SwitchPort}");
        var (name, port) = InventoryMerge.Locate(node.BootMac, inventory);
        // Switches announce themselves every 30 s: whoever has not been heard by now is heard with a later heartbeat, and enrolment does not wait for it.
        if (name is null) return new StepOutcome.Done("no switch has announced itself by LLDP yet");
        await nodes.ChangeAsync(node.Id, latest => (latest.Switch, latest.SwitchPort) == (name, port) ? null : (latest with { Switch = name, SwitchPort = port }, []), cancellationToken);
        return new StepOutcome.Done($"located on {name} port {port ?? "unknown"}");
    }

    /// <summary>A node on which modules do not work is good for other things: it goes on, and says why until its next boot or until one works.</summary>
    async Task<StepOutcome> TrialAsync(Operation operation, CancellationToken cancellationToken)
    {
        var order = await orders.FindAsync(operation);
        if (order is { State: OrderState.Open }) return new StepOutcome.NotYet(LookAgain, order.Delivered ? $"{operation.Node}'s agent tries a module" : $"{operation.Node}'s agent has not come for the order yet");
        if (order is { State: OrderState.Succeeded }) return new StepOutcome.Done(order.Message);
        if (Find(operation) is not ({ } node, null)) return new StepOutcome.Failed(Find(operation).Obstacle!);
        var problem = order is { State: OrderState.Failed } ? $"modules do not work on it: {order.Message}" : $"whether modules work on it is not known: {order?.Message ?? "the order is not there any more"}";
        await nodes.ChangeAsync(node.Id, latest => OfThisBoot(operation, latest) is not { } own || own.ModuleProblem == problem ? null
            : (own with { ModuleProblem = problem }, [NewEvent.About(own, "module.trial-failed", problem, EventSeverity.Warning)]), cancellationToken);
        return new StepOutcome.Done(problem);
    }

    async Task<StepOutcome> ReadyAsync(Operation operation, CancellationToken cancellationToken)
    {
        var (node, obstacle) = Find(operation);
        if (node is { State: NodeState.Enrolling, Disk: { } disk }) return new StepOutcome.Failed(InstallDisk.Left(node, disk, null));
        // Idle already is this very step, before a crash.
        if (node is null || obstacle is not null && !(node.State == NodeState.Idle && IsOf(operation, node))) return new StepOutcome.Failed(obstacle!);
        var now = time.GetUtcNow();
        var message = node.Boot is { Finished: null } boot
            ? $"{node.Name} is idle after {(now - boot.Started).TotalSeconds:0.0} s, the appliance's own share {boot.Appliance.TotalSeconds:0.00} s"
            : $"{node.Name} is idle";
        if (node.State == NodeState.Enrolling)
        {
            var moved = await nodes.ApplyAsync(node.Id, NodeEvent.Ready, message, "appliance",
                latest => OfThisBoot(operation, latest) is { } own ? own with { Problem = InventoryMerge.ProblemOf(nodes.Current, own) } : null, cancellationToken);
            if (moved is null) return new StepOutcome.Failed($"{node.Name} changed in the meantime");
        }
        nodes.Touch(node.Id, latest => latest with { Boot = latest.Boot is { Finished: null } unfinished ? unfinished with { Milestone = BootMilestone.Idle, LastActivity = now, Finished = now } : latest.Boot });
        return new StepOutcome.Done(message);
    }

    /// <summary>The node, and what keeps this operation from going on with it.</summary>
    (Node? Node, string? Obstacle) Find(Operation operation)
    {
        if (operation.NodeId is not { } id || nodes.Current.Find(id) is not { } node) return (null, $"{operation.Node} is gone");
        if (!IsOf(operation, node)) return (node, $"{node.Name} booted again; that boot's own enrolment goes on");
        return node.State == NodeState.Enrolling ? (node, null) : (node, $"{node.Name} is {node.State.ToString().ToLowerInvariant()} now");
    }

    /// <summary>It may boot again in the very moment in which it is moved on: that boot's own enrolment does that.</summary>
    static Node? OfThisBoot(Operation operation, Node latest) => IsOf(operation, latest) ? latest : null;

    static EnrollNodeInput InputOf(Operation operation) => JsonSerializer.Deserialize(operation.Input, EnrollNodeJson.Default.EnrollNodeInput)!;

    static string Count(int number, string thing) => number == 1 ? $"1 {thing}" : $"{number} {thing}s";
}

/// <param name="AgentKey">Fingerprint of the key of the agent that this is about.</param>
/// <param name="Trial">The module that it tries; null where its agent or the catalogue knows of none.</param>
sealed record EnrollNodeInput(string AgentKey, ModuleOrder? Trial = null);

[JsonSerializable(typeof(EnrollNodeInput))]
sealed partial class EnrollNodeJson : JsonSerializerContext;
