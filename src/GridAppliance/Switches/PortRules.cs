using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Switches;

/// <summary>What holds for a change of a port whatever the switch speaks. Pure.</summary>
static class PortRules
{
    /// <summary>ifAlias (IF-MIB).</summary>
    const int LongestDescription = 64;

    /// <summary>Adds every reason why the port is not written, and gives the port; null when there is none.</summary>
    public static SwitchPort? Judge(SwitchSnapshot snapshot, PortIntent wish, SwitchPolicy policy, List<string> reasons)
    {
        if (!snapshot.Ports.TryGetValue(wish.Port, out var port))
        {
            reasons.Add($"there is no port {wish.Port}");
            return null;
        }
        if (policy.Uplinks.Contains(wish.Port)) reasons.Add($"{port.Name} is an uplink");
        else if (!policy.Ports.Contains(wish.Port)) reasons.Add($"{port.Name} is not ours");
        var twin = snapshot.Ports.Values.FirstOrDefault(p => p.Number != port.Number && (p.Name == port.Name || (p.IfIndex is not null && p.IfIndex == port.IfIndex)));
        if (twin is not null) reasons.Add($"the switch reports {port.Name} twice, as ports {Math.Min(port.Number, twin.Number)} and {Math.Max(port.Number, twin.Number)}: which is meant cannot be told");
        if ((wish.IsEnabled is not null || wish.Description is not null) && port.IfIndex is null) reasons.Add($"{port.Name} is tied to no interface");
        if (wish.Description?.Length > LongestDescription) reasons.Add($"a description of {port.Name} has at most {LongestDescription} characters");
        if (wish.Vlans is { } vlans) Judge(port, vlans, policy, reasons);
        return port;
    }

    static void Judge(SwitchPort port, PortVlans vlans, SwitchPolicy policy, List<string> reasons)
    {
        if (!port.Vlans.IsKnown) reasons.Add($"it is not known which VLANs {port.Name} is in");
        var wanted = vlans.Untagged.Union(vlans.Tagged);
        foreach (var vlan in wanted.Where(v => !policy.Vlans.Contains(v))) reasons.Add($"VLAN {vlan} is not ours");
        foreach (var vlan in port.Vlans.Untagged.Union(port.Vlans.Tagged).Except(wanted).Where(v => !policy.Vlans.Contains(v))) reasons.Add($"{port.Name} is in VLAN {vlan}, which is not ours to take it out of");
    }

    /// <summary>What IF-MIB holds of a port: whether it is open, and what people call it.</summary>
    public static void WriteInterface(SwitchPort port, PortIntent wish, WriteBatches batches)
    {
        var index = (uint)(port.IfIndex ?? 0);
        if (wish.Description is { } description && description != port.Description)
        {
            batches.Add(new(QBridgeMib.InterfaceAlias.Append(index), SnmpValue.Text(description)), new(QBridgeMib.InterfaceAlias.Append(index), SnmpValue.Text(port.Description)));
        }
        if (wish.IsEnabled is { } isEnabled && isEnabled != port.IsEnabled)
        {
            batches.Add(new(QBridgeMib.InterfaceAdminStatus.Append(index), SnmpValue.Integer(isEnabled ? 1 : 2)), new(QBridgeMib.InterfaceAdminStatus.Append(index), SnmpValue.Integer(isEnabled ? 2 : 1)));
        }
    }
}
