using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using GridAppliance.Lab.Machine;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>
/// Open vSwitch behind the SNMP agent. VLANs, which Open vSwitch has no list of, are kept here; what ports are in is read from its database every time, so that
/// a cable that somebody plugs elsewhere by hand is seen. A change is one transaction of the database, and done when the switch has taken it over.
/// </summary>
sealed class OvsBridge(LabPaths paths, string bridge, LldpEar ear, TimeProvider clock) : IBridgeBackend
{
    const int LargestPort = 0xFF00; // OpenFlow's own ports are above
    static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    BridgeModel? model;
    long readAt;
    ImmutableDictionary<string, OvsPort> seen = ImmutableDictionary<string, OvsPort>.Empty;

    public async ValueTask<BridgeModel> ReadAsync(CancellationToken cancellationToken)
    {
        if (model is not null && clock.GetElapsedTime(readAt) < Fresh) return model;
        var (ports, rows, address) = await ReadPortsAsync(cancellationToken);
        var next = (model ?? Empty) with { Ports = Merge(ports), Address = address };
        foreach (var (name, row) in rows)
        {
            // What we wrote ourselves says less than the model does: only what somebody else has changed is taken in.
            if (seen.TryGetValue(name, out var known) && known == row) continue;
            next = Import(next, next.Ports.Values.First(p => p.Name == name), row);
        }
        seen = rows;
        next = next with { Addresses = await ReadAddressesAsync(next, cancellationToken), Neighbours = [.. ear.Neighbours(next.Ports.Values)] };
        readAt = clock.GetTimestamp();
        return model = next;
    }

    static BridgeModel Empty { get; } = new()
    {
        Ports = ImmutableSortedDictionary<int, BridgePort>.Empty,
        Vlans = ImmutableSortedDictionary<int, BridgeVlan>.Empty.Add(1, BridgeVlan.Empty with { Name = "default" }),
    };

    ImmutableSortedDictionary<int, BridgePort> Merge(IEnumerable<BridgePort> ports) =>
        ports.ToImmutableSortedDictionary(p => p.Number, p => model?.Ports.GetValueOrDefault(p.Number) is { } known && known.Name == p.Name ? p with { Alias = known.Alias, Pvid = known.Pvid } : p);

    async Task<(List<BridgePort> Ports, ImmutableDictionary<string, OvsPort> Rows, MacAddress? Address)> ReadPortsAsync(CancellationToken cancellationToken)
    {
        var result = await TransactAsync(cancellationToken, Select("Interface", "name", "ofport", "admin_state", "link_state", "mac_in_use"), Select("Port", "name", "tag", "trunks", "vlan_mode"));
        var ports = new List<BridgePort>();
        MacAddress? address = null;
        foreach (var row in result[0]!["rows"]!.AsArray())
        {
            if (row!["name"]!.GetValue<string>() == bridge && row["mac_in_use"] is JsonValue own && MacAddress.TryParse(own.GetValue<string>(), out var mac)) address = mac;
            // The switch's own port is no port; one without a number has not been plugged in yet.
            if (OvsPort.Numbers(row["ofport"]).FirstOrDefault() is not (> 0 and < LargestPort and var number)) continue;
            ports.Add(new(number, row["name"]!.GetValue<string>()) { IsEnabled = IsUp(row["admin_state"]), HasLink = IsUp(row["link_state"]), Pvid = 1 });
        }
        var names = ports.Select(p => p.Name).ToHashSet();
        var rows = result[1]!["rows"]!.AsArray().Where(r => names.Contains(r!["name"]!.GetValue<string>())).ToImmutableDictionary(r => r!["name"]!.GetValue<string>(), r => OvsPort.Read(r!));
        return (ports, rows, address);
    }

    static bool IsUp(JsonNode? state) => state is JsonValue value && value.GetValue<string>() == "up";

    static BridgeModel Import(BridgeModel model, BridgePort port, OvsPort row)
    {
        var vlans = model.Vlans;
        foreach (var vlan in row.Trunks.Union(row.Tag is { } t ? [t] : []).Where(v => v is > 0 and <= 4094 && !vlans.ContainsKey(v))) vlans = vlans.Add(vlan, BridgeVlan.Empty with { Name = $"VLAN{vlan}" });
        foreach (var (vlan, lists) in vlans)
        {
            var isBare = row.Tag == vlan || (row.CarriesAll && vlan == 1);
            var isMember = isBare || row.CarriesAll || row.Trunks.Contains(vlan);
            vlans = vlans.SetItem(vlan, lists with
            {
                Egress = isMember ? lists.Egress.With(port.Number) : lists.Egress.Without(port.Number),
                Untagged = isBare ? lists.Untagged.With(port.Number) : lists.Untagged.Without(port.Number),
            });
        }
        var pvid = row.Tag is { } tag and > 0 and <= 4094 ? tag : 1;
        return model with { Vlans = vlans, Ports = model.Ports.SetItem(port.Number, port with { Pvid = pvid }) };
    }

    async Task<ImmutableArray<BridgeAddress>> ReadAddressesAsync(BridgeModel now, CancellationToken cancellationToken)
    {
        var text = (await UnixJsonRpc.CallAsync(OpenVswitch.DaemonControl(paths), "fdb/show", [bridge], cancellationToken))?.GetValue<string>() ?? "";
        var found = ImmutableArray.CreateBuilder<BridgeAddress>();
        // " port  VLAN  MAC                Age", then a line for each address.
        foreach (var line in text.Split('\n').Skip(1))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 3 || !int.TryParse(words[0], CultureInfo.InvariantCulture, out var port) || !int.TryParse(words[1], CultureInfo.InvariantCulture, out var vlan)) continue;
            if (MacAddress.TryParse(words[2], out var mac) && now.Ports.ContainsKey(port)) found.Add(new(vlan, mac, port));
        }
        return found.DrainToImmutable();
    }

    public async ValueTask<bool> ApplyAsync(BridgeModel next, CancellationToken cancellationToken)
    {
        var updates = new List<JsonObject>();
        var written = seen;
        foreach (var port in next.Ports.Values)
        {
            var row = OvsPort.From(next, port);
            if (model is not null && row == OvsPort.From(model, model.Ports[port.Number])) continue;
            written = written.SetItem(port.Name, row);
            updates.Add(new() { ["op"] = "update", ["table"] = "Port", ["where"] = new JsonArray(new JsonArray("name", "==", port.Name)), ["row"] = row.ToRow() });
        }
        if (updates.Count > 0) await CommitAsync(updates, cancellationToken);
        foreach (var port in next.Ports.Values.Where(p => model is not null && model.Ports[p.Number].IsEnabled != p.IsEnabled))
        {
            await Command.RunAsync([Namespaces.Ip, "link", "set", port.Name, port.IsEnabled ? "up" : "down"], cancellationToken);
        }
        (model, seen, readAt) = (next, written, clock.GetTimestamp());
        return true;
    }

    // As ovs-vsctl waits: the configuration's number goes up, and the switch says when it has that number.
    async Task CommitAsync(List<JsonObject> updates, CancellationToken cancellationToken)
    {
        JsonObject bump = new() { ["op"] = "mutate", ["table"] = "Open_vSwitch", ["where"] = new JsonArray(), ["mutations"] = new JsonArray(new JsonArray("next_cfg", "+=", 1)) };
        var result = await TransactAsync(cancellationToken, [.. updates, bump, Select("Open_vSwitch", "next_cfg")]);
        var wanted = result[^1]!["rows"]![0]!["next_cfg"]!.GetValue<int>();
        var giveUp = clock.GetUtcNow() + Patience;
        while (clock.GetUtcNow() < giveUp)
        {
            var current = await TransactAsync(cancellationToken, Select("Open_vSwitch", "cur_cfg"));
            if (current[0]!["rows"]![0]!["cur_cfg"]!.GetValue<int>() >= wanted) return;
            await Task.Delay(Look, clock, cancellationToken);
        }
        throw new LabException("Open vSwitch does not take its configuration over");
    }

    async Task<JsonArray> TransactAsync(CancellationToken cancellationToken, params JsonObject[] operations)
    {
        var result = (await UnixJsonRpc.CallAsync(paths.SwitchSocket, "transact", new JsonArray(["Open_vSwitch", .. operations]), cancellationToken))!.AsArray();
        foreach (var part in result)
        {
            if (part?["error"] is { } error) throw new LabException($"Open vSwitch's database: {error.ToJsonString()} {part["details"]?.ToJsonString()}");
        }
        return result;
    }

    static JsonObject Select(string table, params IEnumerable<string> columns) =>
        new() { ["op"] = "select", ["table"] = table, ["where"] = new JsonArray(), ["columns"] = new JsonArray([.. columns.Select(c => (JsonNode)c)]) };
}
