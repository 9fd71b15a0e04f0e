using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GridAppliance.Native;

namespace GridAppliance.Hosting;

/// <summary>Many datagrams in one call to the kernel (recvmmsg(2), sendmmsg(2)), in memory of their own that does not move. Owned by one thread.</summary>
sealed unsafe class DatagramBatch
{
    /// <summary>Octets of a struct sockaddr_in6, the longest address here.</summary>
    const int LongestAddress = 28;

    readonly int largest;
    readonly byte[] octets, addresses;
    readonly Libc.Vector[] vectors;
    readonly Libc.MessageHeaders[] headers;

    public DatagramBatch(int capacity, int largest)
    {
        this.largest = largest;
        octets = GC.AllocateUninitializedArray<byte>(capacity * largest, pinned: true);
        addresses = GC.AllocateArray<byte>(capacity * LongestAddress, pinned: true);
        vectors = GC.AllocateArray<Libc.Vector>(capacity, pinned: true);
        headers = GC.AllocateArray<Libc.MessageHeaders>(capacity, pinned: true);
        for (var i = 0; i < capacity; i++)
        {
            vectors[i].Start = (byte*)Unsafe.AsPointer(ref octets[i * largest]);
            headers[i].Name = (byte*)Unsafe.AsPointer(ref addresses[i * LongestAddress]);
            headers[i].Vectors = (Libc.Vector*)Unsafe.AsPointer(ref vectors[i]);
            headers[i].VectorCount = 1;
        }
    }

    public int Count { get; private set; }
    public bool IsFull => Count == headers.Length;

    /// <summary>A datagram that was received.</summary>
    public ReadOnlySpan<byte> this[int index] => octets.AsSpan(index * largest, (int)headers[index].Length);

    public void CopySender(int index, SocketAddress sender)
    {
        sender.Size = (int)headers[index].NameLength;
        addresses.AsSpan(index * LongestAddress, sender.Size).CopyTo(sender.Buffer.Span);
    }

    /// <summary>Waits for a datagram, and takes with it the others that are there. Ends with none when the socket is closed.</summary>
    /// <exception cref="IOException">The kernel has an error for it.</exception>
    public void Receive(Socket socket)
    {
        for (var i = 0; i < headers.Length; i++) (vectors[i].Length, headers[i].NameLength) = ((nuint)largest, LongestAddress);
        Count = Math.Max(0, Libc.ReceiveMessages(socket.SafeHandle, First, (uint)headers.Length, Libc.MSG_WAITFORONE, null));
        if (Count == 0) throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
    }

    /// <summary>Nothing was received.</summary>
    public void Clear() => Count = 0;

    /// <summary>Whether it may be added: there is room, and it is no longer than any.</summary>
    public bool TryAdd(ReadOnlySpan<byte> datagram, SocketAddress to)
    {
        if (IsFull || datagram.Length > largest || to.Size > LongestAddress) return false;
        datagram.CopyTo(octets.AsSpan(Count * largest));
        to.Buffer.Span[..to.Size].CopyTo(addresses.AsSpan(Count * LongestAddress));
        (vectors[Count].Length, headers[Count].NameLength) = ((nuint)datagram.Length, (uint)to.Size);
        Count++;
        return true;
    }

    /// <summary>Sends what was added. One that cannot be sent is one that was lost on the way: the others go.</summary>
    public void Send(Socket socket)
    {
        for (var sent = 0; sent < Count;) sent += Math.Max(1, Libc.SendMessages(socket.SafeHandle, First + sent, (uint)(Count - sent), 0));
        Count = 0;
    }

    Libc.MessageHeaders* First => (Libc.MessageHeaders*)Unsafe.AsPointer(ref headers[0]);
}
