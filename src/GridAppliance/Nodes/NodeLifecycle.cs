namespace GridAppliance.Nodes;

/// <summary>The life of a node. Every transient state (enrolling, assigning, releasing) can be aborted.</summary>
enum NodeState { Discovered, Enrolling, Idle, Assigning, Active, Releasing, Held, Failed, Retired }

enum NodeEvent
{
    /// <summary>An agent proved itself with a boot attempt's token.</summary>
    AgentEnrolled,
    /// <summary>Policy, or a person, says wait.</summary>
    Hold,
    Approve,
    /// <summary>Enrolment is complete.</summary>
    Ready,
    Assign,
    Assigned,
    Release,
    Released,
    Abort,
    Fail,
    /// <summary>A person says: try again from the beginning.</summary>
    Retry,
    Retire,
    Revive,
}

/// <summary>The one table that says what may follow what.</summary>
static class NodeLifecycle
{
    /// <summary>The state after <paramref name="happened"/>, or null when that cannot happen in <paramref name="state"/>.</summary>
    public static NodeState? Next(NodeState state, NodeEvent happened) => (state, happened) switch
    {
        (NodeState.Discovered, NodeEvent.AgentEnrolled) => NodeState.Enrolling,
        (NodeState.Discovered, NodeEvent.Hold) => NodeState.Held,
        (NodeState.Discovered, NodeEvent.Fail) => NodeState.Failed,
        (NodeState.Discovered, NodeEvent.Retire) => NodeState.Retired,

        // A node that boots again in the middle begins its enrolment anew.
        (NodeState.Enrolling, NodeEvent.AgentEnrolled) => NodeState.Enrolling,
        (NodeState.Enrolling, NodeEvent.Ready) => NodeState.Idle,
        (NodeState.Enrolling, NodeEvent.Hold) => NodeState.Held,
        (NodeState.Enrolling, NodeEvent.Abort) => NodeState.Discovered,
        (NodeState.Enrolling, NodeEvent.Fail) => NodeState.Failed,
        (NodeState.Enrolling, NodeEvent.Retire) => NodeState.Retired,

        (NodeState.Held, NodeEvent.Approve) => NodeState.Enrolling,
        (NodeState.Held, NodeEvent.AgentEnrolled) => NodeState.Held,
        (NodeState.Held, NodeEvent.Retire) => NodeState.Retired,

        // An idle node that boots again has a new agent and perhaps new parts: it is looked at once more.
        (NodeState.Idle, NodeEvent.AgentEnrolled) => NodeState.Enrolling,
        (NodeState.Idle, NodeEvent.Assign) => NodeState.Assigning,
        (NodeState.Idle, NodeEvent.Hold) => NodeState.Held,
        (NodeState.Idle, NodeEvent.Fail) => NodeState.Failed,
        (NodeState.Idle, NodeEvent.Retire) => NodeState.Retired,

        (NodeState.Assigning, NodeEvent.AgentEnrolled) => NodeState.Assigning,
        (NodeState.Assigning, NodeEvent.Assigned) => NodeState.Active,
        (NodeState.Assigning, NodeEvent.Abort) => NodeState.Releasing,
        (NodeState.Assigning, NodeEvent.Fail) => NodeState.Failed,

        // A reboot does not take a node away from its owner.
        (NodeState.Active, NodeEvent.AgentEnrolled) => NodeState.Active,
        (NodeState.Active, NodeEvent.Release) => NodeState.Releasing,
        (NodeState.Active, NodeEvent.Fail) => NodeState.Failed,

        (NodeState.Releasing, NodeEvent.AgentEnrolled) => NodeState.Releasing,
        (NodeState.Releasing, NodeEvent.Released) => NodeState.Idle,
        (NodeState.Releasing, NodeEvent.Abort) => NodeState.Failed,
        (NodeState.Releasing, NodeEvent.Fail) => NodeState.Failed,

        (NodeState.Failed, NodeEvent.AgentEnrolled) => NodeState.Enrolling,
        (NodeState.Failed, NodeEvent.Retry) => NodeState.Discovered,
        // It has something that must be wiped before it is anybody else's.
        (NodeState.Failed, NodeEvent.Release) => NodeState.Releasing,
        (NodeState.Failed, NodeEvent.Retire) => NodeState.Retired,

        (NodeState.Retired, NodeEvent.Revive) => NodeState.Discovered,

        _ => null,
    };
}
