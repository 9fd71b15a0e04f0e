using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches;

/// <summary>The journal's text: a line for each variable, <c>OID|tag|hex</c>, and an empty line between PDUs.</summary>
static class SwitchChangeText
{
    public static string Write(IEnumerable<VlanWrite> writes) =>
        string.Join("\n\n", writes.Where(w => !w.Undo.IsEmpty).Reverse().Select(w => string.Join('\n', w.Undo.Select(Line))));

    public static string WriteSets(IEnumerable<VlanWrite> writes) => string.Join("\n\n", writes.Select(w => string.Join('\n', w.Set.Select(Line))));

    public static ImmutableArray<VlanWrite> Read(string text) =>
        [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(pdu => new VlanWrite([.. pdu.Split('\n').Select(Varbind)], []))];

    static string Line(Varbind varbind) => varbind.Value.Syntax switch
    {
        SnmpSyntax.OctetString => $"{varbind.Name}|octets|{Convert.ToHexStringLower(varbind.Value.AsOctets)}",
        SnmpSyntax.Gauge32 => $"{varbind.Name}|gauge|{varbind.Value}",
        SnmpSyntax.Integer32 => $"{varbind.Name}|integer|{varbind.Value}",
        SnmpSyntax.Null or SnmpSyntax.ObjectIdentifier or SnmpSyntax.IpAddress or SnmpSyntax.Counter32 or SnmpSyntax.TimeTicks or SnmpSyntax.Opaque or SnmpSyntax.Counter64
            or SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView => throw new ArgumentException($"{varbind} is never written to a switch", nameof(varbind)),
    };

    static Varbind Varbind(string line)
    {
        var parts = line.Split('|');
        return new(ObjectIdentifier.Parse(parts[0]), parts[1] switch
        {
            "octets" => SnmpValue.Octets(Convert.FromHexString(parts[2])),
            "gauge" => SnmpValue.Gauge(uint.Parse(parts[2])),
            "integer" => SnmpValue.Integer(int.Parse(parts[2])),
            _ => throw new FormatException($"'{line}' is no line of the journal"),
        });
    }
}
