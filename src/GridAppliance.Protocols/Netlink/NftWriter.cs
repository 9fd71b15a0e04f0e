namespace GridAppliance.Protocols.Netlink;

/// <summary>A batch for nf_tables (linux/netfilter/nf_tables.h): all of it comes into force at once, or nothing does.</summary>
public ref struct NftWriter
{
    const ushort Subsystem = 10, BatchBegin = 0x10, BatchEnd = 0x11;
    /// <summary>The family whose chains see every frame of one interface.</summary>
    public const byte NetDevice = 5;

    const ushort ListElement = 1, ExpressionName = 1, ExpressionData = 2, DataValue = 1, DataVerdict = 2;

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

    /// <summary>Begins a rule at the end of a chain; its expressions follow, and <see cref="EndRule"/>.</summary>
    public void BeginRule(string chain)
    {
        Begin(NftMessage.NewRule, NetlinkFlags.Create | NetlinkFlags.Append);
        writer.Text(1, table);
        writer.Text(2, chain);
        rule = writer.BeginNest(4);
    }

    public readonly void EndRule() => writer.EndNest(rule);

    /// <summary>Loads octets of the frame into a register.</summary>
    /// <param name="register">1 to 4 hold 16 octets, 8 and above four octets of them.</param>
    /// <param name="from">Where counting begins.</param>
    /// <param name="offset">Octets from there.</param>
    /// <param name="length">How many.</param>
    public void Payload(uint register, NftHeader from, uint offset, uint length)
    {
        var nest = BeginExpression("payload");
        writer.Number(1, register);
        writer.Number(2, (uint)from);
        writer.Number(3, offset);
        writer.Number(4, length);
        EndExpression(nest);
    }

    /// <summary>Loads the protocol of the frame, as the kernel has it after taking a tag off.</summary>
    public void Protocol(uint register) => Meta(register, 1);

    /// <summary>Loads the protocol above IP.</summary>
    public void TransportProtocol(uint register) => Meta(register, 16);

    /// <summary>Goes on with the rule only if the register holds this.</summary>
    public void Compare(uint register, bool equal, scoped ReadOnlySpan<byte> value)
    {
        var nest = BeginExpression("cmp");
        writer.Number(1, register);
        writer.Number(2, equal ? 0u : 1u);
        Data(3, value);
        EndExpression(nest);
    }

    public void Mask(uint register, scoped ReadOnlySpan<byte> mask)
    {
        Span<byte> none = stackalloc byte[16];
        none.Clear();
        var nest = BeginExpression("bitwise");
        writer.Number(1, register);
        writer.Number(2, register);
        writer.Number(3, (uint)mask.Length);
        Data(4, mask);
        Data(5, none[..mask.Length]);
        EndExpression(nest);
    }

    /// <summary>Goes on with the rule only if what is in the register is in the set, or only if it is not.</summary>
    public void Lookup(string set, uint register, bool isIn = true)
    {
        const uint inverted = 1;
        var nest = BeginExpression("lookup");
        writer.Text(1, set);
        writer.Number(2, register);
        if (!isIn) writer.Number(5, inverted);
        EndExpression(nest);
    }

    /// <summary>Puts what is in the register into the set, with a counter of its own. A set that is full ends the rule here.</summary>
    public void Learn(string set, uint register)
    {
        const uint update = 1;
        var nest = BeginExpression("dynset");
        writer.Text(1, set);
        writer.Number(3, update);
        writer.Number(4, register);
        var counter = writer.BeginNest(7);
        writer.Text(ExpressionName, "counter");
        writer.EndNest(writer.BeginNest(ExpressionData));
        writer.EndNest(counter);
        EndExpression(nest);
    }

    public void Count(string counter)
    {
        var nest = BeginExpression("objref");
        writer.Number(1, 1u);
        writer.Text(2, counter);
        EndExpression(nest);
    }

    public void Accept() => Verdict(1, null);

    public void Drop() => Verdict(0, null);

    public void Jump(string chain) => Verdict(-3, chain);

    void Verdict(int code, string? chain)
    {
        var nest = BeginExpression("immediate");
        writer.Number(1, 0u);
        var data = writer.BeginNest(2);
        var verdict = writer.BeginNest(DataVerdict);
        writer.Number(1, unchecked((uint)code));
        if (chain is not null) writer.Text(2, chain);
        writer.EndNest(verdict);
        writer.EndNest(data);
        EndExpression(nest);
    }

    void Meta(uint register, uint key)
    {
        var nest = BeginExpression("meta");
        writer.Number(1, register);
        writer.Number(2, key);
        EndExpression(nest);
    }

    void Data(ushort type, scoped ReadOnlySpan<byte> value)
    {
        var nest = writer.BeginNest(type);
        writer.Octets(DataValue, value);
        writer.EndNest(nest);
    }

    int BeginExpression(string name)
    {
        expressions = writer.BeginNest(ListElement);
        writer.Text(ExpressionName, name);
        return writer.BeginNest(ExpressionData);
    }

    readonly void EndExpression(int data)
    {
        writer.EndNest(data);
        writer.EndNest(expressions);
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

public enum NftMessage { NewTable = 0, NewChain = 3, GetChain = 4, NewRule = 6, NewSet = 9, NewMember = 12, GetMembers = 13, DeleteMember = 14, NewObject = 18, GetObjects = 19 }

/// <summary>What the members of a set are.</summary>
public enum NftKey { Mac, Ipv4, MacAndIpv4 }

/// <summary>Where octets of a frame are counted from.</summary>
public enum NftHeader : uint { Link = 0, Network = 1, Transport = 2 }
