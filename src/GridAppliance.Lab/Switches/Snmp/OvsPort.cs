using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>How Open vSwitch has a port's VLANs (ovs-vswitchd.conf.db(5), table Port).</summary>
/// <param name="Tag">The VLAN of frames without a tag; null: none is given.</param>
/// <param name="Trunks">Tagged VLANs; empty with <see cref="Mode"/> trunk stands for all of them.</param>
/// <param name="Mode">access, trunk, native-untagged …; null: what tag and trunks imply.</param>
sealed record OvsPort(int? Tag, ImmutableSortedSet<int> Trunks, string? Mode)
{
    /// <summary>A VLAN that no frame is ever in: where a port ends that nothing may pass.</summary>
    const int Nowhere = 4095;

    /// <summary>Every VLAN passes: what a port is in Open vSwitch that nothing was said of.</summary>
    public bool CarriesAll => Tag is null && Trunks.IsEmpty;

    /// <summary>
    /// From Q-BRIDGE-MIB, which can say more. A port whose PVID is no VLAN that it may send untagged is shut for frames without a tag: closed rather than open.
    /// </summary>
    public static OvsPort From(BridgeModel model, BridgePort port)
    {
        var tagged = model.Vlans.Where(v => v.Value.Egress.Contains(port.Number) && !v.Value.Untagged.Contains(port.Number)).Select(v => v.Key).ToImmutableSortedSet();
        var isOpen = model.Vlans.TryGetValue(port.Pvid, out var own) && own.Untagged.Contains(port.Number);
        if (tagged.IsEmpty) return new(isOpen ? port.Pvid : Nowhere, [], "access");
        return isOpen ? new(port.Pvid, tagged, "native-untagged") : new(null, tagged, "trunk");
    }

    public JsonObject ToRow() => new()
    {
        ["tag"] = Tag is { } tag ? tag : EmptySet(),
        ["trunks"] = new JsonArray("set", new JsonArray([.. Trunks.Select(t => (JsonNode)t)])),
        ["vlan_mode"] = Mode is { } mode ? mode : EmptySet(),
    };

    public static OvsPort Read(JsonNode row) => new(Numbers(row["tag"]).Cast<int?>().FirstOrDefault(), [.. Numbers(row["trunks"])], row["vlan_mode"] is JsonValue mode ? mode.GetValue<string>() : null);

    public bool Equals(OvsPort? other) => other is not null && Tag == other.Tag && Mode == other.Mode && Trunks.SetEquals(other.Trunks);

    public override int GetHashCode() => HashCode.Combine(Tag, Mode, Trunks.Count);

    // RFC 7047, section 5.1: a set of one stands for itself, any other is ["set", […]].
    public static IEnumerable<int> Numbers(JsonNode? value) => value switch
    {
        JsonValue one => [one.GetValue<int>()],
        JsonArray { Count: 2 } set when set[1] is JsonArray items => items.Select(i => i!.GetValue<int>()),
        _ => [],
    };

    static JsonArray EmptySet() => new("set", new JsonArray());
}
