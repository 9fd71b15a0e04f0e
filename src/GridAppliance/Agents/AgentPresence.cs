using System.Collections.Immutable;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agents;

/// <summary>What heartbeats and results change about a node. The ordinary heartbeat, which says that nothing changed, touches memory only.</summary>
sealed class AgentPresence(NodeDirectory nodes, TimeProvider time)
{
    /// <summary>Word for word what <see cref="AgentWatch"/> sets, so that it is known again and cleared, also after a restart.</summary>
    public const string Silent = "its agent is silent: three heartbeats have not come";

    /// <param name="node">Whose agent speaks.</param>
    /// <param name="heartbeat">What it says.</param>
    /// <param name="from">The address that it called from, where that is one of its network's: one with a system of its own need not have it from DHCP.</param>
    /// <param name="tryMakeLastWord">Tried when it is this one's turn. A heartbeat that left before an order's result and comes after it knows less of the modules, which it does not change then; the agent's next tells all again.</param>
    /// <param name="cancellationToken">The agent hangs up.</param>
    public async Task HeardAsync(Node node, HeartbeatRequest heartbeat, Ipv4Address? from, Func<bool> tryMakeLastWord, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        nodes.Touch(node.Id, latest => latest with { AgentLastSeen = now, Doing = heartbeat.Doing, Ip = from ?? latest.Ip });
        if (node.AgentVersion != heartbeat.AgentVersion || node.Problem == Silent || heartbeat.Inventory is not null || !Same(node.Modules, heartbeat.Modules))
            await nodes.ChangeAsync(node.Id, latest => After(nodes.Current, latest, heartbeat.AgentVersion, tryMakeLastWord() ? heartbeat.Modules : latest.Modules, heartbeat.Inventory), cancellationToken);
        else _ = tryMakeLastWord();
    }

    /// <summary>The modules that a node has, as its agent says after an order.</summary>
    public async Task HasModulesAsync(Node node, IReadOnlyList<InstalledModuleDocument> modules, Func<bool> tryMakeLastWord, CancellationToken cancellationToken)
    {
        if (!Same(node.Modules, modules)) await nodes.ChangeAsync(node.Id, latest => tryMakeLastWord() ? After(nodes.Current, latest, latest.AgentVersion, modules, null) : null, cancellationToken);
        else _ = tryMakeLastWord();
    }

    /// <summary>The node after what its agent said, with the events that tell of it; null when it said nothing new. Pure.</summary>
    static (Node, IReadOnlyList<NewEvent>)? After(NodeSnapshot snapshot, Node node, string? version, IReadOnlyList<InstalledModuleDocument> modules, InventoryDocument? inventory)
    {
        var events = new List<NewEvent>();
        var next = node with { AgentVersion = version };
        if (node.Problem == Silent)
        {
            next = next with { Problem = InventoryMerge.ProblemOf(snapshot, next) };
            events.Add(NewEvent.About(node, "agent.returned", "its agent is back"));
        }
        if (!Same(node.Modules, modules))
        {
            next = next with { Modules = [.. modules] };
            events.AddRange(Tell(node, next.Modules));
            // One that works says more than one that was tried once.
            if (next.ModuleProblem is not null && modules.Any(module => module.State == "running"))
            {
                next = next with { ModuleProblem = null };
                next = next with { Problem = InventoryMerge.ProblemOf(snapshot, next) };
            }
        }
        if (inventory is not null)
        {
            var merge = InventoryMerge.Of(snapshot, next, inventory);
            if (merge.FalseClaim is { } problem && problem != node.Problem) events.Add(NewEvent.About(node, "agent.claims-nic", problem, EventSeverity.Warning));
            if (merge.Node.Switch is { } name && (name, merge.Node.SwitchPort) != (node.Switch, node.SwitchPort))
                events.Add(NewEvent.About(node, "node.located", $"hangs on {name} port {merge.Node.SwitchPort ?? "unknown"}"));
            events.AddRange(InventoryChange.Between(node, node.Inventory, inventory));
            // Its own failure is the more important problem to show.
            next = merge.Node with { Problem = node.State == NodeState.Failed ? node.Problem : merge.Problem };
        }
        return next == node ? null : (next, [.. events.Select(e => e with { Actor = "node" })]);
    }

    static IEnumerable<NewEvent> Tell(Node node, ImmutableArray<InstalledModuleDocument> now)
    {
        foreach (var module in now)
            if (!node.Modules.Contains(module))
                yield return NewEvent.About(node, $"module.{module.State switch { "running" => "running", "failed" => "failed", _ => "changed" }}",
                    $"module {module.Name} {module.Version} is {module.State}", module.State == "failed" ? EventSeverity.Warning : EventSeverity.Info);
        foreach (var before in node.Modules)
            if (!now.Any(module => module.Name == before.Name)) yield return NewEvent.About(node, "module.gone", $"module {before.Name} is not there any more");
    }

    static bool Same(ImmutableArray<InstalledModuleDocument> ours, IReadOnlyList<InstalledModuleDocument> theirs) => ours.SequenceEqual(theirs);
}
