using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Power;

enum AddressOrigin { Unknown, Static, Dhcp, Firmware, Other }

/// <summary>How the device itself is on the network. Null: the device does not say, or on a change: leave it as it is.</summary>
sealed record ManagementLan
{
    public AddressOrigin? Origin { get; init; }
    public Ipv4Address? Address { get; init; }
    public Ipv4Address? Mask { get; init; }
    public Ipv4Address? Gateway { get; init; }
    /// <summary>Never written.</summary>
    public MacAddress? Mac { get; init; }
    /// <summary>Zero: untagged.</summary>
    public ushort? Vlan { get; init; }
}

interface IManagementLan
{
    Task<ManagementLan> GetLanAsync(CancellationToken cancellationToken);

    /// <summary>Writes what is not null. An address that changes takes the device away from where it was reached.</summary>
    Task SetLanAsync(ManagementLan lan, CancellationToken cancellationToken);
}
