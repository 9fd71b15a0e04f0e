namespace GridAppliance.Protocols.Ipmi;

/// <summary>
/// An IPMB message as it travels inside a LAN session (IPMI 2.0, section 13.8). Requests and answers share the layout; an answer has the
/// completion code as the first octet of its data, and its network function is odd.
/// </summary>
public readonly ref struct IpmbMessage
{
    //  octet 0      1            2       3          4             5      6 …        last
    //  +---------+------------+-------+----------+-------------+-----+----------+-------+
    //  | to      | netFn, LUN | chk 1 | from     | rqSeq, LUN  | cmd | data …   | chk 2 |
    //  +---------+------------+-------+----------+-------------+-----+----------+-------+
    //              bits 7:2,1:0                    bits 7:2,1:0
    // chk 1 makes octets 0-2 add up to zero, chk 2 octets 3-last.

    /// <summary>Octets beside the data.</summary>
    public const int Overhead = 7;

    /// <summary>The BMC's own address on its bus.</summary>
    public const byte BmcAddress = 0x20;

    /// <summary>The software id that remote consoles use.</summary>
    public const byte ConsoleAddress = 0x81;

    const int DataOffset = 6;

    public byte To { get; private init; }
    public byte From { get; private init; }
    /// <summary>The network function of the request; see <see cref="IsAnswer"/>.</summary>
    public NetFunction Function { get; private init; }
    public bool IsAnswer { get; private init; }
    public byte Lun { get; private init; }
    /// <summary>0-63: ties an answer to its request.</summary>
    public byte Sequence { get; private init; }
    public byte Command { get; private init; }
    public ReadOnlySpan<byte> Data { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> source, out IpmbMessage message, out IpmiDefect defect)
    {
        message = default;
        if (source.Length < Overhead) { defect = IpmiDefect.Truncated; return false; }
        if (Sum(source[..3]) != 0 || Sum(source[3..]) != 0) { defect = IpmiDefect.Checksum; return false; }
        var function = source[1] >> 2;
        message = new()
        {
            To = source[0],
            Function = (NetFunction)(function & 0xFE),
            IsAnswer = (function & 1) != 0,
            Lun = (byte)(source[1] & 3),
            From = source[3],
            Sequence = (byte)(source[4] >> 2),
            Command = source[5],
            Data = source[DataOffset..^1],
        };
        defect = IpmiDefect.None;
        return true;
    }

    /// <summary>Writes a request from the console to the BMC; returns its length.</summary>
    public static int WriteRequest(Span<byte> destination, IpmiRequest request, byte sequence)
    {
        var length = request.WriteData(destination[DataOffset..^1]);
        return Frame(destination, BmcAddress, (byte)((byte)request.Function << 2 | request.Lun), ConsoleAddress, (byte)(sequence << 2), request.Command, length);
    }

    /// <summary>Writes an answer, <paramref name="data"/> starting with the completion code; returns its length.</summary>
    public static int WriteAnswer(Span<byte> destination, NetFunction function, byte command, byte sequence, ReadOnlySpan<byte> data)
    {
        data.CopyTo(destination[DataOffset..]);
        return Frame(destination, ConsoleAddress, (byte)(((byte)function | 1) << 2), BmcAddress, (byte)(sequence << 2), command, data.Length);
    }

    static int Frame(Span<byte> destination, byte to, byte function, byte from, byte sequence, byte command, int dataLength)
    {
        destination[0] = to;
        destination[1] = function;
        destination[2] = (byte)-Sum(destination[..2]);
        destination[3] = from;
        destination[4] = sequence;
        destination[5] = command;
        var end = DataOffset + dataLength;
        destination[end] = (byte)-Sum(destination[3..end]);
        return end + 1;
    }

    static byte Sum(ReadOnlySpan<byte> octets)
    {
        byte sum = 0;
        foreach (var octet in octets) sum += octet;
        return sum;
    }
}
