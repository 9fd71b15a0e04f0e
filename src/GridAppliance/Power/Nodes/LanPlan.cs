using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Power.Nodes;

/// <summary>What a wish about a BMC's network settings would change, and whether that may take the BMC away from where the appliance reaches it. Pure.</summary>
static class LanPlan
{
    /// <summary>Only what differs; null where nothing does. An address that is given makes the settings static, since a BMC on DHCP takes none.</summary>
    public static ManagementLan? Changes(ManagementLan now, ManagementLan wanted)
    {
        var fixes = wanted.Address is not null || wanted.Mask is not null || wanted.Gateway is not null;
        var origin = wanted.Origin ?? (fixes && now.Origin == AddressOrigin.Dhcp ? AddressOrigin.Static : null);
        var changes = new ManagementLan
        {
            Origin = origin == now.Origin ? null : origin,
            Address = wanted.Address == now.Address ? null : wanted.Address,
            Mask = wanted.Mask == now.Mask ? null : wanted.Mask,
            Gateway = wanted.Gateway == now.Gateway ? null : wanted.Gateway,
            Vlan = wanted.Vlan == now.Vlan ? null : wanted.Vlan,
        };
        return changes == new ManagementLan() ? null : changes;
    }

    /// <summary>Why the appliance may not reach the BMC any more after this; null when it will.</summary>
    /// <param name="now">As it is.</param>
    /// <param name="changes">What is written.</param>
    /// <param name="reachedAt">Where the appliance reaches it; null where that is no IPv4 address.</param>
    /// <param name="ours">The appliance's own address on that way.</param>
    public static string? CutBy(ManagementLan now, ManagementLan changes, Ipv4Address? reachedAt, Ipv4Address? ours)
    {
        if (changes.Address is { } moved) return $"it would move from {now.Address} to {moved}";
        if (changes.Vlan is { } vlan) return vlan == 0 ? $"it would leave VLAN {now.Vlan}" : $"it would be in VLAN {vlan}";
        if (changes.Origin is { } origin && origin != AddressOrigin.Static) return "its address would be somebody else's to say";
        if (changes.Mask is null && changes.Gateway is null) return null;
        if (now.Address is not { } address || reachedAt != address || ours is not { } us || now.Mask is not { } mask) return $"it says that it is at {now.Address} and is reached at {reachedAt}: what this does to the way there cannot be told";
        var (wasNear, isNear) = (IsNear(address, us, mask), IsNear(address, us, changes.Mask ?? mask));
        if (wasNear != isNear) return isNear ? $"it would take {us}, which is behind a gateway, for a neighbour" : $"it would look for {us}, which is on its own network, behind its gateway";
        return isNear || changes.Gateway is null ? null : $"its answers to {us} go through the gateway";
    }

    public static string Describe(ManagementLan now, ManagementLan changes) => string.Join(", ", new[]
    {
        Change("source", now.Origin?.ToString().ToLowerInvariant(), changes.Origin?.ToString().ToLowerInvariant()),
        Change("address", now.Address, changes.Address),
        Change("mask", now.Mask, changes.Mask),
        Change("gateway", now.Gateway, changes.Gateway),
        Change("VLAN", now.Vlan, changes.Vlan),
    }.OfType<string>());

    static string? Change(string what, object? from, object? to) => to is null ? null : $"{what} {from ?? "(not told)"} -> {to}";

    static bool IsNear(Ipv4Address one, Ipv4Address other, Ipv4Address mask) => ((one.Value ^ other.Value) & mask.Value) == 0;
}
