using GridAppliance.Agents;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Operations;
using GridAppliance.Api.Ports;
using GridAppliance.Grids;
using GridAppliance.Operations;
using GridAppliance.Power;

namespace GridAppliance.Nodes;

/// <summary>All that the rules of <see cref="WhyAnswer"/> may look at.</summary>
sealed record WhyFacts
{
    /// <summary>Firmware and loaders pause for seconds between their stages, kernels start in silence: longer than this is stuck.</summary>
    static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(45);

    /// <summary>Several heartbeats.</summary>
    static readonly TimeSpan AgentPatience = TimeSpan.FromSeconds(90);

    /// <summary>Enrolment takes seconds once the agent has called.</summary>
    static readonly TimeSpan EnrolPatience = TimeSpan.FromSeconds(60);

    public required Node Node { get; init; }
    /// <summary>The node's own, oldest first.</summary>
    public required IReadOnlyList<EventDocument> Events { get; init; }
    /// <summary>The node's own, newest first.</summary>
    public IReadOnlyList<OperationDocument> Operations { get; init; } = [];
    public required IReadOnlyList<ApplianceProblemDocument> Problems { get; init; }
    /// <summary>Its privileged ports, the preferred one first.</summary>
    public IReadOnlyList<PortDocument> Ports { get; init; } = [];
    /// <summary>The grid that it belongs to.</summary>
    public Grid? Grid { get; init; }
    public required DateTimeOffset Now { get; init; }

    public string Name => Node.Name;

    public NodeState State => Node.State;

    /// <summary>How far the current boot has come; from the events when a restart has forgotten it; null when nothing has booted or it has arrived.</summary>
    public BootMilestone? Reached => Node.Boot is { } boot
        ? boot.Finished is null ? boot.Milestone : null
        : BootEvents.Select(e => MilestoneOf(e.Kind)).Max();

    public DateTimeOffset LastActivity => Node.Boot?.LastActivity ?? (BootEvents.Count > 0 ? BootEvents[^1].At : Node.StateSince);

    public TimeSpan Silence => Now - LastActivity;

    /// <summary>A boot is under way and nothing has been heard of it for long.</summary>
    public bool IsStuckAt(BootMilestone milestone) => AwaitsAgent && Reached == milestone && Silence > BootPatience;

    /// <summary>The next thing must come from the machine: it has not joined yet, or it is booting once more.</summary>
    public bool AwaitsAgent => State switch
    {
        NodeState.Discovered => true,
        NodeState.Enrolling => Node.AgentKey.IsEmpty || BootsAgain,
        NodeState.Idle or NodeState.Assigning or NodeState.Active or NodeState.Releasing => BootsAgain,
        NodeState.Held or NodeState.Failed or NodeState.Retired => false,
    };

    bool BootsAgain => Node.Boot is { Finished: null, Milestone: < BootMilestone.Agent };

    public bool IsStuckEnrolling => State == NodeState.Enrolling && !Node.AgentKey.IsEmpty && Now - Node.StateSince > EnrolPatience;

    /// <summary>What is being done to the node and says that it waits.</summary>
    public OperationDocument? Waiting => Operations.FirstOrDefault(o => o is { State: "running" or "undoing", Reason: not null });

    /// <summary>The newest operation, if it failed. An enrolment that failed shows as the node's state; one that gave way to another boot's is nothing to tell.</summary>
    public OperationDocument? LastFailed => Operations is [{ State: "failed", Kind: not EnrollNode.KindName } failed, ..] ? failed : null;

    /// <summary>How long the agent has been silent, where that is too long for a node that should be heard.</summary>
    public TimeSpan? AgentSilence => State switch
    {
        NodeState.Enrolling or NodeState.Idle or NodeState.Assigning or NodeState.Active or NodeState.Releasing when !Node.AgentKey.IsEmpty && !BootsAgain =>
            Node.AgentLastSeen is { } seen && (Now - seen > AgentPatience || Node.Problem == AgentPresence.Silent) ? Now - seen
            // A restart of ours has forgotten when it was heard last; since when it is missed stands in the timeline.
            : Node.Problem == AgentPresence.Silent ? Now - (Last("agent.silent")?.At ?? Node.StateSince) : null,
        _ => null,
    };

    /// <summary>Since when its grid's engine has it as down; null for one that works, and for one in no grid.</summary>
    public DateTimeOffset? DownInGrid => Grid?.Find(Node.Id)?.DownSince;

    /// <summary>What brings it back into its grid after a boot.</summary>
    public OperationDocument? Returning => DownInGrid is null ? null : Operations.FirstOrDefault(static o => o is { State: "running", Kind: JoinGrid.KindName });

    /// <summary>The machine is off, as its port has just told.</summary>
    public bool IsOff => Node.Reach.Power is { State: PowerState.Off };

    public PortDocument? PortThat(string state) => Ports.FirstOrDefault(port => port.State == state);

    /// <summary>The appliance's own trouble, where it is the whole appliance's or this node's network's.</summary>
    public ApplianceProblemDocument? Problem(string code) => Problems.FirstOrDefault(p => p.Code == code || p.Code == $"{code}.{Node.Network}");

    public EventDocument? Last(string kind) => Events.LastOrDefault(e => e.Kind == kind);

    /// <summary>The last event of this kind, if nothing of <paramref name="mended"/> has come since.</summary>
    public EventDocument? LastUnless(string kind, params ReadOnlySpan<string> mended)
    {
        if (Last(kind) is not { } found) return null;
        foreach (var later in mended)
            if (Last(later) is { } after && after.Sequence > found.Sequence) return null;
        return found;
    }

    /// <summary>The events of the boot that the last DISCOVER after an arrival began.</summary>
    IReadOnlyList<EventDocument> BootEvents
    {
        get
        {
            var arrived = Events.LastOrDefault(e => e.Kind is "state.enrolling" or "state.idle" or "state.active")?.Sequence ?? 0;
            return [.. Events.Where(e => e.Sequence > arrived && MilestoneOf(e.Kind) is not null)];
        }
    }

    static BootMilestone? MilestoneOf(string kind) => kind switch
    {
        "dhcp.discover" or "dhcp.offer" => BootMilestone.Discover,
        "dhcp.ack" => BootMilestone.Address,
        "boot.loader" => BootMilestone.Loader,
        "boot.script" => BootMilestone.Script,
        "boot.kernel" or "boot.kernel-fetched" => BootMilestone.Kernel,
        "boot.initramfs" or "boot.initramfs-fetched" => BootMilestone.Initramfs,
        _ => null,
    };
}
