using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get FRU Inventory Area Info (IPMI 2.0, section 34.1).</summary>
public sealed record GetFruArea(byte Device) : IpmiRequest<FruArea>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x10;

    public override int WriteData(Span<byte> data)
    {
        data[0] = Device;
        return 1;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out FruArea answer)
    {
        answer = default;
        if (data.Length < 3) return false;
        answer = new(BinaryPrimitives.ReadUInt16LittleEndian(data), (data[2] & 1) != 0);
        return true;
    }
}

/// <summary>How many octets there are, and whether offsets count in words of two.</summary>
public readonly record struct FruArea(ushort Size, bool ByWords);

/// <summary>Read FRU Data (section 34.2). Offset and count are in octets or words, as <see cref="FruArea"/> says.</summary>
public sealed record ReadFruData(byte Device, ushort Offset, byte Count) : IpmiRequest<ReadOnlyMemory<byte>>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x11;

    public override int WriteData(Span<byte> data)
    {
        data[0] = Device;
        BinaryPrimitives.WriteUInt16LittleEndian(data[1..], Offset);
        data[3] = Count;
        return 4;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out ReadOnlyMemory<byte> answer)
    {
        // The count that the BMC states is in its own unit; the octets that came are what counts.
        answer = data.Length > 0 ? data[1..].ToArray() : default;
        return data.Length > 0;
    }
}
