namespace GridAppliance.Protocols.Snmp;

/// <summary>
/// A set of bridge ports as BRIDGE-MIB and Q-BRIDGE-MIB write it (RFC 4363, section 5: PortList). Port 1 is the most significant bit of the
/// first octet. Two lists are equal when they hold the same ports: agents trim and extend the zero octets at the end as they like.
/// </summary>
public readonly struct PortList : IEquatable<PortList>
{
    //          octet 0                  octet 1
    //  bit  80 40 20 10 08 04 02 01  80 40 20 …
    //  port  1  2  3  4  5  6  7  8   9 10 11 …

    /// <summary>Bridge ports are 16-bit numbers.</summary>
    public const int MaximumPort = ushort.MaxValue;

    readonly byte[]? octets;

    PortList(byte[] owned) => octets = owned;

    public PortList(ReadOnlySpan<byte> octets) : this(octets.ToArray())
    {
    }

    public static PortList Of(IEnumerable<int> ports)
    {
        var result = new PortList();
        foreach (var port in ports) result = result.With(port);
        return result;
    }

    /// <summary>As it was read, and as it is written.</summary>
    public ReadOnlySpan<byte> Octets => octets;

    public bool IsEmpty => !Octets.ContainsAnyExcept((byte)0);

    public bool Contains(int port) => port > 0 && (port - 1) / 8 < Octets.Length && (Octets[(port - 1) / 8] & Mask(port)) != 0;

    /// <summary>The ports, in order.</summary>
    public IEnumerable<int> Ports
    {
        get
        {
            for (var port = 1; octets is not null && port <= octets.Length * 8; port++)
            {
                if (Contains(port)) yield return port;
            }
        }
    }

    /// <summary>The list with one port more, longer if it must be.</summary>
    public PortList With(int port)
    {
        if (port is < 1 or > MaximumPort) throw new ArgumentOutOfRangeException(nameof(port), port, "not a bridge port");
        var result = PaddedTo((port - 1) / 8 + 1, copy: true);
        result[(port - 1) / 8] |= Mask(port);
        return new(result);
    }

    public PortList Without(int port)
    {
        if (!Contains(port)) return this;
        var result = octets!.ToArray();
        result[(port - 1) / 8] &= (byte)~Mask(port);
        return new(result);
    }

    /// <summary>With zero octets at the end up to a length: some agents take whole lists only.</summary>
    public PortList PaddedTo(int length) => new(PaddedTo(length, copy: false));

    byte[] PaddedTo(int length, bool copy)
    {
        if (!copy && octets is not null && octets.Length >= length) return octets;
        var result = new byte[Math.Max(length, Octets.Length)];
        Octets.CopyTo(result);
        return result;
    }

    public bool Equals(PortList other)
    {
        var shorter = Octets.Length < other.Octets.Length ? Octets : other.Octets;
        var longer = Octets.Length < other.Octets.Length ? other.Octets : Octets;
        return longer.StartsWith(shorter) && !longer[shorter.Length..].ContainsAnyExcept((byte)0);
    }

    public override bool Equals(object? obj) => obj is PortList other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Octets.TrimEnd((byte)0));
        return hash.ToHashCode();
    }

    public static bool operator ==(PortList left, PortList right) => left.Equals(right);
    public static bool operator !=(PortList left, PortList right) => !left.Equals(right);

    public override string ToString() => $"{{{string.Join(',', Ports)}}}";

    /// <summary>
    /// Reads the list that Junos publishes instead: port numbers in ASCII with commas between, <c>4106,0,4097</c>, where zeros stand for ports that
    /// the bridge has no number for. False when it is not of that form, or names a number that no bridge port has.
    /// </summary>
    public static bool TryReadText(ReadOnlySpan<byte> text, out PortList ports)
    {
        ports = default;
        text = text.TrimEnd((byte)0);
        if (text.IsEmpty) return true;
        foreach (var range in text.Split((byte)','))
        {
            var number = text[range].Trim((byte)' ');
            if (!IsPort(number, out var port)) return false;
            if (port > 0) ports = ports.With(port);
        }
        return true;
    }

    static bool IsPort(ReadOnlySpan<byte> digits, out int port)
    {
        port = 0;
        if (digits.IsEmpty || digits.Length > 5) return false;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            port = port * 10 + digit - '0';
        }
        return port <= MaximumPort;
    }

    static byte Mask(int port) => (byte)(0x80 >> ((port - 1) & 7));
}
