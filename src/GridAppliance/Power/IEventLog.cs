namespace GridAppliance.Power;

/// <summary>One entry of a device's own log.</summary>
sealed record DeviceEvent
{
    public required string Id { get; init; }
    /// <summary>Null where the device did not know the date.</summary>
    public DateTimeOffset? At { get; init; }
    /// <summary>What it is about: a sensor by name, or its kind and number.</summary>
    public required string Source { get; init; }
    public required string Text { get; init; }
    /// <summary>The condition went away rather than came.</summary>
    public bool IsOver { get; init; }
    /// <summary>How bad it is, where the device says so.</summary>
    public SensorHealth Health { get; init; }
}

/// <param name="Entries">How many there are.</param>
/// <param name="HasOverflowed">Events were lost for want of room.</param>
sealed record EventLogSize(int Entries, bool HasOverflowed);

interface IEventLog
{
    Task<EventLogSize> GetEventLogSizeAsync(CancellationToken cancellationToken);

    /// <summary>Oldest first.</summary>
    Task<IReadOnlyList<DeviceEvent>> ReadEventsAsync(CancellationToken cancellationToken);

    Task ClearEventsAsync(CancellationToken cancellationToken);
}

/// <summary>A device that may tell events by itself.</summary>
interface IEventSource
{
    /// <summary>What happens from now on, until the device ends the stream. Fails with <see cref="Hosting.DeviceFault.Unsupported"/> where the device offers none.</summary>
    IAsyncEnumerable<DeviceEvent> WatchEventsAsync(CancellationToken cancellationToken);
}
