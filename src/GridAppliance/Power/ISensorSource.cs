namespace GridAppliance.Power;

enum SensorHealth { Unknown, Ok, Warning, Critical, Failed }

/// <summary>One sensor, read once.</summary>
sealed record SensorReading
{
    public required string Name { get; init; }
    /// <summary>Temperature, Fan, Voltage …</summary>
    public required string Kind { get; init; }
    /// <summary>Null for a discrete sensor, and for one that gives nothing now.</summary>
    public double? Value { get; init; }
    public string Unit { get; init; } = "";
    public SensorHealth Health { get; init; }
    /// <summary>Discrete states asserted, as a bit for each offset.</summary>
    public ushort States { get; init; }
}

interface ISensorSource
{
    Task<IReadOnlyList<SensorReading>> ReadSensorsAsync(CancellationToken cancellationToken);
}
