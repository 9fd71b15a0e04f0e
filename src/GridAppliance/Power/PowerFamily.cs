using System.Collections.Frozen;
using System.Net;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Pdu;
using GridAppliance.Power.Ports;
using GridAppliance.Power.Redfish;
using GridAppliance.Power.Wake;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Switches;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Power;

/// <summary>The drivers that act on a node's power: an address's scheme says which.</summary>
sealed class PowerFamily(IpmiSocket ipmi, SnmpSocket snmp, TimeProvider clock, ILoggerFactory loggers)
{
    /// <summary>One line for each driver.</summary>
    static readonly FrozenDictionary<string, Func<PowerFamily, PortAddress, IPrivilegedPort>> Drivers = new Dictionary<string, Func<PowerFamily, PortAddress, IPrivilegedPort>>
    {
        ["ipmi"] = static (family, port) => family.OpenIpmi(port),
        ["redfish+https"] = static (family, port) => new RedfishBmc(port.Uri, new(port.Uri, port.Credentials, port.Fingerprint, family.clock)),
        ["snmp+apc"] = static (family, port) => family.OpenOutlet(port, OutletDialect.Apc, OutletDialect.ApcMasterSwitch),
        ["wol"] = static (family, port) => new WakeOnLan(port.Uri, family.clock),
        ["snmp+raritan"] = static (family, port) => family.OpenOutlet(port, OutletDialect.Raritan),
    }.ToFrozenDictionary();

    readonly TimeProvider clock = clock;

    public static IReadOnlyCollection<string> Schemes => Drivers.Keys;

    /// <summary>Makes the driver; nothing is sent yet.</summary>
    /// <exception cref="NotSupportedException">No driver has this scheme.</exception>
    /// <exception cref="InvalidOperationException">The device has an owner already.</exception>
    public IPrivilegedPort Open(PortAddress port) =>
        Drivers.TryGetValue(port.Uri.Scheme, out var open) ? open(this, port) : throw new NotSupportedException($"no driver for {port.Uri.Scheme}: there are {string.Join(", ", Schemes.Order())}");

    PduOutlet OpenOutlet(PortAddress port, params IReadOnlyList<OutletDialect> dialects) =>
        new(port.Uri, SnmpAddress.Open(port.Uri, HostOf(port), PduCredentials.From(port.Credentials), snmp, clock), dialects);

    static IPAddress HostOf(PortAddress port) => port.ResolvedTo ?? PortHost.AddressIn(port.Uri) ?? throw new NotSupportedException($"{port.Uri}: its name was not resolved");

    IpmiBmc OpenIpmi(PortAddress port)
    {
        var endPoint = new IPEndPoint(HostOf(port), port.Uri.Port < 0 ? RmcpHeader.Port : port.Uri.Port);
        return new(port.Uri, new BmcOwner(endPoint, port.Credentials, ipmi, new IpmiTimings(), clock, loggers.CreateLogger<BmcOwner>()));
    }
}
