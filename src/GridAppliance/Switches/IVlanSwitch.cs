using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches;

/// <summary>A switch whose VLANs can be read. What else it can is told by the other interfaces. Every method fails with a <see cref="Hosting.DeviceException"/>.</summary>
interface IVlanSwitch
{
    /// <summary>Scheme and place, without credentials.</summary>
    Uri Address { get; }

    Task<SwitchSnapshot> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Says in words what the switch lets us do, by writing to it what it holds already.</summary>
    /// <param name="port">A port that is ours to write.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<SwitchAbilities> ProbeAsync(int port, CancellationToken cancellationToken);
}

/// <summary>A switch whose VLANs can be written. Used by its <see cref="SwitchActor"/> only, which is the one to plan, read back and undo.</summary>
interface IVlanWriter : IVlanSwitch
{
    /// <summary>Reads all that a plan needs.</summary>
    Task<IVlanState> ReadStateAsync(CancellationToken cancellationToken);

    /// <summary>Writes step after step; stops at the first that is refused.</summary>
    Task<WriteOutcome> WriteAsync(IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken);
}

/// <summary>What a switch held when it was read; plans are made against it. Pure.</summary>
interface IVlanState
{
    SwitchSnapshot Snapshot { get; }

    VlanPlan Plan(VlanIntent intent, SwitchPolicy policy);

    /// <summary>What taking a half-done change back takes now; nothing when everything is as it was before it.</summary>
    TakeBackPlan TakeBack(UnfinishedChange change, SwitchPolicy policy);
}

/// <summary>A switch that tells what is where.</summary>
interface IPortMap
{
    /// <param name="ports">The switch as it was read before: its ports and VLANs.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IReadOnlyList<ForwardingEntry>> ReadForwardingAsync(SwitchSnapshot ports, CancellationToken cancellationToken);

    Task<IReadOnlyList<SwitchNeighbour>> ReadNeighboursAsync(SwitchSnapshot ports, CancellationToken cancellationToken);
}

/// <summary>A switch that can say cheaply whether anything about its VLANs has changed.</summary>
interface IPulsingSwitch
{
    Task<SwitchPulse> ReadPulseAsync(CancellationToken cancellationToken);
}

/// <summary>The few columns that say how ports are, as they came: nothing is made of them as long as they are the same.</summary>
/// <param name="Rows">All of them, in order.</param>
/// <param name="Contact">Where our mark stands.</param>
/// <param name="Boots">Goes up when the switch restarts: minutes since the epoch at which it must have started.</param>
sealed record SwitchPulse(IReadOnlyList<Varbind> Rows, string Contact, long Boots)
{
    /// <summary>A switch's clock and ours drift apart, and answers take time.</summary>
    const long Slack = 2;

    public bool Equals(SwitchPulse? other) => other is not null && Contact == other.Contact && Math.Abs(Boots - other.Boots) <= Slack && Rows.SequenceEqual(other.Rows);

    public override int GetHashCode() => HashCode.Combine(Contact, Rows.Count);
}

/// <param name="CanReadMembership">Whether it says which ports are in which VLAN.</param>
/// <param name="CanWrite">Whether it took a write of what it holds already; null: not tried.</param>
/// <param name="Words">The same and more, for people.</param>
sealed record SwitchAbilities(bool CanReadMembership, bool? CanWrite, IReadOnlyList<string> Words);
