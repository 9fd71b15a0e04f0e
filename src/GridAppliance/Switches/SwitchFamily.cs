using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Switches.Cisco;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches;

/// <summary>The drivers of switches: an address's scheme says which.</summary>
sealed class SwitchFamily(SnmpSocket socket, TimeProvider clock)
{
    /// <summary>One line for each driver.</summary>
    static readonly FrozenDictionary<string, Func<Uri, SnmpSession, IVlanWriter>> Drivers = new Dictionary<string, Func<Uri, SnmpSession, IVlanWriter>>
    {
        ["snmp+qbridge"] = static (address, session) => new QBridgeSwitch(address, session),
        ["snmp+cisco"] = static (address, session) => new CiscoSwitch(address, session),
    }.ToFrozenDictionary();

    public static IReadOnlyCollection<string> Schemes => Drivers.Keys;

    /// <summary>Makes the driver; nothing is sent yet.</summary>
    /// <exception cref="NotSupportedException">No driver has this scheme, or the host is no IPv4 address.</exception>
    public IVlanWriter Open(Uri address, SnmpCredentials credentials) =>
        Drivers.TryGetValue(address.Scheme, out var open)
            ? open(address, SnmpAddress.Open(address, credentials, socket, clock))
            : throw new NotSupportedException($"no driver for {address.Scheme}: there are {string.Join(", ", Schemes.Order())}");
}

/// <summary>Where an SNMP device is, as its URI says.</summary>
static class SnmpAddress
{
    public static SnmpSession Open(Uri address, SnmpCredentials credentials, SnmpSocket socket, TimeProvider clock)
    {
        if (!IPAddress.TryParse(address.Host, out var host) || host.AddressFamily != AddressFamily.InterNetwork) throw new NotSupportedException($"{address}: a device is named by its IPv4 address");
        return Open(address, host, credentials, socket, clock);
    }

    /// <param name="address">With the port, where it is not the usual one.</param>
    /// <param name="host">What its host means.</param>
    /// <param name="credentials">Who asks.</param>
    /// <param name="socket">Through which it is asked.</param>
    /// <param name="clock">For time-outs, and the engine's time.</param>
    /// <exception cref="SocketException">This machine has no IPv6, and the host is of that kind.</exception>
    public static SnmpSession Open(Uri address, IPAddress host, SnmpCredentials credentials, SnmpSocket socket, TimeProvider clock) =>
        new(socket, new(host, address.Port < 0 ? SnmpTimings.Port : address.Port), credentials, new(), clock);
}
