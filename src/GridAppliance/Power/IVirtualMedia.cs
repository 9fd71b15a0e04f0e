namespace GridAppliance.Power;

/// <summary>A drive that the device pretends to be.</summary>
/// <param name="Name">As the device calls it.</param>
/// <param name="Kinds">CD, DVD, USBStick …</param>
/// <param name="Image">What is in it; null when nothing is.</param>
sealed record MediaDrive(string Name, IReadOnlyList<string> Kinds, string? Image);

interface IVirtualMedia
{
    Task<IReadOnlyList<MediaDrive>> ListMediaAsync(CancellationToken cancellationToken);

    /// <summary>Puts an image into the drive for CDs, or the first there is; what was in it is taken out.</summary>
    Task InsertMediaAsync(Uri image, CancellationToken cancellationToken);

    /// <summary>Empties every drive.</summary>
    Task EjectMediaAsync(CancellationToken cancellationToken);
}

interface IHttpBoot
{
    /// <summary>The next boot fetches this by UEFI HTTP boot; null: whatever DHCP says.</summary>
    Task SetHttpBootAsync(Uri? image, CancellationToken cancellationToken);
}

/// <summary>A device that is told from others by its certificate.</summary>
interface ICertifiedPort
{
    /// <summary>SHA-256 of the certificate that it showed, lower-case hex; null before it has shown one.</summary>
    string? Fingerprint { get; }
}

interface IMachineNics
{
    /// <summary>The NICs of the machine, not of the device.</summary>
    Task<IReadOnlyList<Protocols.Addresses.MacAddress>> ReadMachineMacsAsync(CancellationToken cancellationToken);
}
