using System.Collections.Concurrent;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>
/// Which NIC stands behind an address of a boot network: first what our own DHCP server granted, then, for a network whose addresses another server gives,
/// the kernel's neighbour table. Null means that neither knows, never a guess.
/// </summary>
sealed class BootClients
{
    const string NeighbourTable = "/proc/net/arp";

    readonly ConcurrentDictionary<(string Network, Ipv4Address Address), MacAddress> granted = new();

    /// <summary>
    /// Called for every lease that is granted or read back at start. Stays when the lease ends, until the address is somebody else's. Holds at most the addresses of the ranges
    /// and reservations, which bound it.
    /// </summary>
    public void Granted(string network, Ipv4Address address, MacAddress mac) => granted[(network, address)] = mac;

    /// <summary>Who is behind an address. Beyond a relay the neighbour is a router, so that there the leases alone are asked.</summary>
    public MacAddress? Find(NetworkOptions network, Ipv4Address address)
    {
        if (granted.TryGetValue((network.Name, address), out var mac)) return mac;
        return network.Via is null && network.Address.Contains(address) ? Neighbour(network.Interface, address) : null;
    }

    // IP address       HW type     Flags       HW address            Mask     Device
    // 10.77.0.50       0x1         0x2         52:54:00:00:00:01     *        eth1
    static MacAddress? Neighbour(string device, Ipv4Address address)
    {
        try
        {
            foreach (var line in File.ReadLines(NeighbourTable))
            {
                var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (columns.Length == 6 && columns[5] == device && Ipv4Address.TryParse(columns[0], out var ip) && ip == address
                    && MacAddress.TryParse(columns[3], out var mac) && !mac.IsZero) return mac;
            }
        }
        catch (IOException)
        {
            // No neighbour table to be had: then it does not know.
        }
        return null;
    }
}
