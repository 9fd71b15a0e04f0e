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

    /// <summary>What Linux 6.18 answered to dumps of a table that nft 1.0.6 had made: a set of two members with counters, a counter with a name, a chain at an interface.</summary>
    const string KernelsMembers =
        "b80000000c0a020007000000f6450000" + "05000002" + "0a00010067756172640000000a00020070616972730000008c000300" +
        "44000100140001001000010052540000000100000a4d00322c0007000c000100636f756e746572001c0002000c00010000000000000002800c0002000000000000000009" +
        "44000100140001001000010052540000000200000a4d00332c0007000c000100636f756e746572001c0002000c00010000000000000000000c0002000000000000000000";

    const string KernelsCounter =
        "64000000120a020807000000f6450000" + "05000002" + "0a00010067756172640000000b000200666f72676564000008000300000000010c000600000000000000000208000500000000001c000400" +
        "0c00010000000000000000b40c0002000000000000000003";

    const string KernelsChain =
        "80000000030a020007000000f6450000" + "05000002" + "0a0001006775617264000000070003006c6f00000c0002000000000000000001280004000800010000000000" +
        "08000200fffffe0c0c000400070001006c6f0000070003006c6f000008000500000000010b00070066696c746572000008000a00000000010800060000000000";

    const string KernelsEnd = "140000000300020007000000f645000000000000";

    [Fact]
    public void What_a_kernel_answers_is_read()
    {
        Assert.Equal([("52540000000100000A4D0032", 9ul), ("52540000000200000A4D0033", 0ul)], Read(Convert.FromHexString(KernelsMembers + KernelsEnd)));

        var messages = new NetlinkReader(Convert.FromHexString(KernelsCounter + KernelsChain + KernelsEnd));
        Assert.True(messages.TryRead(out var counter) && NftReader.TryReadCounter(counter, out var name, out var packets) && (name, packets) == ("forged", 3ul));
        Assert.True(messages.TryRead(out var chain) && NftReader.TryReadChain(chain, out var table, out name) && (table, name) == ("guard", "lo"));
        Assert.True(messages.TryRead(out var end) && (end.Type, end.ErrorNumber) == (NetlinkMessage.Done, 0));
        Assert.False(messages.TryRead(out _));
    }

    public static TheoryData<string> Answers => [KernelsMembers, KernelsCounter, KernelsChain, Convert.ToHexString(Member([1, 2, 3, 4, 5, 6, 0, 0, 9, 9, 9, 9]))];

    [Theory, MemberData(nameof(Answers))]
    public void No_truncation_is_read_past_its_end(string answer)
    {
        foreach (var cut in Mutations.Truncations(Convert.FromHexString(answer))) Assert.Empty(Read(cut));
    }

    [Theory, MemberData(nameof(Answers))]
    public void No_damage_makes_the_readers_throw(string answer)
    {
        foreach (var damaged in Mutations.Of(Convert.FromHexString(answer), 41, 20_000)) Read(damaged);
    }

    [Fact]
    public void An_answer_says_which_error_it_is()
    {
        var reader = new NetlinkReader([0x14, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        Assert.True(reader.TryRead(out var message));
        Assert.Equal((NetlinkMessage.Error, 1u, 1), (message.Type, message.Sequence, message.ErrorNumber));
    }
}
