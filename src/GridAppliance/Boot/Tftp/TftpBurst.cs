using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GridAppliance.Native;
using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Boot.Tftp;

/// <summary>
/// Sends the blocks of a window with one system call, straight from the file's pinned buffer: each block is a header of ours and a slice of the file.
/// Where kernel and device can (UDP_SEGMENT, Linux 4.18), many blocks go down the stack as one datagram that is cut up at its end.
/// All memory is allocated once for the transfer.
/// </summary>
sealed unsafe class TftpBurst
{
    const int SOL_UDP = 17, UDP_SEGMENT = 103;
    const int MaxSegments = 64;
    const int MaxDatagram = 65507;
    /// <summary>The option cuts up everything that leaves the socket; an OACK or an ERROR is never this long.</summary>
    const int SmallestSegment = 512;

    readonly byte[] file;
    readonly int blockSize;
    readonly byte[] headers;
    readonly byte[] peer;
    readonly Libc.Vector[] vectors;
    readonly Libc.MessageHeaders[] messages;
    readonly int blocksPerDatagram;
    bool segmented;

    /// <param name="socket">The transfer's own; the option is set on it.</param>
    /// <param name="file">On the pinned heap.</param>
    /// <param name="blockSize">As negotiated.</param>
    /// <param name="window">Blocks in one burst at most.</param>
    /// <param name="peer">Where to.</param>
    public TftpBurst(Socket socket, byte[] file, int blockSize, int window, SocketAddress peer)
    {
        this.file = file;
        this.blockSize = blockSize;
        this.peer = GC.AllocateUninitializedArray<byte>(peer.Size, pinned: true);
        peer.Buffer.Span[..peer.Size].CopyTo(this.peer);
        headers = GC.AllocateUninitializedArray<byte>(window * TftpPacket.HeaderLength, pinned: true);
        vectors = GC.AllocateUninitializedArray<Libc.Vector>(2 * window, pinned: true);
        messages = GC.AllocateArray<Libc.MessageHeaders>(window, pinned: true);
        blocksPerDatagram = Math.Min(MaxSegments, MaxDatagram / (blockSize + TftpPacket.HeaderLength));
        segmented = window > 1 && blockSize >= SmallestSegment && blocksPerDatagram > 1 && TrySegment(socket, blockSize + TftpPacket.HeaderLength);
    }

    /// <summary>Sends <paramref name="count"/> blocks from <paramref name="first"/> (1 is the file's first) as far as the socket takes them without waiting.</summary>
    /// <returns>Blocks taken; less than <paramref name="count"/> when the socket's buffer is full. What the network refuses counts as sent and lost.</returns>
    public int Send(Socket socket, long first, int count)
    {
        var sent = 0;
        while (sent < count)
        {
            var perMessage = segmented ? blocksPerDatagram : 1;
            var prepared = Prepare(first + sent, count - sent, perMessage);
            var taken = Libc.SendMessages(socket.SafeHandle, (Libc.MessageHeaders*)Unsafe.AsPointer(ref messages[0]), (uint)prepared, Libc.MSG_DONTWAIT);
            if (taken > 0)
            {
                sent = Math.Min(count, sent + taken * perMessage);
                continue;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.EAGAIN:
                    return sent;
                case Libc.EIO or Libc.EINVAL or Libc.EOPNOTSUPP when segmented:
                    // A device without checksum offload, before Linux 6.11: one datagram per block then.
                    TrySegment(socket, 0);
                    segmented = false;
                    continue;
                default:
                    // No route, no neighbour, a firewall: the same to the client as a lost packet, and handled as one.
                    return count;
            }
        }
        return sent;
    }

    /// <summary>Copies one block into <paramref name="destination"/>, header included.</summary>
    /// <returns>Its length.</returns>
    public int Copy(long block, Span<byte> destination)
    {
        var (offset, length) = Slice(block);
        TftpPacket.WriteDataHeader(destination, (ushort)block);
        file.AsSpan(offset, length).CopyTo(destination[TftpPacket.HeaderLength..]);
        return TftpPacket.HeaderLength + length;
    }

    int Prepare(long first, int count, int perMessage)
    {
        for (var i = 0; i < count; i++)
        {
            var block = first + i;
            var (offset, length) = Slice(block);
            TftpPacket.WriteDataHeader(headers.AsSpan(i * TftpPacket.HeaderLength), (ushort)block);
            vectors[2 * i] = new() { Start = (byte*)Unsafe.AsPointer(ref headers[i * TftpPacket.HeaderLength]), Length = TftpPacket.HeaderLength };
            vectors[2 * i + 1] = new() { Start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(file)) + offset, Length = (nuint)length };
        }
        var prepared = 0;
        for (var i = 0; i < count; i += perMessage)
        {
            messages[prepared++] = new()
            {
                Name = (byte*)Unsafe.AsPointer(ref peer[0]),
                NameLength = (uint)peer.Length,
                Vectors = (Libc.Vector*)Unsafe.AsPointer(ref vectors[2 * i]),
                VectorCount = (nuint)(2 * Math.Min(perMessage, count - i)),
            };
        }
        return prepared;
    }

    (int Offset, int Length) Slice(long block)
    {
        var offset = (block - 1) * blockSize;
        return ((int)offset, (int)Math.Min(blockSize, file.Length - offset));
    }

    static bool TrySegment(Socket socket, int size)
    {
        try
        {
            socket.SetRawSocketOption(SOL_UDP, UDP_SEGMENT, MemoryMarshal.AsBytes<int>([size]));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
