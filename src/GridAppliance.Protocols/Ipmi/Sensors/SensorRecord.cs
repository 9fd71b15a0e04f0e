using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using GridAppliance.Protocols.Ipmi.Fru;

namespace GridAppliance.Protocols.Ipmi.Sensors;

/// <summary>Kinds of sensor data records (IPMI 2.0, section 43).</summary>
public enum SdrType : byte
{
    FullSensor = 0x01,
    CompactSensor = 0x02,
    EventOnly = 0x03,
    FruLocator = 0x11,
    ControllerLocator = 0x12,
    Oem = 0xC0,
}

/// <summary>The five octets before each record (section 43.1): enough to read the rest.</summary>
public readonly record struct SdrHeader(ushort Record, byte Version, SdrType Type, byte BodyLength)
{
    //  octet 0-1        2         3      4
    //  +--------------+---------+------+------------------+
    //  | record (LE)  | version | type | octets to follow |
    //  +--------------+---------+------+------------------+

    public const int Length = 5;

    public static bool TryRead(ReadOnlySpan<byte> record, out SdrHeader header)
    {
        header = default;
        if (record.Length < Length) return false;
        header = new(BinaryPrimitives.ReadUInt16LittleEndian(record), record[2], (SdrType)record[3], record[4]);
        return true;
    }
}

/// <summary>How a sensor's octet is to be taken (table 43-1, sensor units 1).</summary>
public enum AnalogFormat : byte { Unsigned = 0, OnesComplement = 1, TwosComplement = 2, None = 3 }

/// <summary>A sensor as its full or compact record describes it (sections 43.1 and 43.2).</summary>
public sealed record SensorRecord
{
    //  both:    5 owner, 6 LUN 1:0, 7 number, 8 entity, 9 instance, 12 sensor type, 13 event type, 20-22 units
    //  full:    23 linearisation, 24-29 M B R, 36-41 thresholds, 42-43 hysteresis, 47 name's type and length, 48 … name
    //  compact: 23-24 sharing, 31 name's type and length, 32 … name

    const int UnitsEnd = 23;
    const int FullNameAt = 47;
    const int CompactNameAt = 31;

    public required SdrHeader Header { get; init; }
    public required byte Owner { get; init; }
    public required byte Lun { get; init; }
    public required byte Number { get; init; }
    public required byte Entity { get; init; }
    public required byte EntityInstance { get; init; }
    public required byte SensorType { get; init; }
    /// <summary>01h: thresholds; otherwise discrete.</summary>
    public required byte EventType { get; init; }
    public required SensorUnit Unit { get; init; }
    public required string Name { get; init; }
    /// <summary>How octets become values; null for a discrete sensor.</summary>
    public SensorConversion? Conversion { get; init; }
    public SensorThresholds Thresholds { get; init; }
    /// <summary>How many sensors with consecutive numbers share the record.</summary>
    public byte Shared { get; init; } = 1;

    public bool IsThreshold => EventType == 0x01;

    /// <summary>Reads a full or compact record; false for any other kind, and for one that is cut short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> record, [MaybeNullWhen(false)] out SensorRecord sensor)
    {
        sensor = null;
        if (!SdrHeader.TryRead(record, out var header) || header.Type is not (SdrType.FullSensor or SdrType.CompactSensor)) return false;
        var isFull = header.Type == SdrType.FullSensor;
        var nameAt = isFull ? FullNameAt : CompactNameAt;
        if (record.Length < UnitsEnd || record.Length <= nameAt || !FruField.TryRead(record[nameAt..], out var name, out _)) return false;
        var conversion = isFull ? SensorConversion.Read(record) : null;
        sensor = new()
        {
            Header = header,
            Owner = record[5],
            Lun = (byte)(record[6] & 3),
            Number = record[7],
            Entity = record[8],
            EntityInstance = record[9],
            SensorType = record[12],
            EventType = (byte)(record[13] & 0x7F),
            Unit = new(record[20], record[21], record[22]),
            Name = name,
            Conversion = conversion,
            Thresholds = conversion is null ? default : SensorThresholds.Read(record, conversion),
            Shared = isFull ? (byte)1 : (byte)Math.Max(1, record[23] & 0x0F),
        };
        return true;
    }
}

/// <summary>Limits in the sensor's own unit; null where the BMC does not report it (table 43-1, octets 18-19 and 36-41).</summary>
public readonly record struct SensorThresholds
{
    public double? LowerNonCritical { get; init; }
    public double? LowerCritical { get; init; }
    public double? LowerNonRecoverable { get; init; }
    public double? UpperNonCritical { get; init; }
    public double? UpperCritical { get; init; }
    public double? UpperNonRecoverable { get; init; }

    internal static SensorThresholds Read(ReadOnlySpan<byte> record, SensorConversion conversion)
    {
        // Which of them can be read: bits 0-5 of the readable mask, in this order.
        var readable = record[18];
        return new()
        {
            LowerNonCritical = At(0, record[41]),
            LowerCritical = At(1, record[40]),
            LowerNonRecoverable = At(2, record[39]),
            UpperNonCritical = At(3, record[38]),
            UpperCritical = At(4, record[37]),
            UpperNonRecoverable = At(5, record[36]),
        };

        double? At(int bit, byte raw) => (readable & 1 << bit) != 0 ? conversion.ToValue(raw) : null;
    }
}
