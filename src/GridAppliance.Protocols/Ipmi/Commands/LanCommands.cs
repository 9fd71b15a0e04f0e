using System.Buffers.Binary;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Parameters of a LAN channel (IPMI 2.0, table 23-4) that are read or written here.</summary>
public enum LanParameter : byte
{
    SetInProgress = 0,
    IpAddress = 3,
    IpAddressSource = 4,
    MacAddress = 5,
    SubnetMask = 6,
    DefaultGateway = 12,
    DefaultGatewayMac = 13,
    VlanId = 20,
    VlanPriority = 21,
    CipherSuiteCount = 22,
    CipherSuites = 23,
    CipherSuitePrivileges = 24,
}

/// <summary>Parameter 0: holds others off while several parameters are written, and puts them into force together.</summary>
public enum SetInProgress : byte { Complete = 0, Underway = 1, Commit = 2 }

public enum IpAddressSource : byte { Unspecified = 0, Static = 1, Dhcp = 2, Bios = 3, Other = 4 }

/// <summary>Get LAN Configuration Parameters (section 23.2).</summary>
public sealed record GetLanParameter(byte Channel, LanParameter Parameter) : IpmiRequest<LanValue>
{
    public override NetFunction Function => NetFunction.Transport;
    public override byte Command => 0x02;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)(Channel & 0x0F);
        data[1] = (byte)Parameter;
        data[2] = data[3] = 0;
        return 4;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out LanValue answer)
    {
        answer = default;
        // The first octet is the parameter's revision.
        if (data.Length < 1) return false;
        answer = new(data[1..].ToArray());
        return true;
    }
}

/// <summary>A parameter's octets; each property fits some parameters and is null when the octets are too few.</summary>
public readonly record struct LanValue(ReadOnlyMemory<byte> Octets)
{
    public Ipv4Address? Address => Octets.Length >= Ipv4Address.Length ? Ipv4Address.Read(Octets.Span) : null;
    public MacAddress? Mac => Octets.Length >= MacAddress.Length ? MacAddress.Read(Octets.Span) : null;
    public IpAddressSource? Source => Octets.Length >= 1 ? (IpAddressSource)(Octets.Span[0] & 0x0F) : null;
    /// <summary>Zero means untagged.</summary>
    public ushort? Vlan => Octets.Length < 2 ? null : (Octets.Span[1] & 0x80) == 0 ? (ushort)0 : (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(Octets.Span) & 0x0FFF);
    public byte? First => Octets.Length >= 1 ? Octets.Span[0] : null;
}

/// <summary>Set LAN Configuration Parameters (section 23.1).</summary>
public sealed record SetLanParameter(byte Channel, LanParameter Parameter, ReadOnlyMemory<byte> Octets) : IpmiOrder
{
    public override NetFunction Function => NetFunction.Transport;
    public override byte Command => 0x01;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)(Channel & 0x0F);
        data[1] = (byte)Parameter;
        Octets.Span.CopyTo(data[2..]);
        return 2 + Octets.Length;
    }

    public static SetLanParameter Address(byte channel, LanParameter parameter, Ipv4Address address)
    {
        var octets = new byte[Ipv4Address.Length];
        address.Write(octets);
        return new(channel, parameter, octets);
    }

    public static SetLanParameter Source(byte channel, IpAddressSource source) => new(channel, LanParameter.IpAddressSource, new[] { (byte)source });

    public static SetLanParameter Progress(byte channel, SetInProgress progress) => new(channel, LanParameter.SetInProgress, new[] { (byte)progress });

    /// <summary>Tags the BMC's frames with <paramref name="vlan"/>; zero sends them untagged.</summary>
    public static SetLanParameter Vlan(byte channel, ushort vlan) =>
        new(channel, LanParameter.VlanId, new[] { (byte)vlan, (byte)(vlan == 0 ? 0 : vlan >> 8 & 0x0F | 0x80) });
}
