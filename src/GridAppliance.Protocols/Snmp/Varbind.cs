namespace GridAppliance.Protocols.Snmp;

/// <summary>A variable and its value.</summary>
public readonly record struct Varbind(ObjectIdentifier Name, SnmpValue Value)
{
    /// <summary>What a request asks for.</summary>
    public Varbind(ObjectIdentifier name) : this(name, SnmpValue.Null)
    {
    }

    /// <summary>Octets that it takes in a message.</summary>
    public int EncodedLength => BerWriter.FieldLength(BerWriter.FieldLength(Name.ContentsLength) + BerWriter.FieldLength(Value.ContentsLength));

    public override string ToString() => $"{Name} = {Value.Syntax} {Value}";
}
