using System.Text;
using System.Text.Unicode;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches;

/// <summary>LLDP-MIB's tables: who has said what on which of our ports. Pure.</summary>
static class LldpRows
{
    const uint ChassisSubtype = 4, ChassisId = 5, PortSubtype = 6, PortId = 7, PortDescription = 8, SystemName = 9, CapabilitiesEnabled = 12;
    const uint LocalId = 3, LocalDescription = 4;

    /// <summary>bridge(2) of LldpSystemCapabilitiesMap: bits count from the left.</summary>
    const byte Bridge = 0x20;

    /// <summary>Subtypes of identifiers that are MAC addresses.</summary>
    const int ChassisIsMac = 4, PortIsMac = 3;

    public static IReadOnlyList<SwitchNeighbour> Read(IReadOnlyList<Varbind> remote, IReadOnlyList<Varbind> local, SwitchSnapshot ports)
    {
        var localNames = LocalNames(local);
        // The table is filtered by time like the VLANs' (RFC 2021): of one neighbour the latest row counts.
        var rows = new SortedDictionary<(int Port, uint Index), (uint Mark, Dictionary<uint, SnmpValue> Cells)>();
        foreach (var cell in remote)
        {
            // Agents that do not know of time marks leave them out.
            (uint Column, uint Mark, uint Port, uint Index) at = cell.Name.Below(QBridgeMib.LldpRemote) switch { [var c, var since, var p, var i] => (c, since, p, i), [var c, var p, var i] => (c, 0, p, i), _ => default };
            var (column, mark, port, index) = at;
            if (column == 0 || port > int.MaxValue) continue;
            var key = ((int)port, index);
            if (rows.TryGetValue(key, out var known) && mark < known.Mark) continue;
            if (known.Cells is null || mark > known.Mark) rows[key] = known = (mark, []);
            known.Cells[column] = cell.Value;
        }
        return [.. rows.Select(row => Neighbour(row.Key.Port, row.Value.Cells, localNames, ports))];
    }

    static SwitchNeighbour Neighbour(int localPort, Dictionary<uint, SnmpValue> cells, Dictionary<int, List<string>> localNames, SwitchSnapshot ports)
    {
        var chassis = cells.GetValueOrDefault(ChassisId);
        var port = cells.GetValueOrDefault(PortId);
        var (chassisMac, portMac) = (Mac(cells.GetValueOrDefault(ChassisSubtype), ChassisIsMac, chassis), Mac(cells.GetValueOrDefault(PortSubtype), PortIsMac, port));
        return new()
        {
            LocalPort = localPort,
            Port = LocalPort(localPort, localNames, ports),
            ChassisId = chassisMac is null ? Identifier(chassis) : Hex(chassis),
            PortId = portMac is null ? Identifier(port) : Hex(port),
            PortDescription = Identifier(cells.GetValueOrDefault(PortDescription)),
            SystemName = Identifier(cells.GetValueOrDefault(SystemName)),
            ChassisMac = chassisMac,
            IsBridge = cells.GetValueOrDefault(CapabilitiesEnabled).AsOctets is [var capabilities, ..] && (capabilities & Bridge) != 0,
            PortMac = portMac,
        };
    }

    // LLDP numbers ports as it likes: by what it calls them where that is a port's name, else by interface, else by bridge port.
    static int? LocalPort(int number, Dictionary<int, List<string>> localNames, SwitchSnapshot ports)
    {
        if (localNames.TryGetValue(number, out var names))
        {
            foreach (var name in names)
            {
                if (ports.Port(name) is { } named) return named.Number;
            }
        }
        return ports.Ports.Values.FirstOrDefault(p => p.IfIndex == number)?.Number ?? (ports.Ports.ContainsKey(number) ? number : null);
    }

    static Dictionary<int, List<string>> LocalNames(IReadOnlyList<Varbind> local)
    {
        var names = new Dictionary<int, List<string>>();
        foreach (var cell in local)
        {
            if (cell.Name.Below(QBridgeMib.LldpLocalPort) is not [LocalId or LocalDescription, <= int.MaxValue and var port]) continue;
            if (cell.Value.AsText.Trim('\0') is not { Length: > 0 } name) continue;
            if (!names.TryGetValue((int)port, out var list)) names[(int)port] = list = [];
            list.Add(name);
        }
        return names;
    }

    // Six octets; some agents write the address out instead.
    static MacAddress? Mac(SnmpValue subtype, int wanted, SnmpValue identifier)
    {
        if (!subtype.TryGetInt32(out var kind) || kind != wanted) return null;
        if (identifier.AsOctets.Length == MacAddress.Length) return MacAddress.Read(identifier.AsOctets);
        return MacAddress.TryParse(identifier.AsText.Trim('\0', ' '), out var written) ? written : null;
    }

    // An address may be the octets of a word by chance.
    static string Hex(SnmpValue address) => address.AsOctets.Length == MacAddress.Length ? Convert.ToHexStringLower(address.AsOctets) : Identifier(address);

    // Text where it is text; anything else, such as an address or a name in another encoding, in hexadecimal.
    public static string Identifier(SnmpValue value)
    {
        var octets = value.AsOctets.TrimEnd((byte)0);
        var isText = (octets.Length > 0 || value.AsOctets.IsEmpty) && Utf8.IsValid(octets) && !octets.ContainsAnyInRange((byte)0, (byte)0x1F);
        return isText ? Encoding.UTF8.GetString(octets) : Convert.ToHexStringLower(value.AsOctets);
    }
}
