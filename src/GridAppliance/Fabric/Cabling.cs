using System.Collections.Immutable;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Fabric;

/// <summary>Which machine should be on which port.</summary>
/// <param name="Machine">A node's name, a NIC's address, or a machine's serial number or UUID.</param>
sealed record CablingLine(string Machine, string Switch, string Port)
{
    public string Where => $"{Switch}/{Port}";

    /// <summary>The node that is meant, and those of its NICs that may be on the port.</summary>
    public (Node? Node, ImmutableArray<MacAddress> Macs) Find(NodeSnapshot nodes)
    {
        if (MacAddress.TryParse(Machine, out var mac)) return (nodes.Find(mac), [mac]);
        var node = nodes.Find(Machine) ?? nodes.Nodes.FirstOrDefault(n => n.Inventory?.Serial == Machine || (Guid.TryParse(Machine, out var uuid) && n.Uuid == uuid));
        return (node, node?.Macs ?? []);
    }
}

/// <summary>The plan of who should be where: CSV with a line for each cable, <c>machine,switch,port</c>. Empty when nobody made one.</summary>
sealed record Cabling(ImmutableArray<CablingLine> Lines)
{
    /// <summary>A row of racks; more is a mistake.</summary>
    const int MostLines = 20_000;
    const int LongestField = 128;

    public static Cabling None { get; } = new([]);

    /// <summary>A first line that names the columns, empty lines and lines that begin with # say nothing.</summary>
    /// <param name="csv">RFC 4180, without line breaks inside fields.</param>
    /// <param name="problems">Every line that is none, by its number.</param>
    public static Cabling Read(string csv, out IReadOnlyList<string> problems)
    {
        var lines = ImmutableArray.CreateBuilder<CablingLine>();
        var wrong = new List<string>();
        var number = 0;
        foreach (var raw in csv.AsSpan().EnumerateLines())
        {
            number++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] == '#') continue;
            var fields = Fields(line.ToString());
            if (lines.Count == 0 && fields is [_, "switch", "port"]) continue;
            if (fields is not [{ Length: > 0 and <= LongestField } machine, { Length: > 0 and <= LongestField } name, { Length: > 0 and <= LongestField } port]) wrong.Add($"line {number}: three fields are wanted, machine,switch,port");
            else if (lines.Any(l => l.Switch.Equals(name, StringComparison.OrdinalIgnoreCase) && l.Port.Equals(port, StringComparison.OrdinalIgnoreCase))) wrong.Add($"line {number}: {name}/{port} has a cable in an earlier line");
            else lines.Add(new(machine, name, port));
            if (lines.Count > MostLines) { wrong.Add($"over {MostLines} lines"); break; }
        }
        problems = wrong;
        return new(lines.DrainToImmutable());
    }

    static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var at = 0;
        while (at <= line.Length)
        {
            if (at < line.Length && line[at] == '"')
            {
                var field = new System.Text.StringBuilder();
                for (at++; at < line.Length; at++)
                {
                    if (line[at] != '"') field.Append(line[at]);
                    else if (at + 1 < line.Length && line[at + 1] == '"') field.Append(line[at++]);
                    else break;
                }
                fields.Add(field.ToString());
                at = line.IndexOf(',', Math.Min(at, line.Length)) is >= 0 and var comma ? comma + 1 : line.Length + 1;
            }
            else
            {
                var end = line.IndexOf(',', at) is >= 0 and var comma ? comma : line.Length;
                fields.Add(line[at..end].Trim());
                at = end + 1;
            }
        }
        return fields;
    }

    public string Text => string.Concat(Lines.Select(l => $"{Quoted(l.Machine)},{Quoted(l.Switch)},{Quoted(l.Port)}\n"));

    static string Quoted(string field) => field.AsSpan().ContainsAny(',', '"') ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}

/// <summary>The plan in the appliance's store.</summary>
sealed class CablingStore(Database database)
{
    public static IReadOnlyList<Migration> Migrations { get; } = [new("cabling-1", "CREATE TABLE cabling(id INTEGER PRIMARY KEY CHECK (id = 1), csv TEXT NOT NULL) STRICT;")];

    public Cabling Load() => database.Read(connection => connection.Scalar<string>("SELECT csv FROM cabling")) is { } csv ? Cabling.Read(csv, out _) : Cabling.None;

    public Task SaveAsync(Cabling cabling, CancellationToken cancellationToken) => database.WriteAsync(
        connection => connection.Run("INSERT INTO cabling(id, csv) VALUES (1, $csv) ON CONFLICT(id) DO UPDATE SET csv = excluded.csv", ("$csv", cabling.Text)), cancellationToken);
}
