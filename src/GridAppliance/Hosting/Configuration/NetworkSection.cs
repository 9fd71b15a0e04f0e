using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Hosting.Configuration;

/// <summary>One entry of <c>networks</c>, and the rules that hold between entries.</summary>
static class NetworkSection
{
    /// <summary>Addresses that a guard lets in by name, at the most.</summary>
    const int MostAllowed = 4096;

    public static NetworkOptions Read(YamlSection section, Func<string, LocalInterface?> findInterface)
    {
        var name = section.Text("name", required: true) ?? "";
        var via = section.Text("via");
        var interfaceName = section.Text("interface", required: via is null) ?? "";
        var address = section.Value<Ipv4Network>("address", via is null ? "10.77.0.1/24" : "10.78.0.0/24", required: true);
        if (via is null) CheckInterface(section, interfaceName, address, findInterface);
        if (address is { } own && own.PrefixLength is < 8 or > 30) section.Problem("address", $"a prefix of /{address.Value.PrefixLength} leaves no room for nodes or is far too wide; use /8 to /30");

        var dhcp = section.Section("dhcp");
        var mode = dhcp.Choice("mode", DhcpMode.Off);
        var range = dhcp.Value<Ipv4Range>("range", "10.77.0.50-10.77.0.250", required: mode == DhcpMode.Server);
        var guard = section.Section("guard");
        var guardMode = guard.Choice("mode", mode == DhcpMode.Server && via is null ? GuardMode.On : GuardMode.Off);
        if (guardMode == GuardMode.On && mode != DhcpMode.Server) guard.Problem("mode", "only where this appliance gives the addresses (dhcp: { mode: server }) does it know who may use them");
        var options = new NetworkOptions
        {
            Name = name,
            Interface = interfaceName,
            Via = via,
            Address = address ?? default,
            DhcpMode = mode,
            Range = range,
            LeaseTime = dhcp.Duration("leaseTime", TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1), TimeSpan.FromDays(30)),
            Router = dhcp.Value<Ipv4Address>("router", "10.77.0.254"),
            Dns = Addresses(dhcp, "dns"),
            Domain = dhcp.Text("domain"),
            Reservations = Reservations(dhcp, address),
            Boot = section.Flag("boot", false),
            Guard = guardMode,
            GuardAllow = Allowed(guard),
        };
        CheckAddresses(dhcp, options, address);
        if (via is not null) CheckBehindRelay(section, dhcp, guard, options);
        dhcp.RejectUnknown();
        guard.RejectUnknown();
        section.RejectUnknown();
        return options;
    }

    /// <summary>What no entry can say alone: names, interfaces and addresses that clash.</summary>
    public static void CheckTogether(IReadOnlyList<(YamlSection Section, NetworkOptions Options)> networks)
    {
        for (var i = 0; i < networks.Count; i++)
        {
            var (section, options) = networks[i];
            foreach (var (_, earlier) in networks.Take(i))
            {
                if (options.Name.Length > 0 && options.Name == earlier.Name) section.Problem("name", $"'{options.Name}' is the name of an earlier network too");
                if (options.Interface.Length > 0 && options.Interface == earlier.Interface && options.Via is null && earlier.Via is null) section.Problem("interface", $"'{options.Interface}' belongs to network '{earlier.Name}' already");
                if (options.Address != default && earlier.Address != default && options.Address.Overlaps(earlier.Address))
                    section.Problem("address", $"{options.Address} overlaps {earlier.Address} of network '{earlier.Name}'");
                else if (options.Range is { } range && earlier.Range is { } other && range.Overlaps(other))
                    section.Problem("dhcp.range", $"{range} overlaps {other} of network '{earlier.Name}'");
            }
        }
    }

    /// <summary>Gives each network behind a relay the interface and the address of ours through which its relay reaches us.</summary>
    public static List<NetworkOptions> Attach(IReadOnlyList<(YamlSection Section, NetworkOptions Options)> networks)
    {
        var resolved = new List<NetworkOptions>();
        foreach (var (section, options) in networks)
        {
            var via = options.Via is null ? null : networks.Select(n => n.Options).FirstOrDefault(n => n.Via is null && n.Name == options.Via);
            if (options.Via is not null && via is null) section.Problem("via", $"there is no network '{options.Via}' with an interface here");
            else if (via?.DhcpMode == DhcpMode.Off) section.Problem("via", $"network '{via.Name}' has no DHCP, so that nobody hears a relay there; give it dhcp: {{ mode: server }} or proxy");
            else if (options.Boot && via?.Boot == false) section.Problem("boot", $"machines behind a relay boot from our address on network '{via.Name}', which has no 'boot: true'");
            else if (via?.Guard == GuardMode.On && options.Range?.Count > MostAllowed)
                section.Problem("dhcp.range", $"{options.Range} is too wide for the guard of network '{via.Name}', which lets in {MostAllowed} addresses behind a relay at the most");
            resolved.Add(via is null ? options : options with { Interface = via.Interface, Server = via.Address.Address });
        }
        return [.. resolved.Select(network => network with { Behind = [.. resolved.Where(other => other.Via == network.Name)] })];
    }

    /// <summary>What a network that we are not attached to must have, and cannot have.</summary>
    static void CheckBehindRelay(YamlSection section, YamlSection dhcp, YamlSection guard, NetworkOptions options)
    {
        if (options.Interface.Length > 0) section.Problem("interface", "a network is on an interface of this machine or reached 'via' another network, not both");
        if (options.DhcpMode != DhcpMode.Server) dhcp.Problem("mode", "behind a relay only 'server' is of use");
        if (options.Address.Address != options.Address.Network)
            section.Problem("address", $"we have no address in a network behind a relay; write its number, {options.Address.Network}/{options.Address.PrefixLength}");
        if (options.Router is not { } router) dhcp.Problem("router", "machines behind a relay reach this appliance through a router; name it");
        else if (options.Range?.Contains(router) == true) dhcp.Problem("router", $"{router} is inside the range {options.Range}");
        if (options.Guard == GuardMode.On) guard.Problem("mode", "behind a relay all frames come from the router's NIC, so that there is nothing to compare");
    }

    static void CheckInterface(YamlSection section, string name, Ipv4Network? address, Func<string, LocalInterface?> findInterface)
    {
        if (name.Length == 0) return;
        if (findInterface(name) is not { } found)
        {
            section.Problem("interface", $"there is no interface '{name}' here; there are: {LocalInterface.Names()}");
        }
        else if (address is { } wanted && found.Addresses.All(a => a != wanted))
        {
            var has = found.Addresses.Count == 0 ? "no IPv4 address" : string.Join(", ", found.Addresses);
            section.Problem("address", $"{name} has {has}, not {wanted}; give it that address (ip address add {wanted} dev {name}) or write the one it has");
        }
    }

    static void CheckAddresses(YamlSection dhcp, NetworkOptions options, Ipv4Network? address)
    {
        if (address is not { } own) return;
        if (options.Range is { } range)
        {
            if (!own.Contains(range.First) || !own.Contains(range.Last)) dhcp.Problem("range", $"{range} is not inside {own.Network}/{own.PrefixLength}");
            else if (range.Contains(own.Address)) dhcp.Problem("range", $"{range} includes our own address {own.Address}");
            else if (range.Contains(own.Network) || range.Contains(own.DirectedBroadcast)) dhcp.Problem("range", $"{range} includes the network or broadcast address");
        }
        if (options.Router is { } router && !own.Contains(router)) dhcp.Problem("router", $"{router} is not inside {own.Network}/{own.PrefixLength}");
        if (options.Domain is { } domain && !domain.Split('.').All(ConfigurationFile.IsLabel)) dhcp.Problem("domain", $"'{domain}' is not a domain name");
    }

    static List<Ipv4Address> Addresses(YamlSection section, string key)
    {
        var addresses = new List<Ipv4Address>();
        foreach (var (text, problem) in section.Texts(key))
            if (Ipv4Address.TryParse(text, null, out var address)) addresses.Add(address);
            else problem($"'{text}' is not an IPv4 address");
        return addresses;
    }

    /// <summary>Addresses and ranges of them.</summary>
    static List<Ipv4Address> Allowed(YamlSection guard)
    {
        var allowed = new List<Ipv4Address>();
        foreach (var (text, problem) in guard.Texts("allow"))
        {
            if (Ipv4Address.TryParse(text, null, out var single)) allowed.Add(single);
            else if (Ipv4Range.TryParse(text, null, out var range) && allowed.Count + range.Count <= MostAllowed) allowed.AddRange(range.All());
            else problem($"'{text}' is neither an IPv4 address nor a range of them like 10.77.0.2-10.77.0.9 ({MostAllowed} at the most)");
        }
        return allowed;
    }

    static List<Reservation> Reservations(YamlSection dhcp, Ipv4Network? own)
    {
        var reservations = new List<Reservation>();
        foreach (var entry in dhcp.Sections("reservations"))
        {
            var mac = entry.Value<MacAddress>("mac", "52:54:00:12:34:56", required: true);
            var address = entry.Value<Ipv4Address>("address", "10.77.0.20", required: true);
            entry.RejectUnknown();
            if (mac is not { } m || address is not { } a) continue;
            if (own is { } network && (!network.Contains(a) || a == network.Address)) entry.Problem("address", $"{a} is not an address for a node in {network.Network}/{network.PrefixLength}");
            if (reservations.Any(r => r.Mac == m)) entry.Problem("mac", $"{m} has a reservation above already");
            if (reservations.Any(r => r.Address == a)) entry.Problem("address", $"{a} is reserved above already");
            reservations.Add(new(m, a));
        }
        return reservations;
    }
}
