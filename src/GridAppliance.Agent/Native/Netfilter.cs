using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace GridAppliance.Agent.Native;

/// <summary>
/// The two questions about nftables that the agent must be able to put without any program of a module's: whether a table of the family inet is there, and that it go.
/// Netlink messages as linux/netlink.h, linux/netfilter/nfnetlink.h and nf_tables.h have them, host byte order but for the resource.
/// </summary>
static unsafe class Netfilter
{
    const int FamilyNetlink = 16, Raw = 3, CloseOnExec = 0x80000, ProtocolNetfilter = 12;
    const ushort Error = 2, BatchBegin = 0x10, BatchEnd = 0x11, Tables = 10, GetTable = (Tables << 8) | 1, DeleteTableMessage = (Tables << 8) | 2;
    const ushort Request = 1, Acknowledge = 4, TableName = 1;
    const byte FamilyInet = 1;
    const int NoEntry = 2, NoProtocol = 93;

    public static bool HasTable(string table)
    {
        var error = Ask(Message(GetTable, Request | Acknowledge, FamilyInet, 0, table));
        return error is 0 || (error is NoEntry or NoProtocol ? false : throw new IOException($"asking for the firewall table {table}: {new Win32Exception(error).Message}"));
    }

    public static void DeleteTable(string table)
    {
        var error = Ask([.. Message(BatchBegin, Request, 0, Tables, null), .. Message(DeleteTableMessage, Request | Acknowledge, FamilyInet, 0, table), .. Message(BatchEnd, Request, 0, Tables, null)]);
        if (error is not (0 or NoEntry)) throw new IOException($"deleting the firewall table {table}: {new Win32Exception(error).Message}");
    }

    /// <returns>The error number of the acknowledgement; 0 for success.</returns>
    static int Ask(byte[] messages)
    {
        var socket = Libc.OpenSocket(FamilyNetlink, Raw | CloseOnExec, ProtocolNetfilter);
        if (socket < 0) return Marshal.GetLastPInvokeError();
        try
        {
            Span<byte> answer = stackalloc byte[8192];
            fixed (byte* sent = messages, received = answer)
            {
                if (Libc.Send(socket, sent, (nuint)messages.Length, 0) < 0) return Marshal.GetLastPInvokeError();
                var wait = new Libc.PollEntry { File = socket, Events = 1 };
                while (Libc.Poll(&wait, 1, 5000) > 0)
                {
                    var length = (int)Libc.Read(socket, received, (nuint)answer.Length);
                    if (length < 0) return Marshal.GetLastPInvokeError();
                    if (Acknowledged(answer[..length]) is { } error) return error;
                }
            }
            return 110;   // ETIMEDOUT: the kernel answers at once or never
        }
        finally
        {
            _ = Libc.Close(socket);
        }
    }

    static int? Acknowledged(ReadOnlySpan<byte> answer)
    {
        while (answer.Length >= 20)
        {
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(answer);
            if (BinaryPrimitives.ReadUInt16LittleEndian(answer[4..]) == Error) return -BinaryPrimitives.ReadInt32LittleEndian(answer[16..]);
            if (length < 16) return null;
            answer = answer[Math.Min(answer.Length, (length + 3) & ~3)..];
        }
        return null;
    }

    //  0               4       6       8               12              16  17  18      20
    // +---------------+-------+-------+---------------+---------------+---+---+-------+----------------------
    // | length        | type  | flags | sequence      | port          |fam| 0 | res.  | attribute: length, type, name NUL
    // +---------------+-------+-------+---------------+---------------+---+---+-------+----------------------
    static byte[] Message(ushort type, int flags, byte family, ushort resource, string? table)
    {
        var name = table is null ? [] : Encoding.ASCII.GetBytes(table + "\0");
        var message = new byte[20 + (table is null ? 0 : (4 + name.Length + 3) & ~3)];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), (ushort)flags);
        message[16] = family;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(18), resource);
        if (table is null) return message;
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(20), (ushort)(4 + name.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(22), TableName);
        name.CopyTo(message, 24);
        return message;
    }
}
