using System.Buffers.Binary;

namespace GridAppliance.Testing;

/// <summary>Reads the frames of a pcap or pcapng capture, whole, in either byte order: enough for fixtures, and strict about anything else.</summary>
public static class PcapFile
{
    /// <summary>A captured frame and the link type it was captured on (1 = Ethernet, 113 = Linux cooked).</summary>
    public sealed record Frame(int Number, int LinkType, byte[] Data)
    {
        /// <summary>The IPv4/UDP payload with its ports and addresses, or null for anything else and for fragments.</summary>
        public UdpPayload? Udp()
        {
            var at = LinkType switch { 1 => 14, 113 => 16, 0 => 4, 101 => 0, _ => throw new InvalidDataException($"link type {LinkType}") };
            var data = Data.AsSpan();
            if (LinkType is 1 or 113)
            {
                if (data.Length < at) return null;
                var type = BinaryPrimitives.ReadUInt16BigEndian(data[(at - 2)..]);
                while (type is 0x8100 or 0x88A8 && data.Length >= at + 4)
                {
                    type = BinaryPrimitives.ReadUInt16BigEndian(data[(at + 2)..]);
                    at += 4;
                }
                if (type != 0x0800) return null;
            }
            var ip = data[at..];
            if (ip.Length < 20 || ip[0] >> 4 != 4 || ip[9] != 17 || (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3FFF) != 0) return null;
            var header = (ip[0] & 15) * 4;
            if (ip.Length < header + 8) return null;
            var udp = ip[header..];
            var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(udp[4..]), udp.Length);
            return length < 8 ? null : new UdpPayload(
                Number,
                BinaryPrimitives.ReadUInt32BigEndian(ip[12..]), BinaryPrimitives.ReadUInt32BigEndian(ip[16..]),
                BinaryPrimitives.ReadUInt16BigEndian(udp), BinaryPrimitives.ReadUInt16BigEndian(udp[2..]),
                udp[8..length].ToArray());
        }
    }

    public sealed record UdpPayload(int Frame, uint Source, uint Destination, int SourcePort, int DestinationPort, byte[] Data);

    public static IReadOnlyList<Frame> Read(string path)
    {
        var file = File.ReadAllBytes(path);
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(file);
        return magic switch
        {
            0xA1B2C3D4 or 0xA1B23C4D => Classic(file, littleEndian: true),
            0xD4C3B2A1 or 0x4D3CB2A1 => Classic(file, littleEndian: false),
            0x0A0D0D0A => NextGeneration(file),
            _ => throw new InvalidDataException($"{path} is not a capture file"),
        };
    }

    static List<Frame> Classic(ReadOnlySpan<byte> file, bool littleEndian)
    {
        var frames = new List<Frame>();
        var link = UInt32(file[20..], littleEndian) & 0xFFFF;
        for (var at = 24; at + 16 <= file.Length;)
        {
            var length = (int)UInt32(file[(at + 8)..], littleEndian);
            frames.Add(new(frames.Count + 1, (int)link, file.Slice(at + 16, length).ToArray()));
            at += 16 + length;
        }
        return frames;
    }

    static List<Frame> NextGeneration(ReadOnlySpan<byte> file)
    {
        var frames = new List<Frame>();
        var links = new List<int>();
        var littleEndian = true;
        for (var at = 0; at + 12 <= file.Length;)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(file[at..]) == 0x0A0D0D0A)
            {
                littleEndian = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 8)..]) == 0x1A2B3C4D;
                links.Clear();
            }
            var type = UInt32(file[at..], littleEndian);
            var length = (int)UInt32(file[(at + 4)..], littleEndian);
            var body = file.Slice(at + 8, length - 12);
            switch (type)
            {
                case 1:
                    links.Add(littleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(body) : BinaryPrimitives.ReadUInt16BigEndian(body));
                    break;
                case 6:
                    var captured = (int)UInt32(body[12..], littleEndian);
                    frames.Add(new(frames.Count + 1, links[(int)UInt32(body, littleEndian)], body.Slice(20, captured).ToArray()));
                    break;
            }
            at += length;
        }
        return frames;
    }

    static uint UInt32(ReadOnlySpan<byte> source, bool littleEndian) =>
        littleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(source) : BinaryPrimitives.ReadUInt32BigEndian(source);
}
