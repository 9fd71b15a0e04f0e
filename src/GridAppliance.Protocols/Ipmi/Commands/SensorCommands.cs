using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get Sensor Reading (IPMI 2.0, section 35.14).</summary>
public sealed record GetSensorReading(byte Number, byte SensorLun) : IpmiRequest<RawReading>
{
    public override NetFunction Function => NetFunction.SensorEvent;
    public override byte Command => 0x2D;
    public override byte Lun => SensorLun;

    public override int WriteData(Span<byte> data)
    {
        data[0] = Number;
        return 1;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out RawReading answer)
    {
        answer = default;
        if (data.Length < 2) return false;
        answer = new()
        {
            Value = data[0],
            IsAvailable = (data[1] & 0x20) == 0,
            IsScanned = (data[1] & 0x40) != 0,
            // Bit 15 is reserved and reads as one.
            States = (ushort)((data.Length > 2 ? data[2] : 0) | (data.Length > 3 ? (data[3] & 0x7F) << 8 : 0)),
        };
        return true;
    }
}

public readonly record struct RawReading
{
    public byte Value { get; init; }
    public bool IsAvailable { get; init; }
    public bool IsScanned { get; init; }
    /// <summary>Thresholds crossed, or states asserted, by offset.</summary>
    public ushort States { get; init; }
}

/// <summary>Get SDR Repository Info (section 33.9).</summary>
public sealed record GetSdrRepositoryInfo : IpmiRequest<SdrRepositoryInfo>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x20;

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out SdrRepositoryInfo answer)
    {
        answer = default;
        if (data.Length < 13) return false;
        answer = new(BinaryPrimitives.ReadUInt16LittleEndian(data[1..]), BinaryPrimitives.ReadUInt32LittleEndian(data[5..]), BinaryPrimitives.ReadUInt32LittleEndian(data[9..]));
        return true;
    }
}

/// <summary>How many records there are, and when they changed last: two equal answers mean that a copy is still good.</summary>
public readonly record struct SdrRepositoryInfo(ushort Records, uint LastAddition, uint LastErase);

/// <summary>Reserve SDR Repository (section 33.11); a partial read needs it.</summary>
public sealed record ReserveSdrRepository : IpmiRequest<RepositoryReservation>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x22;
    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out RepositoryReservation answer) => RepositoryReservation.TryRead(data, out answer);
}

/// <summary>A ticket that a repository hands out and takes back when its contents change.</summary>
public readonly record struct RepositoryReservation(ushort Id)
{
    internal static bool TryRead(ReadOnlySpan<byte> data, out RepositoryReservation reservation)
    {
        reservation = default;
        if (data.Length < 2) return false;
        reservation = new(BinaryPrimitives.ReadUInt16LittleEndian(data));
        return true;
    }
}

/// <summary>Get SDR (section 33.12): a piece of a record. Record 0000h is the first; FFFFh as the next one means that there is none.</summary>
public sealed record GetSdr(RepositoryReservation Ticket, ushort Record, byte Offset, byte Count) : IpmiRequest<RecordPiece>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x23;

    public override int WriteData(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(data, Ticket.Id);
        BinaryPrimitives.WriteUInt16LittleEndian(data[2..], Record);
        data[4] = Offset;
        data[5] = Count;
        return 6;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, [MaybeNullWhen(false)] out RecordPiece answer) => RecordPiece.TryRead(data, out answer);
}

/// <summary>Octets of a record, and the id of the record after it.</summary>
public sealed record RecordPiece(ushort Next, ReadOnlyMemory<byte> Octets)
{
    public const ushort First = 0x0000;
    public const ushort Last = 0xFFFF;

    internal static bool TryRead(ReadOnlySpan<byte> data, [MaybeNullWhen(false)] out RecordPiece piece)
    {
        piece = data.Length < 2 ? null : new(BinaryPrimitives.ReadUInt16LittleEndian(data), data[2..].ToArray());
        return piece is not null;
    }
}
