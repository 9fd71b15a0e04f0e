namespace GridAppliance.Protocols.Snmp;

/// <summary>As the version field says it.</summary>
public enum SnmpVersion
{
    V1 = 0,
    V2c = 1,
    V3 = 3,
}

/// <summary>A message whose only protection is the name of a community: versions 1 and 2c (RFC 1157, section 4; RFC 1901, section 3).</summary>
public readonly ref struct CommunityMessage
{
    //  SEQUENCE { version INTEGER, community OCTET STRING, data PDU }

    const byte Sequence = 0x30;

    public SnmpVersion Version { get; private init; }
    public ReadOnlySpan<byte> Community { get; private init; }
    /// <summary>Null when <see cref="Trap"/> is not.</summary>
    public SnmpPdu? Pdu { get; private init; }
    public TrapV1? Trap { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> datagram, out CommunityMessage message, out SnmpDefect defect)
    {
        message = default;
        if (!TryOpen(datagram, out var version, out var community, out var body, out defect)) return false;
        SnmpPdu? pdu = null;
        TrapV1? trap = null;
        ReadOnlySpan<byte> rest;
        if (version == SnmpVersion.V1 && body is [TrapV1.Tag, ..])
        {
            if (!TrapV1.TryRead(body, out trap, out rest, out defect)) return false;
        }
        else if (!SnmpPdu.TryRead(body, out pdu, out rest, out defect))
        {
            return false;
        }
        if (!rest.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        message = new() { Version = version, Community = community, Pdu = pdu, Trap = trap };
        return true;
    }

    /// <summary>Writes a message to the front of <paramref name="destination"/>; returns its length.</summary>
    public static int Write(Span<byte> destination, SnmpVersion version, ReadOnlySpan<byte> community, SnmpPdu pdu)
    {
        var writer = new BerWriter(destination);
        var end = writer.Position;
        pdu.Write(ref writer);
        writer.WriteOctets((byte)SnmpSyntax.OctetString, community);
        writer.WriteInteger((int)version);
        writer.Close(Sequence, end);
        return writer.Finish();
    }

    /// <summary>The request id of a message that looks like one of ours, cheaply: to find whom it answers before it is read whole.</summary>
    public static bool TryPeekRequestId(ReadOnlySpan<byte> datagram, out int requestId)
    {
        requestId = 0;
        return TryOpen(datagram, out _, out _, out var body, out _) && SnmpPdu.TryPeekRequestId(body, out requestId);
    }

    /// <summary>Octets around the PDU at most.</summary>
    public static int Overhead(int communityLength) => 5 + 3 + BerWriter.FieldLength(communityLength);

    /// <summary>Which version a datagram says it is; false when it is no SNMP.</summary>
    public static bool TryPeekVersion(ReadOnlySpan<byte> datagram, out SnmpVersion version)
    {
        version = default;
        if (!BerReader.TryTake(ref datagram, Sequence, out var body, out _) || !BerReader.TryTakeInt32(ref body, out var number, out _)) return false;
        version = (SnmpVersion)number;
        return version is SnmpVersion.V1 or SnmpVersion.V2c or SnmpVersion.V3;
    }

    static bool TryOpen(ReadOnlySpan<byte> datagram, out SnmpVersion version, out ReadOnlySpan<byte> community, out ReadOnlySpan<byte> body, out SnmpDefect defect)
    {
        version = default;
        community = default;
        if (!BerReader.TryTake(ref datagram, Sequence, out body, out defect)) return false;
        if (!datagram.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        if (!BerReader.TryTakeInt32(ref body, out var number, out defect)) return false;
        version = (SnmpVersion)number;
        if (version is not (SnmpVersion.V1 or SnmpVersion.V2c)) { defect = SnmpDefect.UnknownVersion; return false; }
        return BerReader.TryTake(ref body, (byte)SnmpSyntax.OctetString, out community, out defect);
    }
}
