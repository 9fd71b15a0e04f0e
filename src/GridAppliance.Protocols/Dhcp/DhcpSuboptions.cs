namespace GridAppliance.Protocols.Dhcp;

/// <summary>
/// Code-length-value lists inside an option: relay agent information (82, RFC 3046), vendor specific (43), iPXE's own (175).
/// Walking stops at the first field that does not fit; <see cref="IsWellFormed"/> says beforehand whether there is one.
/// </summary>
public ref struct DhcpSuboptions
{
    /// <summary>Whether 0 and 255 are padding and end marker, or codes like any other (RFC 3046 section 2.0 knows neither).</summary>
    public enum Framing { Plain, PadAndEnd }

    readonly Framing framing;
    ReadOnlySpan<byte> rest;

    public DhcpSuboptions(ReadOnlySpan<byte> value, Framing framing)
    {
        rest = value;
        this.framing = framing;
    }

    public readonly DhcpSuboptions GetEnumerator() => this;

    public DhcpSuboption Current { get; private set; }

    public bool MoveNext()
    {
        if (framing == Framing.PadAndEnd)
        {
            while (rest.Length > 0 && rest[0] == (byte)DhcpOption.Pad) rest = rest[1..];
            if (rest.Length > 0 && rest[0] == (byte)DhcpOption.End) rest = default;
        }
        if (rest.Length < 2 || rest[1] > rest.Length - 2) return false;
        Current = new(rest[0], rest.Slice(2, rest[1]));
        rest = rest[(2 + rest[1])..];
        return true;
    }

    public readonly bool IsWellFormed
    {
        get
        {
            var walk = this;
            while (walk.MoveNext()) { }
            return walk.rest.IsEmpty;
        }
    }

    /// <summary>The first field with that code.</summary>
    public readonly bool TryGet(byte code, out ReadOnlySpan<byte> value)
    {
        foreach (var field in this)
        {
            if (field.Code != code) continue;
            value = field.Value;
            return true;
        }
        value = default;
        return false;
    }
}

public readonly ref struct DhcpSuboption(byte code, ReadOnlySpan<byte> value)
{
    public byte Code { get; } = code;
    public ReadOnlySpan<byte> Value { get; } = value;
}

/// <summary>Sub-options of option 82 (RFC 3046 section 2.0, RFC 3993).</summary>
public static class RelaySuboption
{
    public const byte CircuitId = 1;
    public const byte RemoteId = 2;
    public const byte SubscriberId = 6;
}

/// <summary>Sub-options of iPXE's option 175: the ones that a server sends or that tell a client's abilities.</summary>
public static class IpxeSuboption
{
    public const byte Priority = 1;
    public const byte HttpSupport = 19;
    public const byte EfiSupport = 36;

    /// <summary>A non-zero octet: do not wait for a ProxyDHCP offer.</summary>
    public const byte NoProxyDhcp = 176;

    /// <summary>The NIC that iPXE drives: bus type, vendor, device.</summary>
    public const byte BusId = 177;
}

/// <summary>Sub-options of option 43 for PXE clients (PXE 2.1, table 2-1).</summary>
public static class PxeSuboption
{
    public const byte DiscoveryControl = 6;
    public const byte BootServers = 8;
    public const byte BootMenu = 9;
    public const byte MenuPrompt = 10;
    public const byte BootItem = 71;

    /// <summary>Bit 3 of discovery control: no boot server discovery, fetch the offered file.</summary>
    public const byte JustFetchTheFile = 8;
}
