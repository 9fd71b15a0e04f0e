using System.Buffers.Binary;

namespace GridAppliance.Protocols.Tftp;

/// <summary>A read or write request (RFC 1350 section 5, options by RFC 2347). The file name is what the peer sent: a key to look up, never a path.</summary>
public readonly ref struct TftpRequest
{
    /// <summary>RFC 2347 section 2.</summary>
    public const int MaxLength = 512;

    public required TftpOpcode Opcode { get; init; }
    public required ReadOnlySpan<byte> FileName { get; init; }
    public required TftpMode Mode { get; init; }
    public TftpOptions Options { get; init; }

    //  2 octets    text    1    text   1
    // +---------+---~~---+---+---~~---+---+---~~---+
    // | 1 or 2  |  name  | 0 |  mode  | 0 | options …
    // +---------+---~~---+---+---~~---+---+---~~---+

    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpRequest request, out TftpDefect defect)
    {
        request = default;
        if (packet.Length < 2) { defect = TftpDefect.Truncated; return false; }
        var opcode = (TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet);
        if (opcode is not (TftpOpcode.ReadRequest or TftpOpcode.WriteRequest))
        {
            defect = TftpPacket.IsKnown(opcode) ? TftpDefect.UnexpectedOpcode : TftpDefect.UnknownOpcode;
            return false;
        }
        if (packet.Length > MaxLength) { defect = TftpDefect.RequestTooLong; return false; }

        var rest = packet[2..];
        if (!TftpText.TryRead(ref rest, out var name, out defect)) return false;
        if (name.IsEmpty) { defect = TftpDefect.EmptyFileName; return false; }
        if (!TftpText.TryRead(ref rest, out var modeName, out defect)) return false;
        if (!TryReadMode(modeName, out var mode)) { defect = TftpDefect.UnknownMode; return false; }
        if (!TftpOptions.TryRead(rest, out var options, out defect)) return false;
        request = new TftpRequest { Opcode = opcode, FileName = name, Mode = mode, Options = options };
        return true;
    }

    /// <returns>Octets written.</returns>
    public int Write(Span<byte> destination)
    {
        var rest = destination;
        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)Opcode);
        rest = rest[2..];
        TftpText.Write(ref rest, FileName);
        TftpText.Write(ref rest, Mode switch
        {
            TftpMode.Netascii => "netascii"u8,
            TftpMode.Octet => "octet"u8,
            TftpMode.Mail => "mail"u8,
        });
        Options.Write(ref rest);
        return destination.Length - rest.Length;
    }

    static bool TryReadMode(ReadOnlySpan<byte> name, out TftpMode mode)
    {
        mode = TftpText.Same(name, "netascii"u8) ? TftpMode.Netascii : TftpText.Same(name, "mail"u8) ? TftpMode.Mail : TftpMode.Octet;
        return mode != TftpMode.Octet || TftpText.Same(name, "octet"u8);
    }
}
