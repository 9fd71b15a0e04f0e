using System.Runtime.InteropServices;
using GridAppliance.Native;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Netlink;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Guard;

/// <summary>A NIC and the address that was assigned to it.</summary>
readonly record struct SourcePair(MacAddress Mac, Ipv4Address Address);

/// <summary>One guarded network: its interface, and addresses that are not nodes' but may speak there.</summary>
sealed record GuardedLink(string Interface, IReadOnlyList<Ipv4Address> Allowed);

/// <summary>Frames of one forged source that the kernel has dropped.</summary>
readonly record struct DroppedSource(int Link, SourcePair Source, ulong Packets);

/// <summary>What the kernel has dropped: by source, and in all by link, sources that no longer fit among them.</summary>
sealed record DropReading(IReadOnlyList<DroppedSource> Sources, IReadOnlyList<ulong> Totals);

/// <summary>
/// The nf_tables table that drops forged frames on their way in: one chain for each guarded interface, filled over netlink. The table belongs to this socket: it is gone when
/// the socket is, whether the daemon stops or is killed, so that nothing of it is ever left behind. Not safe for concurrent use.
/// </summary>
sealed class GuardTable : IDisposable
{
    /// <summary>Forged sources that are kept apart on a link; more are counted together.</summary>
    public const int MostSources = 1024;
    /// <summary>How long a forged source is remembered after its last frame.</summary>
    static readonly TimeSpan memory = TimeSpan.FromMinutes(10);
    /// <summary>Members in one message: what fits into an attribute is about twice that.</summary>
    const int MembersAtOnce = 1000;
    const int BufferLength = 1 << 16;
    /// <summary>Before anybody's own rules on the same hook.</summary>
    const int Priority = -450;

    readonly string name;
    readonly IReadOnlyList<GuardedLink> links;
    readonly HashSet<SourcePair>[] pairs;
    readonly HashSet<Ipv4Address>[] others;
    readonly byte[] buffer = new byte[BufferLength];
    readonly byte[] answer = new byte[BufferLength];
    SafeFileHandle? socket;

    public GuardTable(string appliance, IReadOnlyList<GuardedLink> links)
    {
        (name, this.links) = ($"gridappliance-{appliance}", links);
        pairs = [.. links.Select(_ => new HashSet<SourcePair>())];
        others = [.. links.Select(_ => new HashSet<Ipv4Address>())];
    }

    public bool IsInForce => socket is not null;

    /// <summary>Makes the table anew, with nobody in it.</summary>
    /// <returns>Why the kernel does not take it; null when it is in force.</returns>
    public string? Install()
    {
        Remove();
        var opened = Libc.OpenNetfilter();
        if (opened.IsInvalid)
        {
            var refusal = Words(Marshal.GetLastPInvokeError());
            opened.Dispose();
            return refusal;
        }
        var batch = new NftWriter(buffer, name);
        batch.Table();
        for (var i = 0; i < links.Count; i++) GuardRules.Write(ref batch, i, links[i].Interface, Priority, memory, MostSources);
        if (Commit(opened, ref batch) is { } reason)
        {
            opened.Dispose();
            return reason;
        }
        socket = opened;
        for (var i = 0; i < links.Count; i++)
        {
            if (Allow(i, []) is not { } refusal) continue;
            Remove();
            return refusal;
        }
        return null;
    }

    /// <summary>Makes those who are no nodes and may speak on a link these, besides those that are always allowed there.</summary>
    /// <returns>Why the kernel does not take it; it has to be installed again then.</returns>
    public string? Allow(int link, IEnumerable<Ipv4Address> wanted)
    {
        if (socket is null) return "it is not in force";
        HashSet<Ipv4Address> before = others[link], after = [.. wanted, .. links[link].Allowed];
        if (Follow(link, GuardRules.Allowed(link), NftKey.Ipv4, before, after, static address => address, static (address, key) => address.Write(key)) is { } reason) return reason;
        others[link] = after;
        return null;
    }

    /// <summary>Makes the pairs of a link these and no others.</summary>
    /// <returns>Why the kernel does not take it; it has to be installed again then.</returns>
    public string? Assign(int link, IReadOnlyCollection<SourcePair> wanted)
    {
        var now = pairs[link];
        return Change(link, [.. wanted.Where(p => !now.Contains(p))], [.. now.Except(wanted)]);
    }

    /// <summary>Puts in what has just been assigned, at once; whoever had the address or was there with another is out.</summary>
    public string? Assign(int link, SourcePair added)
    {
        var now = pairs[link];
        return now.Contains(added) ? null : Change(link, [added], [.. now.Where(p => p.Address == added.Address)]);
    }

    string? Change(int link, List<SourcePair> added, List<SourcePair> removed)
    {
        if (socket is null) return "it is not in force";
        if (added.Count == 0 && removed.Count == 0) return null;
        var before = pairs[link];
        var after = before.Except(removed).Concat(added).ToHashSet();
        // First in, then out: nobody who stays is out for a moment.
        return Fill(link, GuardRules.Assigned(link), NftKey.MacAndIpv4, added, isRemoval: false, WritePair)
            ?? Fill(link, GuardRules.Assigned(link), NftKey.MacAndIpv4, removed, isRemoval: true, WritePair)
            ?? Follow(link, GuardRules.Held(link), NftKey.Mac, before, after, static p => p.Mac, static (mac, key) => mac.Write(key))
            ?? Follow(link, GuardRules.Addresses(link), NftKey.Ipv4, before, after, static p => p.Address, static (address, key) => address.Write(key))
            ?? Done(link, after);
    }

    string? Done(int link, HashSet<SourcePair> after)
    {
        pairs[link] = after;
        return null;
    }

    string? Follow<T, TPart>(int link, string set, NftKey kind, IEnumerable<T> before, IEnumerable<T> after, Func<T, TPart> part, KeyWriter<TPart> write)
    {
        HashSet<TPart> was = [.. before.Select(part)], next = [.. after.Select(part)];
        return Fill(link, set, kind, [.. next.Except(was)], isRemoval: false, write) ?? Fill(link, set, kind, [.. was.Except(next)], isRemoval: true, write);
    }

    delegate void KeyWriter<T>(T member, Span<byte> key);

    static void WritePair(SourcePair pair, Span<byte> key)
    {
        pair.Mac.Write(key);
        pair.Address.Write(key[GuardRules.AddressInKey..]);
    }

    string? Fill<T>(int link, string set, NftKey kind, IReadOnlyList<T> members, bool isRemoval, KeyWriter<T> write)
    {
        var length = NftWriter.LengthOf(kind);
        foreach (var some in members.Chunk(MembersAtOnce))
        {
            var keys = new byte[some.Length * length];
            for (var i = 0; i < some.Length; i++) write(some[i], keys.AsSpan(i * length, length));
            var batch = new NftWriter(buffer, name);
            batch.Members(isRemoval, set, keys, length);
            if (Commit(socket!, ref batch) is { } reason) return $"{links[link].Interface}: {reason}";
        }
        return null;
    }

    /// <summary>What was dropped so far.</summary>
    /// <returns>Null when the table is not whole any more: an interface went away and came back, or somebody took it out.</returns>
    public DropReading? ReadDrops()
    {
        if (socket is null) return null;
        var sources = new List<DroppedSource>();
        var totals = new ulong[links.Count];
        var chains = new HashSet<string>();
        var counters = links.Select((_, i) => (Name: GuardRules.Dropped(i), Index: i)).ToDictionary(c => c.Name, c => c.Index);
        var isWhole = Ask(NftMessage.GetChain, null, (in NetlinkMessage message) =>
        {
            if (NftReader.TryReadChain(message, out var table, out var chain) && table == name) chains.Add(chain);
        });
        isWhole &= Ask(NftMessage.GetObjects, null, (in NetlinkMessage message) =>
        {
            if (NftReader.TryReadCounter(message, out var counter, out var packets) && counters.TryGetValue(counter, out var link)) totals[link] = packets;
        });
        for (var i = 0; i < links.Count; i++)
        {
            var link = i;
            isWhole &= chains.Contains(GuardRules.Entry(i)) && Ask(NftMessage.GetMembers, GuardRules.Forged(i), (in NetlinkMessage message) =>
            {
                var members = NftReader.Members(message);
                while (NftReader.TryReadMember(ref members, out var member))
                {
                    if (member.Key.Length < NftWriter.LengthOf(NftKey.MacAndIpv4)) continue;
                    sources.Add(new(link, new(MacAddress.Read(member.Key), Ipv4Address.Read(member.Key[GuardRules.AddressInKey..])), member.Packets));
                }
            });
        }
        return isWhole ? new(sources, totals) : null;
    }

    delegate void MessageReader(in NetlinkMessage message);

    bool Ask(NftMessage what, string? set, MessageReader read)
    {
        if (Libc.Send(socket!, buffer.AsSpan(0, NftWriter.Ask(buffer, what, name, set))) != 0) return false;
        int length;
        while ((length = Libc.Receive(socket!, answer)) > 0)
        {
            var messages = new NetlinkReader(answer.AsSpan(0, length));
            while (messages.TryRead(out var message))
            {
                if (message.Type is NetlinkMessage.Error or NetlinkMessage.Done) return message.ErrorNumber == 0;
                read(message);
            }
        }
        return false;
    }

    string? Commit(SafeFileHandle to, ref NftWriter batch)
    {
        var failure = Libc.Send(to, buffer.AsSpan(0, batch.Finish()));
        if (failure != 0) return Words(failure);
        int length;
        var heard = false;
        while ((length = Libc.Receive(to, answer)) > 0)
        {
            var messages = new NetlinkReader(answer.AsSpan(0, length));
            while (messages.TryRead(out var message))
            {
                if (message.Type != NetlinkMessage.Error) continue;
                heard = true;
                if (failure == 0) failure = message.ErrorNumber;
            }
        }
        return failure != 0 ? Words(failure) : heard ? null : "the kernel does not answer";
    }

    static string Words(int error)
    {
        const int notPermitted = 1, noProtocol = 93;
        return error switch
        {
            notPermitted => "the kernel does not permit it (it wants CAP_NET_ADMIN)",
            noProtocol => "the kernel has no nf_tables",
            _ => $"the kernel says: {Marshal.GetPInvokeErrorMessage(error)}",
        };
    }

    /// <summary>Takes everything out of force.</summary>
    public void Remove()
    {
        socket?.Dispose();
        socket = null;
        foreach (var set in pairs) set.Clear();
        foreach (var set in others) set.Clear();
    }

    public void Dispose() => Remove();
}
