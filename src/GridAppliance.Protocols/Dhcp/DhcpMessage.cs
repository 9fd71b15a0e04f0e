using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Dhcp;

/// <summary>
/// A view of one DHCPv4 message (RFC 2131 section 2) over the datagram that it came in; copies and allocates nothing. Reading checks the whole structure
/// once, so that looking an option up afterwards cannot fail. Options that were sent in pieces are joined on demand (RFC 3396).
/// </summary>
/// <remarks>
/// <code>
///  0        1        2        3
/// +--------+--------+--------+--------+
/// | op     | htype  | hlen   | hops   |   0
/// | xid                               |   4
/// | secs            | flags B.......  |   8
/// | ciaddr                            |  12   the client's own, when it has one
/// | yiaddr                            |  16   "your" address
/// | siaddr                            |  20   next server: TFTP
/// | giaddr                            |  24   the relay's
/// | chaddr (16)                       |  28
/// | sname (64)                        |  44   or options, see 52
/// | file (128)                        | 108   or options, see 52
/// | 63 82 53 63                       | 236
/// | options …                         | 240
/// +-----------------------------------+
/// </code>
/// </remarks>
public readonly ref struct DhcpMessage
{
    /// <summary>Fixed fields and cookie.</summary>
    public const int HeaderLength = 240;

    internal const uint Cookie = 0x63825363;

    readonly ReadOnlySpan<byte> packet;
    readonly DhcpOverload overload;
    readonly OptionSet present;
    readonly OptionSet repeated;

    DhcpMessage(ReadOnlySpan<byte> packet, DhcpOverload overload, scoped in OptionSet present, scoped in OptionSet repeated, DhcpMessageType type)
    {
        this.packet = packet;
        this.overload = overload;
        this.present = present;
        this.repeated = repeated;
        Type = type;
    }

    /// <summary>Checks and opens a UDP payload; false with the first defect found.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out DhcpMessage message, out DhcpDefect defect)
    {
        message = default;
        defect = CheckHeader(packet);
        if (defect != DhcpDefect.None) return false;

        OptionSet present = default, repeated = default;
        if (!Scan(packet[HeaderLength..], ref present, ref repeated)) { defect = DhcpDefect.OptionOverrun; return false; }

        var overload = DhcpOverload.None;
        if (present.Contains(DhcpOption.Overload))
        {
            var value = FirstValue(packet[HeaderLength..], DhcpOption.Overload);
            if (value.Length != 1 || value[0] is 0 or > 3) { defect = DhcpDefect.BadOverload; return false; }
            overload = (DhcpOverload)value[0];
        }
        if ((overload & DhcpOverload.BootFile) != 0 && !Scan(packet.Slice(108, 128), ref present, ref repeated)
            || (overload & DhcpOverload.ServerName) != 0 && !Scan(packet.Slice(44, 64), ref present, ref repeated))
        {
            defect = DhcpDefect.OptionOverrun;
            return false;
        }

        var candidate = new DhcpMessage(packet, overload, present, repeated, default);
        if (!present.Contains(DhcpOption.MessageType)) { defect = DhcpDefect.NoMessageType; return false; }
        if (candidate.Byte(DhcpOption.MessageType) is not { } type || !Enum.IsDefined((DhcpMessageType)type)) { defect = DhcpDefect.BadMessageType; return false; }

        message = new(packet, overload, present, repeated, (DhcpMessageType)type);
        return true;
    }

    /// <summary>Option 53.</summary>
    public DhcpMessageType Type { get; }

    public DhcpOperation Operation => (DhcpOperation)packet[0];
    public byte HardwareType => packet[1];
    public byte Hops => packet[3];
    public uint TransactionId => BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);

    /// <summary>Seconds since the client began to ask.</summary>
    public ushort Seconds => BinaryPrimitives.ReadUInt16BigEndian(packet[8..]);

    public ushort Flags => BinaryPrimitives.ReadUInt16BigEndian(packet[10..]);

    /// <summary>The client cannot take unicast before it is configured.</summary>
    public bool WantsBroadcast => (Flags & 0x8000) != 0;

    /// <summary><c>ciaddr</c></summary>
    public Ipv4Address ClientAddress => Ipv4Address.Read(packet[12..]);

    /// <summary><c>yiaddr</c></summary>
    public Ipv4Address YourAddress => Ipv4Address.Read(packet[16..]);

    /// <summary><c>siaddr</c></summary>
    public Ipv4Address NextServer => Ipv4Address.Read(packet[20..]);

    /// <summary><c>giaddr</c></summary>
    public Ipv4Address RelayAddress => Ipv4Address.Read(packet[24..]);

    /// <summary><c>chaddr</c>, as long as <c>hlen</c> says.</summary>
    public ReadOnlySpan<byte> HardwareAddress => packet.Slice(28, packet[2]);

    /// <summary><c>chaddr</c> of an Ethernet client, or null.</summary>
    public MacAddress? Mac => HardwareType == 1 && packet[2] == MacAddress.Length ? MacAddress.Read(packet[28..]) : null;

    /// <summary>Text of <c>sname</c>; empty when it carries options.</summary>
    public ReadOnlySpan<byte> ServerName => (overload & DhcpOverload.ServerName) != 0 ? [] : UpToZero(packet.Slice(44, 64));

    /// <summary>Text of <c>file</c>; empty when it carries options.</summary>
    public ReadOnlySpan<byte> BootFile => (overload & DhcpOverload.BootFile) != 0 ? [] : UpToZero(packet.Slice(108, 128));

    public bool Has(DhcpOption option) => present.Contains(option);

    /// <summary>
    /// An option's value. A value in one piece, which is the usual case, is returned where it lies; pieces are joined in <paramref name="scratch"/>
    /// in the order options, file, sname (RFC 3396 section 5), and do not count as present when it is too small for them.
    /// </summary>
    public bool TryGet(DhcpOption option, Span<byte> scratch, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!present.Contains(option)) return false;
        var joined = repeated.Contains(option);
        var length = 0;
        foreach (var field in Options)
        {
            if (field.Code != option) continue;
            if (!joined) { value = field.Value; return true; }
            if (field.Value.Length > scratch.Length - length) return false;
            field.Value.CopyTo(scratch[length..]);
            length += field.Value.Length;
        }
        value = scratch[..length];
        return true;
    }

    /// <summary>A four-octet address option; null when it is absent or of another length.</summary>
    public Ipv4Address? Address(DhcpOption option)
    {
        Span<byte> scratch = stackalloc byte[8];
        return TryGet(option, scratch, out var value) && value.Length == Ipv4Address.Length ? Ipv4Address.Read(value) : null;
    }

    /// <inheritdoc cref="Address"/>
    public uint? UInt32(DhcpOption option)
    {
        Span<byte> scratch = stackalloc byte[8];
        return TryGet(option, scratch, out var value) && value.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(value) : null;
    }

    /// <summary>A two-octet option, or the first entry of a list of such; null when it is absent or shorter.</summary>
    public ushort? UInt16(DhcpOption option)
    {
        Span<byte> scratch = stackalloc byte[64];
        return TryGet(option, scratch, out var value) && value.Length >= sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(value) : null;
    }

    /// <summary>A one-octet option; null when it is absent or of another length.</summary>
    public byte? Byte(DhcpOption option)
    {
        Span<byte> scratch = stackalloc byte[8];
        return TryGet(option, scratch, out var value) && value.Length == 1 ? value[0] : null;
    }

    /// <summary>All option fields as they lie on the wire, pieces unjoined: options, then file, then sname.</summary>
    public DhcpOptionFields Options => new(packet, overload);

    static DhcpDefect CheckHeader(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < HeaderLength) return DhcpDefect.TooShort;
        if (packet[0] is not (1 or 2)) return DhcpDefect.BadOperation;
        if (packet[2] > 16) return DhcpDefect.BadHardwareLength;
        return BinaryPrimitives.ReadUInt32BigEndian(packet[236..]) == Cookie ? DhcpDefect.None : DhcpDefect.NoCookie;
    }

    static bool Scan(ReadOnlySpan<byte> area, ref OptionSet present, ref OptionSet repeated)
    {
        var at = 0;
        while (at < area.Length)
        {
            var code = (DhcpOption)area[at++];
            if (code == DhcpOption.Pad) continue;
            if (code == DhcpOption.End) break;
            if (at == area.Length || area[at] > area.Length - at - 1) return false;
            if (!present.Add(code)) repeated.Add(code);
            at += 1 + area[at];
        }
        return true;
    }

    static ReadOnlySpan<byte> FirstValue(ReadOnlySpan<byte> area, DhcpOption option)
    {
        foreach (var field in new DhcpSuboptions(area, DhcpSuboptions.Framing.PadAndEnd))
        {
            if (field.Code == (byte)option) return field.Value;
        }
        return default;
    }

    static ReadOnlySpan<byte> UpToZero(ReadOnlySpan<byte> field) => field.IndexOf((byte)0) is var end and >= 0 ? field[..end] : field;
}
