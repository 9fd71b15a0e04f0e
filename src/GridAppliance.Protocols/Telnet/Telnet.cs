namespace GridAppliance.Protocols.Telnet;

/// <summary>Telnet's codes (RFC 854), and the options that a serial line needs.</summary>
public static class Telnet
{
    public const byte Se = 240, Nop = 241, Break = 243, Sb = 250, Will = 251, Wont = 252, Do = 253, Dont = 254, Iac = 255;

    /// <summary>RFC 856: every octet is itself; without it a carriage return is followed by NUL or line feed.</summary>
    public const byte Binary = 0;
    /// <summary>RFC 857.</summary>
    public const byte Echo = 1;
    /// <summary>RFC 858.</summary>
    public const byte SuppressGoAhead = 3;
    /// <summary>RFC 1073.</summary>
    public const byte WindowSize = 31;
    /// <summary>RFC 2217.</summary>
    public const byte ComPort = 44;

    /// <summary>Writes octets of the line, 255 doubled; returns the length. Room for twice as many is enough.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="octets">What is typed.</param>
    /// <param name="binary">Whether RFC 856 was agreed on in this direction; otherwise a carriage return gets its NUL (RFC 854, "the NVT printer").</param>
    public static int WriteData(Span<byte> destination, ReadOnlySpan<byte> octets, bool binary)
    {
        var length = 0;
        foreach (var octet in octets)
        {
            destination[length++] = octet;
            if (octet == Iac) destination[length++] = Iac;
            else if (octet == '\r' && !binary) destination[length++] = 0;
        }
        return length;
    }

    /// <summary>Writes <c>IAC SB option octets IAC SE</c>; returns the length.</summary>
    public static int WriteSubnegotiation(Span<byte> destination, byte option, ReadOnlySpan<byte> octets)
    {
        (destination[0], destination[1], destination[2]) = (Iac, Sb, option);
        var length = 3 + WriteData(destination[3..], octets, binary: true);
        (destination[length], destination[length + 1]) = (Iac, Se);
        return length + 2;
    }

    /// <summary>RFC 1073: columns and rows, each 16 bits.</summary>
    public static int WriteWindowSize(Span<byte> destination, ushort columns, ushort rows) =>
        WriteSubnegotiation(destination, WindowSize, [(byte)(columns >> 8), (byte)columns, (byte)(rows >> 8), (byte)rows]);
}
