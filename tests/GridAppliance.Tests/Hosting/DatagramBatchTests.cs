using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Native;

namespace GridAppliance.Tests.Hosting;

public sealed class DatagramBatchTests
{
    static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    [Fact]
    public void What_is_sent_together_is_received_together_with_its_sender()
    {
        using Socket here = Bound(), there = Bound();
        var to = ((IPEndPoint)there.LocalEndPoint!).Serialize();
        var leaving = new DatagramBatch(capacity: 3, largest: 16);
        foreach (var text in (string[])["one", "", "three"]) Assert.True(leaving.TryAdd(Encoding.ASCII.GetBytes(text), to));
        Assert.False(leaving.TryAdd("four"u8, to));
        leaving.Send(here);
        Assert.Equal(0, leaving.Count);
        Assert.False(leaving.TryAdd(new byte[17], to));

        // On loopback a datagram is there when its sending has returned.
        var arriving = new DatagramBatch(capacity: 8, largest: 16);
        arriving.Receive(there);
        Assert.Equal(["one", "", "three"], Enumerable.Range(0, arriving.Count).Select(i => Encoding.ASCII.GetString(arriving[i])));
        var sender = new SocketAddress(AddressFamily.InterNetwork);
        arriving.CopySender(2, sender);
        Assert.Equal(((IPEndPoint)here.LocalEndPoint!).Serialize(), sender);
    }

    [Fact]
    public void A_datagram_that_cannot_be_sent_does_not_keep_the_others()
    {
        using Socket here = Bound(), there = Bound();
        var leaving = new DatagramBatch(capacity: 3, largest: 16);
        var to = ((IPEndPoint)there.LocalEndPoint!).Serialize();
        leaving.TryAdd("one"u8, to);
        // The socket has no way to addresses of this kind.
        leaving.TryAdd("two"u8, new IPEndPoint(IPAddress.IPv6Loopback, 9).Serialize());
        leaving.TryAdd("three"u8, to);
        leaving.Send(here);
        var arriving = new DatagramBatch(capacity: 8, largest: 16);
        arriving.Receive(there);
        Assert.Equal(["one", "three"], Enumerable.Range(0, arriving.Count).Select(i => Encoding.ASCII.GetString(arriving[i])));
    }

    [Fact]
    public void The_kernel_and_we_agree_on_where_the_next_message_begins() => Assert.Equal(64, Unsafe.SizeOf<Libc.MessageHeaders>());
}
