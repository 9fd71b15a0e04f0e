using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get Device ID (IPMI 2.0, section 20.1).</summary>
public sealed record GetDeviceId : IpmiRequest<DeviceId>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x01;

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out DeviceId answer)
    {
        answer = default;
        if (data.Length < 11) return false;
        answer = new()
        {
            Id = data[0],
            Revision = (byte)(data[1] & 0x0F),
            ProvidesSdrs = (data[1] & 0x80) != 0,
            FirmwareMajor = (byte)(data[2] & 0x7F),
            // Two BCD digits.
            FirmwareMinor = (byte)((data[3] >> 4) * 10 + (data[3] & 0x0F)),
            IpmiMajor = (byte)(data[4] & 0x0F),
            IpmiMinor = (byte)(data[4] >> 4),
            Support = (DeviceSupport)data[5],
            Manufacturer = (uint)(data[6] | data[7] << 8 | (data[8] & 0x0F) << 16),
            Product = BinaryPrimitives.ReadUInt16LittleEndian(data[9..]),
        };
        return true;
    }
}

public readonly record struct DeviceId
{
    public byte Id { get; init; }
    public byte Revision { get; init; }
    public bool ProvidesSdrs { get; init; }
    public byte FirmwareMajor { get; init; }
    public byte FirmwareMinor { get; init; }
    public byte IpmiMajor { get; init; }
    public byte IpmiMinor { get; init; }
    public DeviceSupport Support { get; init; }
    /// <summary>IANA enterprise number.</summary>
    public uint Manufacturer { get; init; }
    public ushort Product { get; init; }
}

[Flags]
public enum DeviceSupport : byte
{
    None = 0,
    Sensors = 0x01,
    SdrRepository = 0x02,
    EventLog = 0x04,
    FruInventory = 0x08,
    EventReceiver = 0x10,
    EventGenerator = 0x20,
    Bridge = 0x40,
    Chassis = 0x80,
}

/// <summary>Get System GUID (section 22.14). Makers disagree on the order of its fields, so the octets are kept as sent.</summary>
public sealed record GetSystemGuid : IpmiRequest<SystemGuid>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x37;

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out SystemGuid answer)
    {
        answer = default;
        if (data.Length < 16) return false;
        answer = new(BinaryPrimitives.ReadUInt128LittleEndian(data));
        return true;
    }
}

/// <summary>Sixteen octets as a BMC sends them, least significant first as IPMI lays them out.</summary>
public readonly record struct SystemGuid(UInt128 Value)
{
    /// <summary>The UUID in the order that the specification gives (section 20.8): the wire holds the RFC 4122 octets reversed.</summary>
    public Guid FromIpmiOrder()
    {
        Span<byte> octets = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(octets, Value);
        return new(octets, bigEndian: true);
    }

    /// <summary>The UUID of a BMC that sends SMBIOS order instead, as many do.</summary>
    public Guid FromSmbiosOrder()
    {
        Span<byte> octets = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(octets, Value);
        return new(octets);
    }

    /// <summary>The UUID of a BMC that sends RFC 4122 octets as they are.</summary>
    public Guid FromWireOrder()
    {
        Span<byte> octets = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(octets, Value);
        return new(octets, bigEndian: true);
    }

    /// <summary>True when any of the three orders in use gives <paramref name="uuid"/>.</summary>
    public bool Matches(Guid uuid) => uuid == FromIpmiOrder() || uuid == FromSmbiosOrder() || uuid == FromWireOrder();
}
