namespace GridAppliance.Power;

/// <summary>What is written on a part of the machine. Empty fields are null.</summary>
sealed record PartLabel
{
    public required string Name { get; init; }
    public string? Maker { get; init; }
    public string? Product { get; init; }
    public string? PartNumber { get; init; }
    public string? Serial { get; init; }
    public string? AssetTag { get; init; }
    public string? ChassisSerial { get; init; }
    public DateTimeOffset? Made { get; init; }
}

interface IInventorySource
{
    Task<IReadOnlyList<PartLabel>> ReadPartsAsync(CancellationToken cancellationToken);

    /// <summary>The machine's UUID in the forms it may be meant, likeliest first; empty where the device has none.</summary>
    Task<IReadOnlyList<Guid>> ReadSystemUuidAsync(CancellationToken cancellationToken);
}
