namespace GridAppliance.Protocols.Ipmi.Rmcp;

/// <summary>What an RMCP datagram carries (ASF 2.0, section 3.2.2.2).</summary>
public enum RmcpClass : byte
{
    Asf = 6,
    Ipmi = 7,
    Oem = 8,
}

/// <summary>The Remote Management Control Protocol's header (ASF 2.0, section 3.2.2.2; IPMI 2.0, section 13.1.3).</summary>
public static class RmcpHeader
{
    //  octet 0         1          2                       3
    //  +-----------+----------+-----------------------+----------------------+
    //  | version 6 | 0        | sequence, FF = no ack | ack bit 7, class 4:0 |
    //  +-----------+----------+-----------------------+----------------------+

    public const int Length = 4;

    /// <summary>The primary RMCP port.</summary>
    public const int Port = 623;

    const byte Version = 6;
    const byte NoAcknowledge = 0xFF;
    const byte AcknowledgeBit = 0x80;

    public static void Write(Span<byte> destination, RmcpClass rmcpClass)
    {
        destination[0] = Version;
        destination[1] = 0;
        destination[2] = NoAcknowledge;
        destination[3] = (byte)rmcpClass;
    }

    /// <summary>Gives what follows the header when the datagram is of <paramref name="expected"/> class.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, RmcpClass expected, out ReadOnlySpan<byte> body, out IpmiDefect defect)
    {
        body = default;
        defect = datagram.Length < Length ? IpmiDefect.Truncated
            : datagram[0] != Version ? IpmiDefect.RmcpVersion
            : (datagram[3] & AcknowledgeBit) != 0 ? IpmiDefect.RmcpAcknowledge
            : (datagram[3] & 0x1F) != (byte)expected ? IpmiDefect.RmcpClass
            : IpmiDefect.None;
        if (defect != IpmiDefect.None) return false;
        body = datagram[Length..];
        return true;
    }
}
