using System.Text;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>A PDU with the context that it is about (RFC 3412, section 6.8).</summary>
public sealed record ScopedPdu
{
    const byte Sequence = 0x30;

    public required ReadOnlyMemory<byte> ContextEngineId { get; init; }
    /// <summary>Cisco switches show each VLAN's bridge in a context <c>vlan-N</c>.</summary>
    public string ContextName { get; init; } = "";
    public required SnmpPdu Pdu { get; init; }

    internal static bool TryRead(ReadOnlySpan<byte> source, bool mayHavePadding, out ScopedPdu? scoped, out SnmpDefect defect)
    {
        scoped = null;
        if (!BerReader.TryTake(ref source, Sequence, out var body, out defect)) return false;
        if (!mayHavePadding && !source.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        if (!BerReader.TryTake(ref body, (byte)SnmpSyntax.OctetString, out var engine, out defect)
            || !BerReader.TryTake(ref body, (byte)SnmpSyntax.OctetString, out var context, out defect)
            || !SnmpPdu.TryRead(body, out var pdu, out var rest, out defect)) return false;
        if (!rest.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        scoped = new() { ContextEngineId = engine.ToArray(), ContextName = Encoding.UTF8.GetString(context), Pdu = pdu! };
        return true;
    }

    internal void Write(ref BerWriter writer)
    {
        var end = writer.Position;
        Pdu.Write(ref writer);
        writer.WriteOctets((byte)SnmpSyntax.OctetString, Encoding.UTF8.GetBytes(ContextName));
        writer.WriteOctets((byte)SnmpSyntax.OctetString, ContextEngineId.Span);
        writer.Close(Sequence, end);
    }
}
