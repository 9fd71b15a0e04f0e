using System.Net.NetworkInformation;
using System.Net.Sockets;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Hosting.Configuration;

/// <summary>An interface of this machine with its IPv4 addresses.</summary>
sealed record LocalInterface(string Name, IReadOnlyList<Ipv4Network> Addresses)
{
    public static LocalInterface? Find(string name)
    {
        if (Array.Find(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == name) is not { } found) return null;
        return new(name, [.. found.GetIPProperties().UnicastAddresses
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork)
            .Select(a => new Ipv4Network(Ipv4Address.From(a.Address)!.Value, a.PrefixLength))]);
    }

    public static string Names() => string.Join(", ", NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name).Order(StringComparer.Ordinal));
}
