using System.Runtime.InteropServices;
using GridAppliance.Agent.Bmc;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Agent.Inventory;

/// <summary>
/// Asks the machine's own BMC for its address through the kernel's IPMI driver (<c>/dev/ipmi0</c>, include/uapi/linux/ipmi.h): Get LAN Configuration Parameters
/// (IPMI 2.0 section 23.2), parameter 3, on the first channel that answers.
/// </summary>
sealed class IpmiDevice(string path = "/dev/ipmi0") : IBmcDoor
{
    const int SystemInterface = 0x0C;
    const short BmcChannel = 0x0F;
    const byte TransportNetFn = 0x0C, GetLanConfiguration = 0x02, AddressParameter = 3, LastChannel = 8;
    const int AnswerMilliseconds = 2000;
    const short Readable = 1;
    // _IOR('i', 13, struct ipmi_req) and _IOWR('i', 11, struct ipmi_recv) on 64-bit machines.
    const nuint SendCommand = 0x8028_690D, ReceiveTruncated = 0xC030_690B;

    BmcDocument? found;

    public bool IsThere => File.Exists(path);

    public byte[] Ask(byte netFn, byte command, ReadOnlySpan<byte> data)
    {
        using var device = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Span<byte> answer = stackalloc byte[64];
        return answer[..Ask(device, netFn, command, data, answer)].ToArray();
    }

    /// <summary>The BMC, or null where the machine has none. Once its address is known it is not asked again.</summary>
    public BmcDocument? Find()
    {
        if (found is { Address: not null } || !File.Exists(path)) return found;
        found = new BmcDocument { Kind = "ipmi" };
        try
        {
            using var device = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            Span<byte> answer = stackalloc byte[64];
            for (byte channel = 1; channel <= LastChannel; channel++)
            {
                var length = Ask(device, TransportNetFn, GetLanConfiguration, [channel, AddressParameter, 0, 0], answer);
                if (TryReadAddress(answer[..length], out var address)) return found = found with { Address = address.ToString() };
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The driver is there and the BMC does not answer: that there is one is still worth telling.
        }
        return found;
    }

    /// <summary>The answer to parameter 3: completion code, parameter revision, four octets of address.</summary>
    public static bool TryReadAddress(ReadOnlySpan<byte> answer, out Ipv4Address address)
    {
        address = default;
        if (answer.Length < 6 || answer[0] != 0) return false;
        address = Ipv4Address.Read(answer[2..]);
        return address != default;
    }

    static unsafe int Ask(SafeHandle device, byte netFn, byte command, ReadOnlySpan<byte> data, Span<byte> answer)
    {
        var to = new Address { Type = SystemInterface, Channel = BmcChannel };
        fixed (byte* bytes = data, into = answer)
        {
            var request = new Request
            {
                To = (byte*)&to, ToLength = (uint)sizeof(Address), MessageId = 1,
                Message = new Message { NetFn = netFn, Command = command, Length = (ushort)data.Length, Data = bytes },
            };
            if (Libc.Ioctl(device, SendCommand, &request) != 0) return 0;
            var ready = new Libc.PollEntry { File = (int)device.DangerousGetHandle(), Events = Readable };
            if (Libc.Poll(&ready, 1, AnswerMilliseconds) <= 0) return 0;
            var from = default(Address);
            var received = new Received
            {
                From = (byte*)&from, FromLength = (uint)sizeof(Address), Message = new Message { Length = (ushort)answer.Length, Data = into },
            };
            return Libc.Ioctl(device, ReceiveTruncated, &received) == 0 ? received.Message.Length : 0;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    unsafe struct Message { public byte NetFn, Command; public ushort Length; public byte* Data; }

    [StructLayout(LayoutKind.Sequential)]
    unsafe struct Request { public byte* To; public uint ToLength; public nint MessageId; public Message Message; }

    [StructLayout(LayoutKind.Sequential)]
    unsafe struct Received { public int Kind; public byte* From; public uint FromLength; public nint MessageId; public Message Message; }

    /// <summary>struct ipmi_system_interface_addr in the room of struct ipmi_addr, which every address fits in.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    struct Address { public int Type; public short Channel; public byte Lun; }
}
