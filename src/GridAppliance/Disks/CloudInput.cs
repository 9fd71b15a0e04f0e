using System.Collections.Immutable;
using System.Text.RegularExpressions;
using GridAppliance.Api.Disks;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Disks;

/// <summary>What a person asks for, made fit to be written into a system: pure, and the first thing that is wrong is named.</summary>
static partial class CloudInput
{
    const int MostKeys = 64, LongestKey = 8192, MostServers = 3;

    /// <param name="request">As it was asked.</param>
    /// <param name="nodeName">Its host name where none is given.</param>
    /// <param name="network">The network that the node boots on.</param>
    /// <param name="problem">What is wrong, or null.</param>
    public static CloudSettings? Read(NodeInstallRequest request, string nodeName, NetworkOptions? network, out string? problem)
    {
        problem = null;
        var host = request.HostName ?? nodeName;
        if (!HostName().IsMatch(host)) return Refuse($"'{host}' is no host name: letters, digits and hyphens, at most 63", out problem);
        var keys = (request.SshKeys ?? []).Select(key => key.Trim()).Where(key => key.Length > 0 && key[0] != '#').ToImmutableArray();
        if (keys.Length > MostKeys) return Refuse($"there are more than {MostKeys} SSH keys", out problem);
        if (keys.FirstOrDefault(key => key.Length > LongestKey || !PublicKey().IsMatch(key)) is { } bad) return Refuse($"'{(bad.Length > 40 ? bad[..40] + "…" : bad)}' is no SSH public key as in authorized_keys, without options", out problem);
        Ipv4Network? own = null;
        Ipv4Address? gateway = null;
        if (request.Address is { } address)
        {
            if (!Ipv4Network.TryParse(address, null, out var parsed)) return Refuse($"'{address}' is no address with the length of its network, such as 10.77.0.60/24", out problem);
            own = parsed;
            if (network?.Range is { } range && range.Contains(parsed.Address)) return Refuse($"{parsed.Address} is one of those that DHCP gives to others ({range})", out problem);
            if (network?.Reservations.FirstOrDefault(reservation => reservation.Address == parsed.Address) is { } kept) return Refuse($"{parsed.Address} is kept for {kept.Mac} by DHCP", out problem);
            if (network is not null && (!network.Address.Contains(parsed.Address) || parsed.Address == network.Address.Address || parsed.Address == network.Address.Network || parsed.Address == network.Address.DirectedBroadcast)) return Refuse($"{parsed.Address} is no address of a node's on network {network.Name} ({network.Address}): its agent could not call from there", out problem);
        }
        else if (request.Gateway is not null) return Refuse("a gateway goes with an address: DHCP brings its own", out problem);
        if (request.Gateway is { } way)
        {
            if (!Ipv4Address.TryParse(way, null, out var parsed)) return Refuse($"'{way}' is no IPv4 address", out problem);
            if (!own!.Value.Contains(parsed) || parsed == own.Value.Address) return Refuse($"{parsed} is no neighbour of {own}, which a gateway has to be", out problem);
            gateway = parsed;
        }
        var servers = new List<Ipv4Address>();
        foreach (var server in (request.Dns ?? []).Take(MostServers + 1))
        {
            if (servers.Count == MostServers || !Ipv4Address.TryParse(server, null, out var parsed)) return Refuse(servers.Count == MostServers ? $"more than {MostServers} name servers are asked by nobody" : $"'{server}' is no IPv4 address", out problem);
            servers.Add(parsed);
        }
        return new() { HostName = host, SshKeys = keys, Address = own, Gateway = gateway, Dns = [.. servers] };
    }

    static CloudSettings? Refuse(string reason, out string? problem)
    {
        problem = reason;
        return null;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{20,}={0,3}( [ -~]{0,256})?\z")]
    private static partial Regex PublicKey();
}
