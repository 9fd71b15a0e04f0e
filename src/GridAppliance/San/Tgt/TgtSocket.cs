using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Hosting;

namespace GridAppliance.San.Tgt;

enum TgtMode { Target = 1, LogicalUnit = 2, Account = 7 }

enum TgtOperation { New = 0, Delete = 1, Show = 2, Bind = 3, Unbind = 4 }

/// <summary>One order to the daemon.</summary>
/// <param name="Target">The target's number; null: none in particular.</param>
/// <param name="Unit">The LUN's number.</param>
/// <param name="Force">Although somebody is logged in.</param>
/// <param name="Parameters">Values have no commas: that is what parts them.</param>
sealed record TgtOrder(TgtMode Mode, TgtOperation Operation, int? Target = null, ulong? Unit = null, bool Force = false, params IReadOnlyList<(string Key, string Value)> Parameters);

/// <summary>
/// The control socket of Linux's user-space iSCSI target (<c>tgtd</c>), spoken to as <c>tgtadm</c> does, so that no CHAP password is ever on a command line. One connection for each
/// order; the layout is as it was seen on the wire of version 1.0.85.
/// </summary>
sealed class TgtSocket(string path)
{
    //  octet  0    4     8          72   76    80   88   96   100   104     108    112   116    120 …
    //  +------+----+----------+-----+-----+-----+-----+-----+------+------+------+------+-------+------------------+
    //  | mode | op | "iscsi"  | len | tid | sid | lun | cid | host | type | dir  | pack | force | key=value,…  NUL |
    //  +------+----+----------+-----+-----+-----+-----+-----+------+------+------+------+-------+------------------+
    //  The answer: error, length of everything, text. All numbers are the machine's own.

    const int Header = 120, AnswerHeader = 8;
    const int LongestAnswer = 4 << 20;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Numbers of <c>tgtadm_errno</c> that say what is the matter.</summary>
    const uint NoTarget = 4, TargetExists = 8;

    public async Task<string> AskAsync(TgtOrder order, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), patience.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Write(order), patience.Token);
            var head = new byte[AnswerHeader];
            await stream.ReadExactlyAsync(head, patience.Token);
            var (error, length) = (BitConverter.ToUInt32(head, 0), BitConverter.ToUInt32(head, 4));
            if (error != 0) throw Fault(DeviceFault.Refused, error switch { NoTarget => "has no such target", TargetExists => "has such a target already", _ => $"refused {order.Operation} of {order.Mode} (error {error})" });
            if (length is < AnswerHeader or > LongestAnswer) throw Fault(DeviceFault.Nonsense, $"gave an answer of {length} octets");
            var text = new byte[length - AnswerHeader];
            await stream.ReadExactlyAsync(text, patience.Token);
            return Encoding.UTF8.GetString(text).TrimEnd('\0');
        }
        catch (SocketException e)
        {
            throw new DeviceException(DeviceFault.Unreachable, $"tgtd at {path}", $"does not listen: {e.Message}", isTransient: true, e);
        }
        catch (EndOfStreamException e)
        {
            throw new DeviceException(DeviceFault.TimedOut, $"tgtd at {path}", "ended in the middle of an answer", isTransient: true, e);
        }
        catch (IOException e)
        {
            throw new DeviceException(DeviceFault.TimedOut, $"tgtd at {path}", $"went away: {e.Message}", isTransient: true, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DeviceException(DeviceFault.TimedOut, $"tgtd at {path}", $"did not answer within {Patience.TotalSeconds:0} s", isTransient: true, e);
        }
    }

    DeviceException Fault(DeviceFault fault, string message) => new(fault, $"tgtd at {path}", message, isTransient: false);

    /// <exception cref="ArgumentException">A value that would be read as another parameter.</exception>
    internal static byte[] Write(TgtOrder order)
    {
        foreach (var (_, value) in order.Parameters)
            if (value.AsSpan().ContainsAny(",\0\n")) throw new ArgumentException($"'{value}' cannot be given to tgtd", nameof(order));
        var text = order.Parameters.Count == 0 ? [] : Encoding.UTF8.GetBytes(string.Join(',', order.Parameters.Select(p => $"{p.Key}={p.Value}")) + '\0');
        var octets = new byte[Header + text.Length];
        var span = octets.AsSpan();
        BinaryPrimitives.WriteInt32LittleEndian(span, (int)order.Mode);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], (int)order.Operation);
        "iscsi"u8.CopyTo(span[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[72..], octets.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[76..], order.Target ?? -1);
        BinaryPrimitives.WriteUInt64LittleEndian(span[88..], order.Unit ?? ulong.MaxValue);
        BinaryPrimitives.WriteInt32LittleEndian(span[116..], order.Force ? 1 : 0);
        text.CopyTo(span[Header..]);
        return octets;
    }
}
