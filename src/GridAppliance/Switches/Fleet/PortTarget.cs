using GridAppliance.Nodes;

namespace GridAppliance.Switches.Fleet;

/// <summary>A port as people name it: by a node that is on it, or as <c>SWITCH/PORT</c>.</summary>
/// <param name="Text">What was said.</param>
/// <param name="Switch">Null when it could not be found.</param>
/// <param name="Port">Null when it could not be found.</param>
/// <param name="Reason">Why it could not be found.</param>
sealed record PortTarget(string Text, ManagedSwitch? Switch, SwitchPort? Port, string? Reason)
{
    public static PortTarget Find(string text, SwitchFleet fleet, NodeSnapshot nodes)
    {
        if (nodes.Find(text) is { } node) return OfNode(text, node, fleet);
        var slash = text.IndexOf('/');
        if (slash <= 0) return Lost(text, "there is no such node; a port is written SWITCH/PORT");
        return fleet.Find(text[..slash]) is { } found ? On(text, found, text[(slash + 1)..]) : Lost(text, $"there is no switch '{text[..slash]}'");
    }

    static PortTarget OfNode(string text, Node node, SwitchFleet fleet)
    {
        if (node.Switch is not { } name || node.SwitchPort is not { } port) return Lost(text, "it is not known which switch port it is on");
        var found = fleet.Find(name) ?? fleet.Current.Values.FirstOrDefault(s => s.Reading?.Identity.Name == name);
        return found is null ? Lost(text, $"it is on port {port} of '{name}', which is not looked after") : On(text, found, port);
    }

    static PortTarget On(string text, ManagedSwitch found, string port)
    {
        if (found.Reading is not { } reading) return Lost(text, $"switch {found.Name} has not been read yet");
        var known = reading.Snapshot.Port(port) ?? (int.TryParse(port, out var number) ? reading.Snapshot.Ports.GetValueOrDefault(number) : null);
        return known is null ? Lost(text, $"switch {found.Name} has no port '{port}'") : new(text, found, known, null);
    }

    static PortTarget Lost(string text, string reason) => new(text, null, null, reason);
}
