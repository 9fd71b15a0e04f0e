using System.Runtime.InteropServices;

namespace GridAppliance.Boot.Dhcp.Link;

/// <summary>Classic BPF programs for <see cref="PacketSocket"/>: few instructions, written out.</summary>
static class PacketFilter
{
    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    const ushort LoadHalf = 0x28, LoadByte = 0x30, LoadHalfIndexed = 0x48, LoadIpHeaderLength = 0xB1, JumpEqual = 0x15, JumpSet = 0x45, Return = 0x06;
    const uint Whole = 0xFFFF;

    /// <summary>IPv4, UDP, first fragment, source port 67: what DHCP servers say.</summary>
    public static ReadOnlySpan<Instruction> DhcpServers => dhcpServers;

    static readonly Instruction[] dhcpServers =
    [
        new(LoadByte, 0, 0, 14 + 9),
        new(JumpEqual, 0, 6, 17),
        new(LoadHalf, 0, 0, 14 + 6),
        new(JumpSet, 4, 0, 0x1FFF),
        new(LoadIpHeaderLength, 0, 0, 14),
        new(LoadHalfIndexed, 0, 0, 14),
        new(JumpEqual, 0, 1, 67),
        new(Return, 0, 0, Whole),
        new(Return, 0, 0, 0),
    ];

    /// <summary>IPv6, ICMPv6 straight after the header, type 133.</summary>
    public static ReadOnlySpan<Instruction> RouterSolicitations => routerSolicitations;

    static readonly Instruction[] routerSolicitations =
    [
        new(LoadByte, 0, 0, 14 + 6),
        new(JumpEqual, 0, 3, 58),
        new(LoadByte, 0, 0, 14 + 40),
        new(JumpEqual, 0, 1, 133),
        new(Return, 0, 0, Whole),
        new(Return, 0, 0, 0),
    ];
}
