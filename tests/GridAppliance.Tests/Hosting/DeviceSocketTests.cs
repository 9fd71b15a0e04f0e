using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using GridAppliance.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Hosting;

public sealed class DeviceSocketTests
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_mistake_about_one_datagram_does_not_end_the_reading_and_closing_does(string loopback)
    {
        using var device = new Socket(IPAddress.Parse(loopback).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        device.Bind(new IPEndPoint(IPAddress.Parse(loopback), 0));
        var arrived = Channel.CreateUnbounded<byte>();
        var socket = new DeviceSocket("tests", 2048, (datagram, _) =>
        {
            if (datagram[0] == 'x') throw new InvalidOperationException("a mistake");
            arrived.Writer.TryWrite(datagram[0]);
        }, NullLogger.Instance);
        socket.Reach(device.AddressFamily);
        var address = ((IPEndPoint)device.LocalEndPoint!).Serialize();
        socket.Send("?"u8, address);
        var question = await device.ReceiveFromAsync(new byte[16], SocketFlags.None, new IPEndPoint(device.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0), Patience);
        foreach (var answer in "axbxc") device.SendTo([(byte)answer], question.RemoteEndPoint);
        foreach (var answer in "abc") Assert.Equal((byte)answer, await arrived.Reader.ReadAsync(Patience));
        await Task.Run(async () => await socket.DisposeAsync()).WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Far more than may gather, and all of it is read in order.</summary>
    [Fact]
    public async Task A_flood_is_read_in_order()
    {
        using var device = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        device.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var arrived = Channel.CreateUnbounded<int>();
        await using var socket = new DeviceSocket("tests", 2048, (datagram, _) => arrived.Writer.TryWrite(BitConverter.ToInt32(datagram)), NullLogger.Instance);
        socket.Send("?"u8, ((IPEndPoint)device.LocalEndPoint!).Serialize());
        var question = await device.ReceiveFromAsync(new byte[16], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), Patience);
        // In portions that fit into the smallest of socket buffers: what the kernel drops is not read by anybody.
        for (var first = 0; first < 2000; first += 100)
        {
            for (var i = first; i < first + 100; i++) device.SendTo(BitConverter.GetBytes(i), question.RemoteEndPoint);
            for (var i = first; i < first + 100; i++) Assert.Equal(i, await arrived.Reader.ReadAsync(Patience));
        }
    }

    /// <summary>It is called again though nothing more arrives, whatever time it names: one that has passed while it was reckoned is no mistake (it ended the daemon once).</summary>
    [Theory]
    [InlineData(TimeSpan.TicksPerMillisecond)]
    [InlineData(0)]
    [InlineData(-27)]
    [InlineData(-TimeSpan.TicksPerHour)]
    public async Task Who_lets_an_answer_wait_is_called_until_it_is_given(long again)
    {
        using var device = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        device.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = ((IPEndPoint)device.LocalEndPoint!).Serialize();
        DeviceSocket? socket = null;
        await using var closing = socket = new DeviceSocket("tests", 2048, (_, _) => socket!.AtTurnEnd(AddressFamily.InterNetwork, new Unhurried(TimeSpan.FromTicks(again), () => socket.Send("late"u8, address))), NullLogger.Instance);
        socket.Send("?"u8, address);
        var (buffer, anyone) = (new byte[16], new IPEndPoint(IPAddress.Any, 0));
        var question = await device.ReceiveFromAsync(buffer, SocketFlags.None, anyone, Patience);
        for (var i = 0; i < 2; i++)
        {
            device.SendTo("x"u8, question.RemoteEndPoint);
            Assert.Equal(4, (await device.ReceiveFromAsync(buffer, SocketFlags.None, anyone, Patience)).ReceivedBytes);
        }
    }

    /// <summary>The reading thread has nobody above it: a mistake there is the daemon's end.</summary>
    [Fact]
    public async Task Who_makes_a_mistake_at_a_turns_end_is_forgotten_and_the_others_are_read()
    {
        using var device = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        device.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var arrived = Channel.CreateUnbounded<byte>();
        DeviceSocket? socket = null;
        await using var closing = socket = new DeviceSocket("tests", 2048, (datagram, _) =>
        {
            arrived.Writer.TryWrite(datagram[0]);
            socket!.AtTurnEnd(AddressFamily.InterNetwork, new Unhurried(TimeSpan.Zero, () => throw new InvalidOperationException("a mistake")));
            socket.AtTurnEnd(AddressFamily.InterNetwork, new Unhurried(TimeSpan.MaxValue, () => { }));
        }, NullLogger.Instance);
        socket.Send("?"u8, ((IPEndPoint)device.LocalEndPoint!).Serialize());
        var question = await device.ReceiveFromAsync(new byte[16], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), Patience);
        foreach (var said in "abcdefgh")
        {
            device.SendTo([(byte)said], question.RemoteEndPoint);
            Assert.Equal((byte)said, await arrived.Reader.ReadAsync(Patience));
        }
    }

    sealed class Unhurried(TimeSpan again, Action answer) : DeviceSocket.ITurnEnd
    {
        int turns;

        public TimeSpan? EndTurn()
        {
            if (++turns < 4) return again;
            answer();
            return null;
        }
    }

    [Fact]
    public void Datagrams_gather_only_while_thousands_come_in_a_second()
    {
        var pace = new ArrivalPace();
        var now = 1_000_000L;
        bool Come(int count, int perMillisecond)
        {
            var isHigh = false;
            for (var i = 0; i < count; i++) isHigh = pace.IsHighWith(1, now += i % perMillisecond == 0 ? 1 : 0);
            return isHigh;
        }

        Assert.False(Come(100, 100));
        Assert.False(Come(1000, 1));
        Assert.True(Come(2 * ArrivalPace.Stretch, 10));
        Assert.False(Come(2 * ArrivalPace.Stretch, 1));
    }
}
