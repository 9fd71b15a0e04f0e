namespace GridAppliance.Protocols.Netlink;

/// <summary>A batch for nf_tables (linux/netfilter/nf_tables.h): all of it comes into force at once, or nothing does.</summary>
public ref partial struct NftWriter
{
    const ushort Subsystem = 10, BatchBegin = 0x10, BatchEnd = 0x11;
    /// <summary>The family whose chains see every frame of one interface.</summary>
    public const byte NetDevice = 5;

    const ushort ListElement = 1, DataValue = 1;

    readonly string table;
    NetlinkWriter writer;
    uint sequence;
    int expressions, rule;

    public NftWriter(Span<byte> buffer, string table)
    {
        writer = new(buffer);
        this.table = table;
        writer.Begin(BatchBegin, NetlinkFlags.Request, 0, [0, 0, 0, (byte)Subsystem]);
    }

    public readonly int Room => writer.Room;

    /// <summary>Ends the batch.</summary>
    /// <returns>Its length.</returns>
    public int Finish()
    {
        writer.Begin(BatchEnd, NetlinkFlags.Request, ++sequence, [0, 0, 0, (byte)Subsystem]);
        writer.End();
        return writer.Length;
    }

    /// <summary>A question that is answered with everything of a kind in the table.</summary>
    /// <returns>Its length.</returns>
    public static int Ask(Span<byte> buffer, NftMessage what, string table, string? set)
    {
        var question = new NetlinkWriter(buffer);
        question.Begin(Type(what), NetlinkFlags.Request | NetlinkFlags.Dump, 1, [NetDevice, 0, 0, 0]);
        question.Text(1, table);
        if (set is not null) question.Text(2, set);
        question.End();
        return question.Length;
    }

    public static ushort Type(NftMessage message) => (ushort)(Subsystem << 8 | (int)message);

    /// <summary>Makes the table. It is its maker's: nobody else can change it, and it goes with the socket that made it, however that ends.</summary>
    public void Table()
    {
        const uint owner = 2;
        Begin(NftMessage.NewTable, NetlinkFlags.Create);
        writer.Text(1, table);
        writer.Number(2, owner);
    }

    /// <summary>Makes a set.</summary>
    /// <param name="name">How rules call it.</param>
    /// <param name="key">What its members are, for people who list it.</param>
    /// <param name="learned">Filled by a rule, for so long, with so many at the most; null: filled by its owner.</param>
    public void Set(string name, NftKey key, (TimeSpan For, uint Most)? learned = null)
    {
        const uint timeout = 0x10, evaluated = 0x20;
        Begin(NftMessage.NewSet, NetlinkFlags.Create);
        writer.Text(1, table);
        writer.Text(2, name);
        writer.Number(3, learned is null ? 0 : timeout | evaluated);
        writer.Number(4, TypeOf(key));
        writer.Number(5, (uint)LengthOf(key));
        writer.Number(10, sequence);
        if (learned is not { } bounds) return;
        writer.Number(11, (ulong)bounds.For.TotalMilliseconds);
        var description = writer.BeginNest(9);
        writer.Number(1, bounds.Most);
        writer.EndNest(description);
    }

    /// <summary>A counter that rules share.</summary>
    public void Counter(string name)
    {
        const uint counter = 1;
        Begin(NftMessage.NewObject, NetlinkFlags.Create);
        writer.Text(1, table);
        writer.Text(2, name);
        writer.Number(3, counter);
        writer.EndNest(writer.BeginNest(4));
    }

    /// <summary>A chain that rules jump to.</summary>
    public void Chain(string name)
    {
        Begin(NftMessage.NewChain, NetlinkFlags.Create);
        writer.Text(1, table);
        writer.Text(3, name);
    }

    /// <summary>A chain that every frame goes through which an interface receives, before anything else of the network stack sees it.</summary>
    public void IngressChain(string name, string device, int priority)
    {
        const uint accept = 1;
        Chain(name);
        var hook = writer.BeginNest(4);
        writer.Number(1, 0u);
        writer.Number(2, unchecked((uint)priority));
        writer.Text(3, device);
        writer.EndNest(hook);
        writer.Number(5, accept);
        writer.Text(7, "filter");
    }

    /// <summary>Puts members into a set, or takes them out.</summary>
    /// <param name="isRemoval">Out.</param>
    /// <param name="set">Whose.</param>
    /// <param name="members">Keys, one after the other.</param>
    /// <param name="length">Octets of each.</param>
    public void Members(bool isRemoval, string set, scoped ReadOnlySpan<byte> members, int length)
    {
        Begin(isRemoval ? NftMessage.DeleteMember : NftMessage.NewMember, isRemoval ? NetlinkFlags.None : NetlinkFlags.Create);
        writer.Text(1, table);
        writer.Text(2, set);
        var list = writer.BeginNest(3);
        for (; members.Length >= length; members = members[length..])
        {
            var member = writer.BeginNest(ListElement);
            var key = writer.BeginNest(1);
            writer.Octets(DataValue, members[..length]);
            writer.EndNest(key);
            writer.EndNest(member);
        }
        writer.EndNest(list);
    }

    // Whatever is refused is answered, asked for or not; the acknowledgement says that the batch was read to its end.
    void Begin(NftMessage message, NetlinkFlags flags) => writer.Begin(Type(message), NetlinkFlags.Request | NetlinkFlags.Acknowledge | flags, ++sequence, [NetDevice, 0, 0, 0]);

    /// <summary>A key's octets: each part padded to four.</summary>
    public static int LengthOf(NftKey key) => key switch
    {
        NftKey.Mac => 6,
        NftKey.Ipv4 => 4,
        NftKey.MacAndIpv4 => 12,
    };

    // As nft(8) numbers types, so that it lists members as people read them.
    static uint TypeOf(NftKey key)
    {
        const uint ipv4 = 7, ethernet = 9;
        return key switch
        {
            NftKey.Mac => ethernet,
            NftKey.Ipv4 => ipv4,
            NftKey.MacAndIpv4 => ethernet << 6 | ipv4,
        };
    }
}
