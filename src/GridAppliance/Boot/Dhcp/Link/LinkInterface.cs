using System.Net.NetworkInformation;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp.Link;

/// <summary>An Ethernet interface of this machine.</summary>
sealed record LinkInterface(string Name, int Index, MacAddress Mac)
{
    /// <exception cref="StartupException">It is not there, is no Ethernet, or lacks the network's address.</exception>
    public static LinkInterface For(NetworkOptions network)
    {
        var nic = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(n => n.Name == network.Interface)
            ?? throw Cannot(network, $"there is no interface {network.Interface}", "Plug it in, or correct the network's 'interface' ('ip link' lists what there is).");
        var octets = nic.GetPhysicalAddress().GetAddressBytes();
        if (octets.Length != MacAddress.Length) throw Cannot(network, $"{network.Interface} is no Ethernet interface", "Name one that is.");
        var properties = nic.GetIPProperties();
        if (!properties.UnicastAddresses.Any(a => Ipv4Address.From(a.Address) == network.Address.Address))
            throw Cannot(network, $"{network.Interface} does not have the address {network.Address}", $"Give it that with 'ip address add {network.Address} dev {network.Interface}', or correct the network's 'address'.");
        return new(nic.Name, properties.GetIPv4Properties().Index, MacAddress.Read(octets));
    }

    static StartupException Cannot(NetworkOptions network, string why, string nextStep) => new($"DHCP cannot serve network '{network.Name}': {why}", nextStep);
}
