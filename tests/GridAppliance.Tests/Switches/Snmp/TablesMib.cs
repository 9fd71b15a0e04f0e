using System.Text;

namespace GridAppliance.Tests.Switches.Snmp;

/// <summary>
/// As much of the tables' definitions as <c>snmptable</c> needs to know where a row ends, in the form of SMIv1, which imports nothing: Debian does not ship the MIBs' own texts.
/// </summary>
static class TablesMib
{
    const string Status = "INTEGER { up(1), down(2) }", Number = "INTEGER", Octets = "OCTET STRING";

    /// <summary>Where a table is below iso, its columns in the order of their numbers, and which of them are its index.</summary>
    sealed record Table(string Name, string At, (string Name, int Number, string Syntax)[] Columns, params string[] Index);

    static readonly Table[] Tables =
    [
        new("ifTable", "3 6 1 2 1 2 2", [("ifIndex", 1, Number), ("ifDescr", 2, Octets), ("ifAdminStatus", 7, Status), ("ifOperStatus", 8, Status)], "ifIndex"),
        new("dot1dBasePortTable", "3 6 1 2 1 17 1 4", [("dot1dBasePort", 1, Number), ("dot1dBasePortIfIndex", 2, Number)], "dot1dBasePort"),
        new("dot1qTpFdbTable", "3 6 1 2 1 17 7 1 2 2", [("dot1qFdbId", 99, Number), ("dot1qTpFdbPort", 2, Number), ("dot1qTpFdbStatus", 3, "INTEGER { learned(3) }")], "dot1qFdbId"),
        new("dot1qVlanStaticTable", "3 6 1 2 1 17 7 1 4 3",
            [("dot1qVlanStaticName", 1, Octets), ("dot1qVlanStaticEgressPorts", 2, Octets), ("dot1qVlanStaticUntaggedPorts", 4, Octets), ("dot1qVlanStaticRowStatus", 5, "INTEGER { active(1) }"), ("dot1qVlanIndex", 99, Number)], "dot1qVlanIndex"),
        new("dot1qPortVlanTable", "3 6 1 2 1 17 7 1 4 5", [("dot1qPvid", 1, "Gauge32"), ("dot1qPortAcceptableFrameTypes", 2, "INTEGER { admitAll(1) }"), ("portNumber", 99, Number)], "portNumber"),
        new("lldpRemTable", "0 8802 1 1 2 1 4 1", [("lldpRemTimeMark", 1, Number), ("lldpRemLocalPortNum", 2, Number), ("lldpRemIndex", 3, Number), ("lldpRemPortId", 7, Octets), ("lldpRemPortDesc", 8, Octets), ("lldpRemSysName", 9, Octets)],
            "lldpRemTimeMark", "lldpRemLocalPortNum", "lldpRemIndex"),
    ];

    public static string Text
    {
        get
        {
            var text = new StringBuilder("TABLES-MIB DEFINITIONS ::= BEGIN\n");
            foreach (var table in Tables)
            {
                var entry = table.Name[..^"Table".Length] + "Entry";
                var row = char.ToUpperInvariant(entry[0]) + entry[1..];
                text.Append($"{table.Name} OBJECT-TYPE SYNTAX SEQUENCE OF {row} ACCESS not-accessible STATUS mandatory ::= {{ iso {table.At} }}\n");
                text.Append($"{entry} OBJECT-TYPE SYNTAX {row} ACCESS not-accessible STATUS mandatory INDEX {{ {string.Join(", ", table.Index)} }} ::= {{ {table.Name} 1 }}\n");
                text.Append($"{row} ::= SEQUENCE {{ {string.Join(", ", table.Columns.Select(c => $"{c.Name} {c.Syntax}"))} }}\n");
                foreach (var (name, number, syntax) in table.Columns)
                    text.Append($"{name} OBJECT-TYPE SYNTAX {syntax} ACCESS {(table.Index.Contains(name) && table.Name is not ("ifTable" or "dot1dBasePortTable") ? "not-accessible" : "read-only")} STATUS mandatory ::= {{ {entry} {number} }}\n");
            }
            return text.Append("END\n").ToString();
        }
    }
}
