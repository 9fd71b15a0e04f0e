using GridAppliance.Hosting;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Fleet;

/// <summary>All that was read of a switch, at one time.</summary>
sealed record SwitchReading
{
    public required DateTimeOffset At { get; init; }
    /// <summary>How long the reading took.</summary>
    public required TimeSpan Took { get; init; }
    public required SwitchIdentity Identity { get; init; }
    public required SwitchSnapshot Snapshot { get; init; }
    public IReadOnlyList<ForwardingEntry> Forwarding { get; init; } = [];
    /// <summary>When the forwarding table was read, which is more often than the rest.</summary>
    public required DateTimeOffset ForwardingAt { get; init; }
    public IReadOnlyList<SwitchNeighbour> Neighbours { get; init; } = [];
}

/// <summary>Why a switch cannot be read just now.</summary>
sealed record SwitchTrouble(DeviceFault Fault, string Message, DateTimeOffset Since);
