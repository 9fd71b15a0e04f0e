using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Tests.Switches;

/// <summary>What a real device answered once: a file of snmpsim's (<c>OID|TYPE|VALUE</c>) or of net-snmp's <c>snmpwalk -On</c>, or rows typed by hand.</summary>
sealed class Recording : IManagedTree
{
    // Sorted by name.
    readonly List<Varbind> rows;

    public Recording(IEnumerable<Varbind> varbinds)
    {
        rows = varbinds.GroupBy(v => v.Name).Select(g => g.Last()).OrderBy(v => v.Name).ToList();
    }

    public static Recording Load(string path) =>
        new(path.EndsWith(".walk", StringComparison.Ordinal) ? ReadWalk(File.ReadAllLines(path, Encoding.Latin1)) : ReadSnmprec(File.ReadAllLines(path, Encoding.Latin1)));

    /// <summary>What was SET, in order.</summary>
    public List<Varbind> Written { get; } = [];

    /// <summary>Objects that take a SET; the rest is notWritable.</summary>
    public Func<ObjectIdentifier, bool> IsWritable { get; init; } = static _ => false;

    public int Count => rows.Count;

    /// <summary>What a walk of a column or table would find.</summary>
    public IReadOnlyList<Varbind> Below(ObjectIdentifier root) => [.. rows.Where(r => r.Name.StartsWith(root))];

    public ValueTask RefreshAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public SnmpValue Get(ObjectIdentifier name)
    {
        var at = IndexOf(name);
        if (at >= 0) return rows[at].Value;
        at = ~at;
        // Whether the object is there without this instance: its column, as far as can be told.
        var column = name.Length > 0 ? new ObjectIdentifier(name.Parts[..^1]) : name;
        var hasSiblings = (at < rows.Count && rows[at].Name.StartsWith(column)) || (at > 0 && rows[at - 1].Name.StartsWith(column));
        return hasSiblings ? SnmpValue.NoSuchInstance : SnmpValue.NoSuchObject;
    }

    public Varbind? Next(ObjectIdentifier name)
    {
        var at = IndexOf(name);
        at = at >= 0 ? at + 1 : ~at;
        return at < rows.Count ? rows[at] : null;
    }

    public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken)
    {
        for (var i = 0; i < varbinds.Length; i++)
        {
            var at = IndexOf(varbinds[i].Name);
            if (at < 0 || !IsWritable(varbinds[i].Name)) return ValueTask.FromResult(new SetVerdict(SnmpErrorStatus.NotWritable, i + 1));
            if (rows[at].Value.Syntax != varbinds[i].Value.Syntax) return ValueTask.FromResult(new SetVerdict(SnmpErrorStatus.WrongType, i + 1));
        }
        foreach (var varbind in varbinds)
        {
            rows[IndexOf(varbind.Name)] = varbind;
            Written.Add(varbind);
        }
        return ValueTask.FromResult(SetVerdict.Done);
    }

    int IndexOf(ObjectIdentifier name) => rows.BinarySearch(new(name), Comparer<Varbind>.Create((a, b) => a.Name.CompareTo(b.Name)));

    static IEnumerable<Varbind> ReadSnmprec(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var parts = line.Split('|', 3);
            if (parts.Length < 3 || !ObjectIdentifier.TryParse(parts[0], null, out var name)) continue;
            var type = parts[1];
            var text = parts[2];
            if (type.Contains(':'))
            {
                // A simulator's module: its options say where it starts.
                type = type[..type.IndexOf(':')];
                var start = text.Split(',').FirstOrDefault(o => o.StartsWith("initial=", StringComparison.Ordinal) || o.StartsWith("value=", StringComparison.Ordinal));
                if (start is null) continue;
                text = start[(start.IndexOf('=') + 1)..];
            }
            // Somebody made it anonymous.
            if (text == "<private>" && !type.StartsWith('4')) continue;
            var isHex = type.EndsWith('x');
            var tag = (SnmpSyntax)byte.Parse(type.TrimEnd('x'));
            yield return new(name, Value(tag, text, isHex ? Convert.FromHexString(text) : Encoding.Latin1.GetBytes(text), isHex));
        }
    }

    static SnmpValue Value(SnmpSyntax syntax, string text, byte[] octets, bool isHex) => syntax switch
    {
        SnmpSyntax.Integer32 => SnmpValue.Integer(int.Parse(text)),
        SnmpSyntax.OctetString => SnmpValue.Octets(octets),
        SnmpSyntax.ObjectIdentifier => SnmpValue.Identifier(ObjectIdentifier.Parse(text)),
        SnmpSyntax.IpAddress => SnmpValue.Address(isHex ? Ipv4Address.Read(octets) : Ipv4Address.Parse(text)),
        SnmpSyntax.Counter32 => SnmpValue.Counter((uint)ulong.Parse(text)),
        SnmpSyntax.Gauge32 => SnmpValue.Gauge((uint)ulong.Parse(text)),
        SnmpSyntax.TimeTicks => SnmpValue.TimeTicks((uint)ulong.Parse(text)),
        SnmpSyntax.Opaque => SnmpValue.Opaque(octets),
        SnmpSyntax.Counter64 => SnmpValue.Counter64(ulong.Parse(text)),
        SnmpSyntax.Null or SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView => throw new InvalidDataException($"{syntax} in a recording"),
    };

    static IEnumerable<Varbind> ReadWalk(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            var parts = line.Split(" = ", 2);
            if (parts.Length < 2 || !ObjectIdentifier.TryParse(parts[0], null, out var name)) continue;
            var value = parts[1].Split(": ", 2);
            var text = value.Length > 1 ? value[1].Trim() : "";
            yield return new(name, value[0] switch
            {
                "INTEGER" => SnmpValue.Integer(int.Parse(text)),
                "Counter32" => SnmpValue.Counter(uint.Parse(text)),
                "Gauge32" => SnmpValue.Gauge(uint.Parse(text)),
                "Counter64" => SnmpValue.Counter64(ulong.Parse(text)),
                "Timeticks" => SnmpValue.TimeTicks(uint.Parse(text.AsSpan(1, text.IndexOf(')') - 1), NumberStyles.None)),
                "OID" => SnmpValue.Identifier(ObjectIdentifier.Parse(text)),
                "Hex-STRING" => SnmpValue.Octets(Convert.FromHexString(text.Replace(" ", ""))),
                "STRING" => SnmpValue.Octets(Encoding.Latin1.GetBytes(text.Trim('"'))),
                "\"\"" => SnmpValue.Octets([]),
                _ => throw new InvalidDataException(line),
            });
        }
    }
}
