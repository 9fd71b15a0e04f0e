using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace GridAppliance.Protocols.Netlink;

/// <summary>What nf_tables answers: members of sets with their counters, counters, and chains.</summary>
public static class NftReader
{
    const int FamilyHeader = 4;

    /// <summary>A member and how often its rule was met.</summary>
    public readonly ref struct Member
    {
        public ReadOnlySpan<byte> Key { get; init; }
        public ulong Packets { get; init; }
        public ulong Octets { get; init; }
    }

    /// <summary>The members in one message; several messages make an answer.</summary>
    public static NetlinkAttributes Members(in NetlinkMessage message) =>
        new(message.Type == NftWriter.Type(NftMessage.NewMember) && message.Body.Length >= FamilyHeader ? NetlinkAttributes.Find(message.Body[FamilyHeader..], 3) : default);

    public static bool TryReadMember(ref NetlinkAttributes members, out Member member)
    {
        member = default;
        if (!members.TryRead(out _, out var octets)) return false;
        const ushort key = 1, value = 1, expression = 7, expressionData = 2;
        var counter = NetlinkAttributes.Find(NetlinkAttributes.Find(octets, expression), expressionData);
        member = new() { Key = NetlinkAttributes.Find(NetlinkAttributes.Find(octets, key), value), Octets = Number(NetlinkAttributes.Find(counter, 1)), Packets = Number(NetlinkAttributes.Find(counter, 2)) };
        return true;
    }

    /// <summary>A counter that rules share.</summary>
    public static bool TryReadCounter(in NetlinkMessage message, [NotNullWhen(true)] out string? name, out ulong packets)
    {
        (name, packets) = (null, 0);
        if (message.Type != NftWriter.Type(NftMessage.NewObject) || message.Body.Length < FamilyHeader) return false;
        var body = message.Body[FamilyHeader..];
        name = Text(NetlinkAttributes.Find(body, 2));
        packets = Number(NetlinkAttributes.Find(NetlinkAttributes.Find(body, 4), 2));
        return true;
    }

    /// <summary>A chain of a table.</summary>
    public static bool TryReadChain(in NetlinkMessage message, [NotNullWhen(true)] out string? table, [NotNullWhen(true)] out string? name)
    {
        (table, name) = (null, null);
        if (message.Type != NftWriter.Type(NftMessage.NewChain) || message.Body.Length < FamilyHeader) return false;
        var body = message.Body[FamilyHeader..];
        (table, name) = (Text(NetlinkAttributes.Find(body, 1)), Text(NetlinkAttributes.Find(body, 3)));
        return true;
    }

    static ulong Number(ReadOnlySpan<byte> octets) => BinaryPrimitives.TryReadUInt64BigEndian(octets, out var value) ? value : 0;

    static string Text(ReadOnlySpan<byte> octets) => Encoding.UTF8.GetString(octets.TrimEnd((byte)0));
}
