namespace GridAppliance.Protocols.Ipmi.Sol;

/// <summary>What a console asks of the serial port (IPMI 2.0, table 15-2, octet 4 from the remote console).</summary>
[Flags]
public enum SolOperation : byte
{
    None = 0,
    FlushOutbound = 0x01,
    FlushInbound = 0x02,
    DropDcd = 0x04,
    PauseCts = 0x08,
    Break = 0x10,
    AssertRing = 0x20,
    /// <summary>The data numbered in <see cref="SolPacket.Acknowledged"/> was not taken, or not all of it.</summary>
    Nack = 0x40,
}

/// <summary>What a BMC says of the serial port (table 15-2, octet 4 from the BMC).</summary>
[Flags]
public enum SolCondition : byte
{
    None = 0,
    BreakSeen = 0x04,
    Overrun = 0x08,
    Deactivating = 0x10,
    /// <summary>The host is off or the port is not there: data is refused until a packet comes without it.</summary>
    TransferUnavailable = 0x20,
    Nack = 0x40,
}

/// <summary>A serial-over-LAN payload (section 15.9). Each side numbers its data 1-15 and has one packet under way at most.</summary>
public readonly ref struct SolPacket
{
    //  octet 0                   1                     2                 3                    4 …
    //  +----------------------+---------------------+-----------------+--------------------+-------------+
    //  | sequence 3:0, 0 = no | acknowledged 3:0,   | accepted octets | operation, or      | characters  |
    //  | data to acknowledge  | 0 = nothing         | of that packet  | condition          |             |
    //  +----------------------+---------------------+-----------------+--------------------+-------------+

    public const int HeaderLength = 4;
    public const byte MaxSequence = 15;

    /// <summary>1-15 with data, 0 in a bare acknowledgement.</summary>
    public byte Sequence { get; init; }
    /// <summary>The packet that this one answers, or 0.</summary>
    public byte Acknowledged { get; init; }
    /// <summary>How many characters of that packet were taken.</summary>
    public byte Accepted { get; init; }
    /// <summary><see cref="SolOperation"/> towards the BMC, <see cref="SolCondition"/> from it.</summary>
    public byte Flags { get; init; }
    public ReadOnlySpan<byte> Characters { get; init; }

    public SolCondition Condition => (SolCondition)Flags;
    public SolOperation Operation => (SolOperation)Flags;

    public int Write(Span<byte> payload)
    {
        payload[0] = Sequence;
        payload[1] = Acknowledged;
        payload[2] = Accepted;
        payload[3] = Flags;
        Characters.CopyTo(payload[HeaderLength..]);
        return HeaderLength + Characters.Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out SolPacket packet, out IpmiDefect defect)
    {
        packet = default;
        if (payload.Length < HeaderLength) { defect = IpmiDefect.Truncated; return false; }
        packet = new()
        {
            Sequence = (byte)(payload[0] & 0x0F),
            Acknowledged = (byte)(payload[1] & 0x0F),
            Accepted = payload[2],
            Flags = payload[3],
            Characters = payload[HeaderLength..],
        };
        defect = IpmiDefect.None;
        return true;
    }

    /// <summary>The number after <paramref name="sequence"/>: 1 follows 15, since 0 says "no data".</summary>
    public static byte Next(byte sequence) => sequence >= MaxSequence ? (byte)1 : (byte)(sequence + 1);
}
