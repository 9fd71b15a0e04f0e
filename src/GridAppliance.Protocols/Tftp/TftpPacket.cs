using System.Buffers.Binary;

namespace GridAppliance.Protocols.Tftp;

/// <summary>The packets of a transfer under way: DATA, ACK, ERROR (RFC 1350 section 5) and OACK (RFC 2347 section 2).</summary>
public static class TftpPacket
{
    /// <summary>Octets before a DATA packet's payload; the whole of an ACK.</summary>
    public const int HeaderLength = 4;

    public static bool IsKnown(TftpOpcode opcode) => opcode is >= TftpOpcode.ReadRequest and <= TftpOpcode.OptionAcknowledgement;

    /// <summary>Reads the kind of a packet of a transfer.</summary>
    public static bool TryReadOpcode(ReadOnlySpan<byte> packet, out TftpOpcode opcode, out TftpDefect defect)
    {
        opcode = packet.Length < 2 ? default : (TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet);
        defect = packet.Length < 2 ? TftpDefect.Truncated : IsKnown(opcode) ? TftpDefect.None : TftpDefect.UnknownOpcode;
        return defect == TftpDefect.None;
    }

    //  2 octets   2 octets   0..blksize
    // +---------+----------+-----~~-----+
    // |    3    |  block # |    data    |      DATA: a block shorter than blksize ends the transfer
    // +---------+----------+-----~~-----+

    public static bool TryReadData(ReadOnlySpan<byte> packet, out ushort block, out ReadOnlySpan<byte> payload, out TftpDefect defect)
    {
        payload = default;
        if (!TryReadNumbered(packet, TftpOpcode.Data, out block, out defect)) return false;
        payload = packet[HeaderLength..];
        return true;
    }

    public static void WriteDataHeader(Span<byte> destination, ushort block) => WriteNumbered(destination, TftpOpcode.Data, block);

    //  2 octets   2 octets
    // +---------+----------+
    // |    4    |  block # |                   ACK: 0 answers an OACK
    // +---------+----------+

    /// <remarks>Octets after the block number are let pass: some ROMs send their ACK in a minimum-size buffer.</remarks>
    public static bool TryReadAcknowledgement(ReadOnlySpan<byte> packet, out ushort block, out TftpDefect defect) =>
        TryReadNumbered(packet, TftpOpcode.Acknowledgement, out block, out defect);

    public static int WriteAcknowledgement(Span<byte> destination, ushort block) => WriteNumbered(destination, TftpOpcode.Acknowledgement, block);

    //  2 octets   2 octets     text    1
    // +---------+-----------+---~~---+---+
    // |    5    | ErrorCode |  text  | 0 |    ERROR: the text is for people and may be unterminated in the wild
    // +---------+-----------+---~~---+---+

    public static bool TryReadError(ReadOnlySpan<byte> packet, out TftpErrorCode code, out ReadOnlySpan<byte> message, out TftpDefect defect)
    {
        message = default;
        code = default;
        if (!TryReadNumbered(packet, TftpOpcode.Error, out var number, out defect)) return false;
        code = (TftpErrorCode)number;
        message = packet[HeaderLength..];
        var end = message.IndexOf((byte)0);
        if (end >= 0) message = message[..end];
        return true;
    }

    /// <returns>Octets written.</returns>
    public static int WriteError(Span<byte> destination, TftpErrorCode code, ReadOnlySpan<byte> message)
    {
        var rest = destination[WriteNumbered(destination, TftpOpcode.Error, (ushort)code)..];
        TftpText.Write(ref rest, message);
        return destination.Length - rest.Length;
    }

    //  2 octets
    // +---------+---~~---+
    // |    6    | options …                    OACK: only what the server accepts
    // +---------+---~~---+

    public static bool TryReadOptionAcknowledgement(ReadOnlySpan<byte> packet, out TftpOptions options, out TftpDefect defect)
    {
        options = default;
        return TryExpect(packet, TftpOpcode.OptionAcknowledgement, 2, out defect) && TftpOptions.TryRead(packet[2..], out options, out defect);
    }

    /// <returns>Octets written.</returns>
    public static int WriteOptionAcknowledgement(Span<byte> destination, TftpOptions options)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)TftpOpcode.OptionAcknowledgement);
        var rest = destination[2..];
        options.Write(ref rest);
        return destination.Length - rest.Length;
    }

    static bool TryReadNumbered(ReadOnlySpan<byte> packet, TftpOpcode expected, out ushort number, out TftpDefect defect)
    {
        number = 0;
        if (!TryExpect(packet, expected, HeaderLength, out defect)) return false;
        number = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        return true;
    }

    static bool TryExpect(ReadOnlySpan<byte> packet, TftpOpcode expected, int minimum, out TftpDefect defect)
    {
        if (!TryReadOpcode(packet, out var opcode, out defect)) return false;
        defect = opcode != expected ? TftpDefect.UnexpectedOpcode : packet.Length < minimum ? TftpDefect.Truncated : TftpDefect.None;
        return defect == TftpDefect.None;
    }

    static int WriteNumbered(Span<byte> destination, TftpOpcode opcode, ushort number)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)opcode);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], number);
        return HeaderLength;
    }
}
