using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab.Appliance;

/// <summary>The appliance under trial: the real daemon in a namespace of its own, with one cable to the switch.</summary>
sealed record LabAppliance
{
    /// <summary>Port of its management plane on loopback inside its namespace.</summary>
    public const int ManagementPort = 8080;

    public required string Namespace { get; init; }
    /// <summary>Its provisioning interface.</summary>
    public required string Interface { get; init; }
    public required Ipv4Network Address { get; init; }
    public required Ipv4Range Range { get; init; }
    /// <summary>Space for its data directory.</summary>
    public int DataMiB { get; init; } = 256;
    /// <summary>Appended to its configuration's <c>policy: enroll</c>.</summary>
    public string Enroll { get; init; } = "auto";
}
