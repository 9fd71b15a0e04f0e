using GridAppliance.Agents;
using GridAppliance.Nodes;

namespace GridAppliance.Establish;

/// <summary>What would be done with a machine, and why or why not. Decides; touches nothing.</summary>
abstract record EstablishPlan
{
    EstablishPlan() { }

    /// <param name="Route">By which it will call.</param>
    /// <param name="Message">For people.</param>
    public sealed record Install(MachineRoute Route, string Message) : EstablishPlan;

    /// <summary>It is this appliance's node, and alive.</summary>
    public sealed record Nothing(Node Node, string Message) : EstablishPlan;

    public sealed record Refuse(string Message) : EstablishPlan;

    /// <summary>Room for what the agent itself needs, modules not counted.</summary>
    const long StateKiB = 64 << 10;
    const long MarginKiB = 4 << 10;
    const string Served = "x86_64";
    static readonly Version OldestLibc = new(2, 27);

    public static EstablishPlan For(MachineSurvey machine, AgentFile agent, string fingerprint, NodeSnapshot nodes, DateTimeOffset now)
    {
        if (Obstacle(machine, agent) is { } obstacle) return new Refuse(obstacle);
        if (machine.Agent is not { } there) return new Refuse("root's rights did not come");
        if (there.Appliance is { } other && other != fingerprint) return new Refuse($"it belongs to another appliance (key {other[..Math.Min(16, other.Length)]}…): disable grid-agent and remove /etc/grid there if that is past");
        if (there.IsBooted) return new Refuse("an appliance booted it from the network: it has an agent already, and no system to install one in");
        if (there.Mac is { } known && nodes.Find(known) is { } node)
        {
            if (node.State == NodeState.Retired) return new Refuse($"it is {node.Name}, which is retired: gridctl node revive {node.Name} first");
            if (there.IsActive && there.Digest == agent.Digest && IsAlive(node, nodes, now)) return new Nothing(node, $"it is {node.Name} already, {node.State.ToString().ToLowerInvariant()}");
        }
        if (machine.Routes is not [var route, ..]) return new Refuse("it does not reach the appliance: no boot plane answers there on port 8067 (routes, firewall), or bash and iproute2 are missing there");
        return new Install(route, $"install the agent{(there.Digest is null ? "" : " anew")}; it will call {route.Appliance} from {route.From} ({route.Mac})");
    }

    /// <summary>Reasons that need no root to be seen, the first one.</summary>
    public static string? Obstacle(MachineSurvey machine, AgentFile agent)
    {
        if (machine.Arch != Served) return $"its processor is {machine.Arch ?? "unknown"}; there is an agent for {Served} only";
        if (!machine.HasSystemd) return "it is not run by systemd";
        if (machine.Libc?.Split(' ') is not ["glibc", var text] || !Version.TryParse(text, out var libc) || libc < OldestLibc) return $"its C library is {machine.Libc ?? "not glibc"}; the agent needs glibc {OldestLibc}";
        if (machine.Rights is null) return "the account is not root, and there is no sudo";
        return Room(machine, "/usr/local/bin", (agent.Size >> 10) + MarginKiB) ?? Room(machine, "/var/lib", StateKiB) ?? Room(machine, "/etc", 64);
    }

    static string? Room(MachineSurvey machine, string folder, long wanted) =>
        machine.FreeKiB.TryGetValue(folder, out var free) && free < wanted ? $"its disk is full: {free >> 10} MiB are free in {folder}, {(wanted >> 10) + 1} are needed" : null;

    static bool IsAlive(Node node, NodeSnapshot nodes, DateTimeOffset now) =>
        node.State is NodeState.Idle or NodeState.Active or NodeState.Assigning or NodeState.Releasing && now - node.AgentLastSeen < AgentPolicy.SilentAfter(nodes.ById.Count);
}
