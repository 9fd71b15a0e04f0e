using System.Buffers.Binary;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches;

namespace GridAppliance.Fabric;

/// <summary>
/// Which port option 82 names. What stands in a circuit id is each maker's own: most put the port's name into it, among other text or alone. Cisco's form has a module and a number, and where a switch
/// begins to count differs from model to model: that is learned from nodes that the switch itself sees on a port. Pure.
/// </summary>
/// <param name="livePlace">Where the switches see a NIC now.</param>
sealed class RelayCircuits(IReadOnlyList<MappedSwitch> switches, NodeSnapshot nodes, Func<MacAddress, (string Switch, string Port)?> livePlace)
{
    readonly ILookup<(string Switch, int Module), NameRule> rules = Learn(switches, nodes, livePlace);

    /// <summary>How a switch's numbers become names: what stands before the number in the name, and how much the number in option 82 is above it.</summary>
    readonly record struct NameRule(string Prefix, int Above);

    /// <summary>Null where the option says nothing that fits one port only.</summary>
    public (MappedSwitch Switch, SwitchPort Port)? Find(Node node)
    {
        if (node.Circuit is not { } circuit) return null;
        var relays = RelaysOf(switches, node);
        return CiscoCircuit.Read(circuit) is { } binary ? relays is [var only] ? Find(only, binary) : null : Find(relays, CircuitText.Of(circuit));
    }

    (MappedSwitch, SwitchPort)? Find(MappedSwitch relay, CiscoCircuit circuit)
    {
        var named = rules[(relay.Name, circuit.Module)].Distinct().Select(r => relay.Reading.Snapshot.Port($"{r.Prefix}{circuit.Port - r.Above}")).OfType<SwitchPort>().DistinctBy(p => p.Number).ToList();
        return named is [var only] && relay.IsEdge(only.Number) ? (relay, only) : null;
    }

    static (MappedSwitch, SwitchPort)? Find(IEnumerable<MappedSwitch> among, string text)
    {
        if (text.Length == 0) return null;
        var named = among.SelectMany(s => s.Reading.Snapshot.Ports.Values.Where(p => s.IsEdge(p.Number) && CircuitText.Names(text, p.Name)).Select(p => (Switch: s, Port: p))).ToList();
        if (named.Count == 0) return null;
        // Of Gi0/1 and Gi0/11 the longer one is meant; a name that two switches have says nothing.
        var longest = named.Max(n => n.Port.Name.Length);
        return named.Where(n => n.Port.Name.Length == longest).ToList() is [var only] ? only : null;
    }

    // Who can have written the option: whoever has the address, or the name, in the remote id. An address that is nobody's is that of a switch that is not looked after here, whatever its ports are called.
    static IReadOnlyList<MappedSwitch> RelaysOf(IReadOnlyList<MappedSwitch> switches, Node node)
    {
        if (node.CircuitRelay is not { } relay) return switches;
        if (CiscoCircuit.ReadRelay(relay) is { } mac) return [.. switches.Where(s => mac == s.Reading.Identity.ChassisMac || mac == s.Reading.Identity.BridgeAddress || s.Reading.Forwarding.Any(e => e.Port == 0 && e.Mac == mac))];
        var name = CircuitText.Of(relay);
        List<MappedSwitch> named = [.. switches.Where(s => name.Length > 0 && (name.Equals(s.Name, StringComparison.OrdinalIgnoreCase) || name.Equals(s.Reading.Identity.Name, StringComparison.OrdinalIgnoreCase)))];
        return named.Count > 0 ? named : switches;
    }

    static ILookup<(string, int), NameRule> Learn(IReadOnlyList<MappedSwitch> switches, NodeSnapshot nodes, Func<MacAddress, (string Switch, string Port)?> livePlace)
    {
        var found = new List<(string Switch, int Module, NameRule Rule)>();
        foreach (var node in nodes.Nodes)
        {
            if (node.Circuit is not { } text || CiscoCircuit.Read(text) is not { } circuit || RelaysOf(switches, node) is not [var relay]) continue;
            if (livePlace(node.BootMac) is not { } place || place.Switch != relay.Name || CircuitText.SplitNumber(place.Port) is not var (prefix, number)) continue;
            found.Add((relay.Name, circuit.Module, new(prefix, circuit.Port - number)));
        }
        return found.ToLookup(f => (f.Switch, f.Module), f => f.Rule);
    }
}

/// <summary>Option 82 as Cisco's switches write it unless they are told otherwise.</summary>
/// <remarks>
/// <code>
/// circuit id:  0 | 4 | VLAN (2) | module | port        remote id:  0 | 6 | the switch's address (6)
/// </code>
/// </remarks>
readonly record struct CiscoCircuit(int Vlan, int Module, int Port)
{
    /// <param name="hex">The sub-option.</param>
    public static CiscoCircuit? Read(string hex) => CircuitText.Octets(hex) is [0, 4, _, _, var module, var port] octets ? new(BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(2)), module, port) : null;

    /// <param name="hex">The sub-option: also where it is nothing but an address, as of some other makers.</param>
    public static MacAddress? ReadRelay(string hex) => CircuitText.Octets(hex) switch
    {
        [0, 6, .. { Length: MacAddress.Length } mac] => MacAddress.Read(mac),
        { Length: MacAddress.Length } mac => MacAddress.Read(mac),
        _ => null,
    };
}

/// <summary>What can be read in a circuit id.</summary>
static class CircuitText
{
    /// <summary>Its printable characters; everything else is a space.</summary>
    public static string Of(string hex) => new string([.. Octets(hex).Select(b => b is > 0x20 and < 0x7F ? (char)b : ' ')]).Trim();

    /// <summary>Empty when it is not whole octets.</summary>
    public static byte[] Octets(string hex)
    {
        try
        {
            return Convert.FromHexString(hex);
        }
        catch (FormatException)
        {
            return [];
        }
    }

    /// <summary><c>Gi1/0/</c> and 7 of <c>Gi1/0/7</c>; null when it does not end with a number.</summary>
    public static (string Prefix, int Number)? SplitNumber(string name)
    {
        var prefix = name.AsSpan().TrimEnd("0123456789");
        return int.TryParse(name.AsSpan(prefix.Length), System.Globalization.NumberStyles.None, null, out var number) ? (prefix.ToString(), number) : null;
    }

    /// <summary>Whether the name stands there by itself: <c>Gi0/1</c> is not in <c>Gi0/11</c>.</summary>
    public static bool Names(string text, string name)
    {
        for (var at = text.IndexOf(name, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            var end = at + name.Length;
            if ((at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsAsciiLetterOrDigit(text[end]))) return true;
        }
        return false;
    }
}
