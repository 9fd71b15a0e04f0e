using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Events;

/// <summary>A record of the system event log (IPMI 2.0, section 32.1), with the fields of the standard record type; OEM records keep their octets.</summary>
public readonly record struct SelEntry
{
    //  octet 0-1      2      3-6              7-8              9          10            11       12                     13-15
    //  +------------+------+----------------+----------------+----------+-------------+--------+----------------------+-----------+
    //  | record id  | type | time (LE)      | generator (LE) | revision | sensor type | sensor | event 7 = off, 6:0   | data 1-3  |
    //  +------------+------+----------------+----------------+----------+-------------+--------+----------------------+-----------+
    //  types C0-DF: time, then maker and six octets; types E0-FF: thirteen octets of the maker's own

    public const int Length = 16;

    const byte SystemEvent = 0x02;
    const byte FirstOem = 0xC0;
    const byte FirstOemWithoutTime = 0xE0;
    /// <summary>Timestamps up to here count seconds since the BMC started rather than since 1970 (section 37.1).</summary>
    const uint LastRelative = 0x2000_0000;

    public ushort Record { get; init; }
    public byte RecordType { get; init; }
    /// <summary>As logged; see <see cref="Time"/>.</summary>
    public uint Timestamp { get; init; }
    public ushort Generator { get; init; }
    public byte Revision { get; init; }
    public byte SensorType { get; init; }
    public byte Sensor { get; init; }
    /// <summary>Event or reading type: 01h threshold, 02h-0Ch generic, 6Fh specific to the sensor's type.</summary>
    public byte EventType { get; init; }
    public bool IsDeassertion { get; init; }
    public byte Data1 { get; init; }
    public byte Data2 { get; init; }
    public byte Data3 { get; init; }
    /// <summary>The last nine octets (the last thirteen without a timestamp) of an OEM record.</summary>
    public UInt128 Oem { get; init; }

    public bool IsOem => RecordType >= FirstOem;
    public bool HasTime => RecordType < FirstOemWithoutTime;

    /// <summary>When it happened; null where the BMC did not know the date.</summary>
    public DateTimeOffset? Time => HasTime && Timestamp > LastRelative && Timestamp != uint.MaxValue ? DateTimeOffset.FromUnixTimeSeconds(Timestamp) : null;

    /// <summary>What the sensor said: an offset into the table of its event type.</summary>
    public byte Offset => (byte)(Data1 & 0x0F);

    public static bool TryRead(ReadOnlySpan<byte> data, out SelEntry entry)
    {
        entry = default;
        if (data.Length < Length) return false;
        var record = BinaryPrimitives.ReadUInt16LittleEndian(data);
        var type = data[2];
        var timestamp = BinaryPrimitives.ReadUInt32LittleEndian(data[3..]);
        entry = type >= FirstOem
            ? new() { Record = record, RecordType = type, Timestamp = type < FirstOemWithoutTime ? timestamp : 0, Oem = ReadOem(type < FirstOemWithoutTime ? data[7..Length] : data[3..Length]) }
            : new()
            {
                Record = record,
                RecordType = type,
                Timestamp = timestamp,
                Generator = BinaryPrimitives.ReadUInt16LittleEndian(data[7..]),
                Revision = data[9],
                SensorType = data[10],
                Sensor = data[11],
                IsDeassertion = (data[12] & 0x80) != 0,
                EventType = (byte)(data[12] & 0x7F),
                Data1 = data[13],
                Data2 = data[14],
                Data3 = data[15],
            };
        return true;
    }

    /// <summary>Writes a standard record; OEM records are read only.</summary>
    public int Write(Span<byte> data)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(data, Record);
        data[2] = RecordType == 0 ? SystemEvent : RecordType;
        BinaryPrimitives.WriteUInt32LittleEndian(data[3..], Timestamp);
        BinaryPrimitives.WriteUInt16LittleEndian(data[7..], Generator);
        data[9] = Revision;
        data[10] = SensorType;
        data[11] = Sensor;
        data[12] = (byte)(EventType | (IsDeassertion ? 0x80 : 0));
        data[13] = Data1;
        data[14] = Data2;
        data[15] = Data3;
        return Length;
    }

    static UInt128 ReadOem(ReadOnlySpan<byte> octets)
    {
        UInt128 value = 0;
        foreach (var octet in octets) value = value << 8 | octet;
        return value;
    }
}
