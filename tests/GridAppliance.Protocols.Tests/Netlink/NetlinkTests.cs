using GridAppliance.Protocols.Netlink;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Netlink;

public sealed class NetlinkTests
{
    /// <summary>One member of a set with a counter, as it answers a dump.</summary>
    static byte[] Member(ReadOnlySpan<byte> key)
    {
        var buffer = new byte[512];
        var writer = new NetlinkWriter(buffer);
        writer.Begin(NftWriter.Type(NftMessage.NewMember), NetlinkFlags.Multipart, 7, [NftWriter.NetDevice, 0, 0, 0]);
        writer.Text(1, "guard");
        var list = writer.BeginNest(3);
        var member = writer.BeginNest(1);
        var value = writer.BeginNest(1);
        writer.Octets(1, key);
        writer.EndNest(value);
        var expression = writer.BeginNest(7);
        writer.Text(1, "counter");
        var counter = writer.BeginNest(2);
        writer.Number(1, 640ul);
        writer.Number(2, 9ul);
        writer.EndNest(counter);
        writer.EndNest(expression);
        writer.EndNest(member);
        writer.EndNest(list);
        writer.End();
        return buffer[..writer.Length];
    }

    static List<(string Key, ulong Packets)> Read(byte[] datagram)
    {
        var found = new List<(string, ulong)>();
        var messages = new NetlinkReader(datagram);
        while (messages.TryRead(out var message))
        {
            NftReader.TryReadCounter(message, out _, out _);
            NftReader.TryReadChain(message, out _, out _);
            var members = NftReader.Members(message);
            while (NftReader.TryReadMember(ref members, out var member)) found.Add((Convert.ToHexString(member.Key), member.Packets));
        }
        return found;
    }

    [Fact]
    public void A_message_is_laid_out_as_the_kernel_wants_it()
    {
        var buffer = new byte[64];
        var writer = new NetlinkWriter(buffer);
        writer.Begin(0x0A00, NetlinkFlags.Request | NetlinkFlags.Create, 3, [5, 0, 0, 0]);
        writer.Text(1, "abcd");
        writer.Number(2, 2u);
        writer.End();
        // 36 octets; type; flags; sequence; port; family; the name with its zero, padded; a number in network order.
        Assert.Equal("28000000000A01040300000000000000" + "05000000" + "0900010061626364" + "00000000" + "08000200" + "00000002", Convert.ToHexString(buffer.AsSpan(0, writer.Length)));
    }

    [Fact]
    public void What_is_written_is_read() => Assert.Equal([("525400000001000000000A4D", 9ul)], Read(Member([0x52, 0x54, 0, 0, 0, 1, 0, 0, 0, 0, 0x0A, 0x4D])));

    [Fact]
    public void No_truncation_is_read_past_its_end()
    {
        foreach (var cut in Mutations.Truncations(Member([1, 2, 3, 4]))) Assert.Empty(Read(cut));
    }

    [Fact]
    public void No_damage_makes_the_readers_throw()
    {
        foreach (var damaged in Mutations.Of(Member([1, 2, 3, 4, 5, 6, 0, 0, 9, 9, 9, 9]), 41, 20_000)) Read(damaged);
    }

    [Fact]
    public void An_answer_says_which_error_it_is()
    {
        var reader = new NetlinkReader([0x14, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        Assert.True(reader.TryRead(out var message));
        Assert.Equal((NetlinkMessage.Error, 1u, 1), (message.Type, message.Sequence, message.ErrorNumber));
    }
}
