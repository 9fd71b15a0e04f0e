using System.Text;
using GridAppliance.Power.Ipmi;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Consoles;

/// <summary>A serial-over-LAN line under whatever a BMC may send.</summary>
public sealed class SolLineTests
{
    static byte[] Packet(byte sequence, string characters, byte acknowledged = 0)
    {
        var packet = new byte[SolPacket.HeaderLength + characters.Length];
        new SolPacket { Sequence = sequence, Acknowledged = acknowledged, Characters = Encoding.ASCII.GetBytes(characters) }.Write(packet);
        return packet;
    }

    static string Read(SolLine line)
    {
        line.Deliver();
        var text = new StringBuilder();
        while (line.Incoming.TryRead(out var piece)) text.Append(Encoding.Latin1.GetString(piece));
        return text.ToString();
    }

    [Fact]
    public void No_damaged_packet_makes_it_throw_or_answer_with_more_than_a_header()
    {
        var reply = new byte[SolPacket.HeaderLength + byte.MaxValue];
        foreach (var good in (byte[][])[Packet(1, "login: "), Packet(2, "", acknowledged: 1), Packet(15, new string('x', 200))])
        {
            var line = new SolLine(chunk: 200, new(), new(), new ManualClock());
            line.Outgoing.TryWrite(new(Encoding.ASCII.GetBytes("typed meanwhile")));
            line.Pump(reply);
            foreach (var damaged in Mutations.Truncations(good).Concat(Mutations.Of(good, seed: 31, count: 3000)))
            {
                Assert.InRange(line.Take(damaged, reply), 0, SolPacket.HeaderLength);
                line.Pump(reply);
                Read(line);
            }
        }
    }

    [Fact]
    public void What_comes_twice_is_read_once_and_a_repeat_that_has_grown_is_read_on()
    {
        var line = new SolLine(chunk: 200, new(), new(), new ManualClock());
        var reply = new byte[SolPacket.HeaderLength + byte.MaxValue];
        foreach (var packet in (byte[][])[Packet(1, "pan"), Packet(1, "pan"), Packet(1, "panic"), Packet(2, ": "), Packet(2, ": "), Packet(3, "why")]) Assert.Equal(SolPacket.HeaderLength, line.Take(packet, reply));
        Assert.Equal("panic: why", Read(line));
    }

    [Fact]
    public void A_reader_that_does_not_read_gets_no_more_than_its_queue_and_the_bmc_keeps_the_rest()
    {
        var line = new SolLine(chunk: 200, new(), new(), new ManualClock());
        var reply = new byte[SolPacket.HeaderLength + byte.MaxValue];
        byte sequence = 0;
        var taken = 0;
        while (line.Take(Packet(sequence = SolPacket.Next(sequence), "noise"), reply) > 0) Assert.True(++taken < 10_000, "there is no end to what it keeps");
        // What was not acknowledged comes again, and is taken once there is room.
        Assert.Equal(taken * "noise".Length, Read(line).Length);
        Assert.Equal(SolPacket.HeaderLength, line.Take(Packet(sequence, "noise"), reply));
        Assert.Equal("noise", Read(line));
    }
}
