using System.Buffers.Binary;
using System.Text;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Lldp;

/// <summary>An LLDPDU (IEEE 802.1AB-2016 section 8): a neighbour saying which port of which chassis a cable leads to. Views into the frame; nothing is copied.</summary>
/// <remarks>
/// <code>
///  0      7        16
///  +------+--------+-------------------+
///  | type | length | value (0..511)    |   repeated: chassis ID, port ID, time to live, anything, end
///  +------+--------+-------------------+
/// </code>
/// </remarks>
public readonly ref struct LldpMessage
{
    public const ushort EtherType = 0x88CC;

    /// <summary>Where LLDPDUs go that no bridge passes on (IEEE 802.1AB-2016 table 7-1).</summary>
    public static MacAddress NearestBridge { get; } = MacAddress.FromUInt64(0x0180_C200_000E);

    const int MaximumIdLength = 256;   // one octet of subtype and 1 to 255 of ID

    enum Tlv { End = 0, ChassisId = 1, PortId = 2, TimeToLive = 3, PortDescription = 4, SystemName = 5, SystemDescription = 6, Organisation = 127 }

    public LldpChassisKind ChassisKind { get; init; }
    public ReadOnlySpan<byte> ChassisId { get; init; }
    public LldpPortKind PortKind { get; init; }
    public ReadOnlySpan<byte> PortId { get; init; }
    /// <summary>For how long this holds; 0 says goodbye.</summary>
    public ushort TimeToLiveSeconds { get; init; }
    public ReadOnlySpan<byte> PortDescription { get; init; }
    public ReadOnlySpan<byte> SystemName { get; init; }
    public ReadOnlySpan<byte> SystemDescription { get; init; }
    /// <summary>The port's untagged VLAN (IEEE 802.1Q annex D.2.1), or null where the neighbour does not say.</summary>
    public ushort? PortVlan { get; init; }

    // OUI 00-80-C2 and subtype 1: port VLAN ID.
    static ReadOnlySpan<byte> PortVlanTlv => [0x00, 0x80, 0xC2, 0x01];

    public static bool TryRead(ReadOnlySpan<byte> source, out LldpMessage message, out LldpDefect defect)
    {
        message = default;
        ReadOnlySpan<byte> chassis = default, port = default, portDescription = default, systemName = default, systemDescription = default;
        ushort timeToLive = 0;
        ushort? vlan = null;
        ulong seen = 0;
        for (var index = 0; ; index++)
        {
            // A message may end without an end TLV (the 2016 edition allows it), but not before the third mandatory one.
            if (source.IsEmpty && index >= 3) break;
            if (source.Length < 2) return Fail(LldpDefect.Truncated, out defect);
            var head = BinaryPrimitives.ReadUInt16BigEndian(source);
            int type = head >> 9, length = head & 0x1FF;
            if (source.Length < 2 + length) return Fail(LldpDefect.Truncated, out defect);
            var value = source.Slice(2, length);
            source = source[(2 + length)..];

            if (index < 3 && type != index + 1) return Fail(LldpDefect.MandatoryMissing, out defect);
            if (type == (int)Tlv.End) break;
            if (type <= (int)Tlv.SystemDescription)
            {
                if ((seen & (1UL << type)) != 0) return Fail(LldpDefect.Duplicate, out defect);
                seen |= 1UL << type;
            }
            switch ((Tlv)type)
            {
                case Tlv.ChassisId or Tlv.PortId when length is < 2 or > MaximumIdLength: return Fail(LldpDefect.BadLength, out defect);
                case Tlv.ChassisId: chassis = value; break;
                case Tlv.PortId: port = value; break;
                case Tlv.TimeToLive when length < 2: return Fail(LldpDefect.BadLength, out defect);
                case Tlv.TimeToLive: timeToLive = BinaryPrimitives.ReadUInt16BigEndian(value); break;
                case Tlv.PortDescription: portDescription = value; break;
                case Tlv.SystemName: systemName = value; break;
                case Tlv.SystemDescription: systemDescription = value; break;
                case Tlv.Organisation when value.StartsWith(PortVlanTlv) && length >= 6: vlan = BinaryPrimitives.ReadUInt16BigEndian(value[4..]); break;
            }
        }
        message = new LldpMessage
        {
            ChassisKind = (LldpChassisKind)chassis[0], ChassisId = chassis[1..], PortKind = (LldpPortKind)port[0], PortId = port[1..], TimeToLiveSeconds = timeToLive,
            PortDescription = portDescription, SystemName = systemName, SystemDescription = systemDescription, PortVlan = vlan is 0 ? null : vlan,
        };
        defect = LldpDefect.None;
        return true;
    }

    /// <summary>Writes the message with an end TLV and returns its length.</summary>
    public int Write(Span<byte> destination)
    {
        var at = WriteId(destination, Tlv.ChassisId, (byte)ChassisKind, ChassisId);
        at += WriteId(destination[at..], Tlv.PortId, (byte)PortKind, PortId);
        WriteHead(destination[at..], Tlv.TimeToLive, 2);
        BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 2)..], TimeToLiveSeconds);
        at += 4;
        at += WriteText(destination[at..], Tlv.PortDescription, PortDescription);
        at += WriteText(destination[at..], Tlv.SystemName, SystemName);
        at += WriteText(destination[at..], Tlv.SystemDescription, SystemDescription);
        if (PortVlan is { } vlan)
        {
            WriteHead(destination[at..], Tlv.Organisation, PortVlanTlv.Length + 2);
            PortVlanTlv.CopyTo(destination[(at + 2)..]);
            BinaryPrimitives.WriteUInt16BigEndian(destination[(at + 2 + PortVlanTlv.Length)..], vlan);
            at += 4 + PortVlanTlv.Length;
        }
        WriteHead(destination[at..], Tlv.End, 0);
        return at + 2;
    }

    /// <summary>The chassis ID for people and for comparing.</summary>
    public string ChassisText => IdText(ChassisKind is LldpChassisKind.MacAddress, ChassisKind is LldpChassisKind.NetworkAddress, ChassisId);

    /// <summary>The port ID for people and for comparing. With <see cref="LldpPortKind.InterfaceAlias"/> it is a description and no interface's name.</summary>
    public string PortText => IdText(PortKind is LldpPortKind.MacAddress, PortKind is LldpPortKind.NetworkAddress, PortId);

    /// <summary>A text field as a neighbour sent it, with whatever is not printable left out.</summary>
    public static string? TextOf(ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty) return null;
        var text = string.Concat(Encoding.UTF8.GetString(field).Where(c => !char.IsControl(c) && c != '\uFFFD')).Trim();
        return text.Length == 0 ? null : text;
    }

    static string IdText(bool isMac, bool isNetwork, ReadOnlySpan<byte> id)
    {
        if (isMac && id.Length == MacAddress.Length) return MacAddress.Read(id).ToString();
        // A network address begins with its IANA family; 1 is IPv4.
        if (isNetwork && id.Length == 5 && id[0] == 1) return Ipv4Address.Read(id[1..]).ToString();
        return id.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) ? Convert.ToHexStringLower(id) : Encoding.ASCII.GetString(id);
    }

    static int WriteId(Span<byte> destination, Tlv type, byte kind, ReadOnlySpan<byte> id)
    {
        WriteHead(destination, type, 1 + id.Length);
        destination[2] = kind;
        id.CopyTo(destination[3..]);
        return 3 + id.Length;
    }

    static int WriteText(Span<byte> destination, Tlv type, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return 0;
        WriteHead(destination, type, text.Length);
        text.CopyTo(destination[2..]);
        return 2 + text.Length;
    }

    static void WriteHead(Span<byte> destination, Tlv type, int length) => BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)((int)type << 9 | length));

    static bool Fail(LldpDefect what, out LldpDefect defect)
    {
        defect = what;
        return false;
    }
}
