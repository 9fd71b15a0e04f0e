namespace GridAppliance.Protocols.Netlink;

/// <summary>Rules: what is looked at in a frame, and what follows from it, expression by expression.</summary>
public ref partial struct NftWriter
{
    const ushort ExpressionName = 1, ExpressionData = 2, DataVerdict = 2;

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
}
