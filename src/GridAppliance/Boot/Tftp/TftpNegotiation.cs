using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Boot.Tftp;

/// <summary>What of a client's options is accepted: pure.</summary>
static class TftpNegotiation
{
    /// <summary>IPv4 and UDP headers and TFTP's own.</summary>
    const int Overhead = 20 + 8 + 4;

    /// <param name="asked">The request's options.</param>
    /// <param name="length">Octets that will be sent, in the request's mode.</param>
    /// <param name="mtu">Of the network. A block that has to be fragmented is lost whole with any fragment, and boot ROMs are poor at reassembly: blksize is lowered to fit.</param>
    /// <param name="settings">The longest window.</param>
    /// <returns>The OACK's options; empty where no OACK is sent.</returns>
    public static TftpOptions Accept(TftpOptions asked, long length, int mtu, TftpSettings settings) => new()
    {
        TransferSize = asked.TransferSize is null ? null : length,
        BlockSize = asked.BlockSize is { } size ? Math.Min(size, Math.Max(mtu - Overhead, TftpOptions.DefaultBlockSize)) : null,
        TimeoutSeconds = asked.TimeoutSeconds,
        WindowSize = asked.WindowSize is { } window ? Math.Min(window, settings.MaxWindow) : null,
    };
}
