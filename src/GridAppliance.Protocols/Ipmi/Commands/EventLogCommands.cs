using System.Buffers.Binary;
using GridAppliance.Protocols.Ipmi.Events;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get SEL Info (IPMI 2.0, section 31.2).</summary>
public sealed record GetEventLogInfo : IpmiRequest<EventLogState>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x40;

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out EventLogState answer)
    {
        answer = default;
        if (data.Length < 14) return false;
        answer = new()
        {
            Entries = BinaryPrimitives.ReadUInt16LittleEndian(data[1..]),
            FreeOctets = BinaryPrimitives.ReadUInt16LittleEndian(data[3..]),
            LastAddition = BinaryPrimitives.ReadUInt32LittleEndian(data[5..]),
            LastErase = BinaryPrimitives.ReadUInt32LittleEndian(data[9..]),
            HasOverflowed = (data[13] & 0x80) != 0,
        };
        return true;
    }
}

public readonly record struct EventLogState
{
    public ushort Entries { get; init; }
    /// <summary>FFFFh says "this much or more".</summary>
    public ushort FreeOctets { get; init; }
    public uint LastAddition { get; init; }
    public uint LastErase { get; init; }
    /// <summary>Events were dropped for want of room.</summary>
    public bool HasOverflowed { get; init; }
}

/// <summary>Reserve SEL (section 31.4).</summary>
public sealed record ReserveEventLog : IpmiRequest<RepositoryReservation>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x42;
    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out RepositoryReservation answer) => RepositoryReservation.TryRead(data, out answer);
}

/// <summary>Get SEL Entry (section 31.5), always the whole entry, for which no reservation is needed.</summary>
public sealed record GetEventLogEntry(ushort Record) : IpmiRequest<LoggedEvent>
{
    const byte WholeEntry = 0xFF;

    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x43;

    public override int WriteData(Span<byte> data)
    {
        data[..2].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(data[2..], Record);
        data[4] = 0;
        data[5] = WholeEntry;
        return 6;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out LoggedEvent answer)
    {
        answer = default;
        if (data.Length < 2 || !SelEntry.TryRead(data[2..], out var entry)) return false;
        answer = new(BinaryPrimitives.ReadUInt16LittleEndian(data), entry);
        return true;
    }
}

/// <summary>An entry with the id of the one after it, <see cref="RecordPiece.Last"/> when there is none.</summary>
public readonly record struct LoggedEvent(ushort Next, SelEntry Entry);

/// <summary>Add SEL Entry (section 31.6): for tests, which have a simulator log something.</summary>
public sealed record AddEventLogEntry(SelEntry Entry) : IpmiRequest<RepositoryReservation>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x44;
    public override bool IsRepeatable => false;

    public override int WriteData(Span<byte> data) => Entry.Write(data);

    /// <summary>The answer is the id that the new record got.</summary>
    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out RepositoryReservation answer) => RepositoryReservation.TryRead(data, out answer);
}

/// <summary>Clear SEL (section 31.9): starts erasing, or asks how far it has come.</summary>
public sealed record ClearEventLog(RepositoryReservation Ticket, bool Start) : IpmiRequest<bool>
{
    public override NetFunction Function => NetFunction.Storage;
    public override byte Command => 0x47;

    public override int WriteData(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(data, Ticket.Id);
        "CLR"u8.CopyTo(data[2..]);
        data[5] = (byte)(Start ? 0xAA : 0x00);
        return 6;
    }

    /// <summary>True when erasing is over.</summary>
    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out bool answer)
    {
        answer = data.Length > 0 && (data[0] & 0x0F) == 1;
        return data.Length > 0;
    }
}
