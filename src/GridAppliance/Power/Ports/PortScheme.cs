using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Serial;
using GridAppliance.Consoles.Tcp;
using GridAppliance.Consoles.Telnet;
using GridAppliance.Power.Ipmi;
using GridAppliance.Power.Pdu;
using GridAppliance.Power.Redfish;
using GridAppliance.Power.Wake;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Power.Ports;

enum PortKind { Bmc, Outlet, Console, Wake }

/// <summary>What a port's address has after its scheme.</summary>
enum PortPlace
{
    /// <summary><c>ipmi://10.0.0.5</c></summary>
    Host,
    /// <summary><c>snmp+apc://10.0.0.9/7</c></summary>
    HostAndOutlet,
    /// <summary><c>redfish+https://10.0.0.5</c>, with <c>/redfish/v1/Systems/2</c> behind it for one of several.</summary>
    HostAndResource,
    /// <summary><c>tcp://10.0.0.9:7001</c></summary>
    HostAndPort,
    /// <summary><c>wol://10.77.0.255/52:54:00:12:34:56</c>: a network's broadcast address and a machine's MAC.</summary>
    HostAndMac,
    /// <summary><c>serial:///dev/ttyS1</c></summary>
    Path,
}

/// <summary>A kind of address that a node can be acted on through. What it can do follows from its driver's type, so that nothing has to be opened to tell.</summary>
/// <param name="Name">As it stands in the address.</param>
/// <param name="Kind">In the words of an operator.</param>
/// <param name="Place">What follows it.</param>
/// <param name="Driver">The class that speaks it.</param>
/// <param name="DefaultPort">Left out of the address; zero where there is none.</param>
sealed record PortScheme(string Name, PortKind Kind, PortPlace Place, Type Driver, int DefaultPort = 0)
{
    /// <summary>The most that IPMI takes.</summary>
    public int? MostUser { get; init; }
    public int? MostPassword { get; init; }

    /// <summary>RFC 1035, section 2.3.4.</summary>
    const int LongestName = 253;

    /// <summary>How the line is spoken stands behind the address: <c>?speed=9600&amp;parity=even</c>.</summary>
    public bool HasSerialSettings { get; init; }

    /// <summary>One line for each, the one that is preferred for power first.</summary>
    public static ImmutableArray<PortScheme> All { get; } =
    [
        new("ipmi", PortKind.Bmc, PortPlace.Host, typeof(IpmiBmc), RmcpHeader.Port) { MostUser = 16, MostPassword = 20 },
        new("redfish+https", PortKind.Bmc, PortPlace.HostAndResource, typeof(RedfishBmc), 443),
        new("snmp+apc", PortKind.Outlet, PortPlace.HostAndOutlet, typeof(PduOutlet), SnmpTimings.Port),
        new("snmp+raritan", PortKind.Outlet, PortPlace.HostAndOutlet, typeof(PduOutlet), SnmpTimings.Port),
        new("serial", PortKind.Console, PortPlace.Path, typeof(SerialConsolePort)) { HasSerialSettings = true },
        new("telnet+rfc2217", PortKind.Console, PortPlace.HostAndPort, typeof(TelnetConsolePort)) { HasSerialSettings = true },
        new("tcp", PortKind.Console, PortPlace.HostAndPort, typeof(TcpConsolePort)),
        new("wol", PortKind.Wake, PortPlace.HostAndMac, typeof(WakeOnLan), WakeOnLan.Port),
    ];

    static readonly FrozenDictionary<string, PortScheme> ByName = All.ToFrozenDictionary(scheme => scheme.Name);

    /// <summary>The lower one is preferred where several ports of a node can do the same.</summary>
    public int Rank => All.IndexOf(this);

    /// <summary>In the words of the API: power, boot, console …</summary>
    public IReadOnlyList<string> Capabilities => [.. Words.Where(word => Can(word.Capability)).Select(word => word.Word)];

    static readonly (Type Capability, string Word)[] Words =
    [
        (typeof(IPowerControl), "power"), (typeof(IBootOverride), "boot"), (typeof(IConsolePort), "console"), (typeof(IIdentifyLight), "identify"), (typeof(ISensorSource), "sensors"),
        (typeof(IEventLog), "events"), (typeof(IEventSource), "event-stream"), (typeof(IInventorySource), "inventory"), (typeof(IManagementLan), "lan"), (typeof(IDeviceAccounts), "accounts"), (typeof(ISecurityAudit), "audit"), (typeof(IVirtualMedia), "media"), (typeof(IHttpBoot), "http-boot"),
    ];

    /// <summary>Whether ports of this scheme implement <paramref name="capability"/>. A BMC's console is a driver of its own on the same session.</summary>
    public bool Can(Type capability) => capability.IsAssignableFrom(Driver) || (capability == typeof(IConsolePort) && Driver == typeof(IpmiBmc));

    public static PortScheme Of(Uri address) => ByName[address.Scheme];

    /// <summary>Reads an address as a person wrote it, and brings it into the one form in which it is kept.</summary>
    /// <param name="text">Such as <c>ipmi://10.0.0.5</c>.</param>
    /// <param name="address">In its one form: no default port, no slash at the end.</param>
    /// <param name="defect">What is wrong with it, in one sentence.</param>
    public static bool TryRead(string text, out Uri address, out string defect)
    {
        address = null!;
        defect = "";
        if (text.Length > 200 || !Uri.TryCreate(text, UriKind.Absolute, out var uri)) defect = $"an address is written like {Example(All[0])}";
        else if (!ByName.TryGetValue(uri.Scheme, out var scheme)) defect = $"no driver for '{uri.Scheme}': there are {string.Join(", ", ByName.Keys.Order())}";
        else if (uri.UserInfo.Length > 0) defect = "an address holds no account: user and password are given apart from it";
        else if (scheme.HasSerialSettings && SerialSettings.Read(uri.Query) is null) defect = $"a line's settings are written like {Example(scheme)}?speed=9600&bits=7&parity=even&stop=2&flow=rtscts&dtr=off&rts=off";
        else if (uri.Query.Length > 0 && !scheme.HasSerialSettings || uri.Fragment.Length > 0 || !Fits(uri, scheme)) defect = $"an address of {scheme.Name} is written like {Example(scheme)}";
        else
        {
            var port = uri.Port < 0 || uri.Port == scheme.DefaultPort ? "" : $":{uri.Port}";
            address = new($"{scheme.Name}://{uri.Host.ToLowerInvariant()}{port}{uri.AbsolutePath.TrimEnd('/')}{(scheme.HasSerialSettings ? SerialSettings.Read(uri.Query)!.ToQuery() : "")}");
        }
        return defect.Length == 0;
    }

    static bool Fits(Uri uri, PortScheme scheme) => scheme.Place switch
    {
        PortPlace.Host => IsHost(uri) && uri.AbsolutePath.Trim('/').Length == 0,
        PortPlace.HostAndOutlet => IsHost(uri) && int.TryParse(uri.AbsolutePath.AsSpan().Trim('/'), NumberStyles.None, CultureInfo.InvariantCulture, out var outlet) && outlet > 0,
        PortPlace.HostAndResource => IsHost(uri) && (uri.AbsolutePath.Trim('/').Length == 0 || RedfishPath.TryRead(uri.AbsolutePath, out _)),
        PortPlace.HostAndMac => IsIpv4(uri) && WakeOnLan.TryReadMac(uri, out var mac) && !mac.IsMulticast && !mac.IsZero,
        PortPlace.HostAndPort => IsHost(uri) && uri.Port > 0 && uri.AbsolutePath.Trim('/').Length == 0,
        PortPlace.Path => uri.Host.Length == 0 && uri.Port < 0 && uri.AbsolutePath.StartsWith("/dev/", StringComparison.Ordinal) && !uri.AbsolutePath.Contains('%'),
    };

    /// <summary>An address of either kind, or a name of ASCII letters, digits, hyphens and dots. A name whose last part is a number is an address with a slip in it.</summary>
    static bool IsHost(Uri uri)
    {
        if (uri.HostNameType == UriHostNameType.IPv6) return true;
        if (IPAddress.TryParse(uri.Host, out _)) return IsIpv4(uri);
        return uri.HostNameType == UriHostNameType.Dns && uri.Host.Length <= LongestName && uri.Host.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '.')
            && uri.Host.Split('.')[^1].Any(char.IsAsciiLetter);
    }

    /// <summary>All four numbers of it: 10.0.0 means 10.0.0.0 to some, and is a slip.</summary>
    static bool IsIpv4(Uri uri) => IPAddress.TryParse(uri.Host, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == uri.Host;

    static string Example(PortScheme scheme) => scheme.Place switch
    {
        PortPlace.Host => $"{scheme.Name}://10.0.0.5",
        PortPlace.HostAndResource => $"{scheme.Name}://10.0.0.5",
        PortPlace.HostAndOutlet => $"{scheme.Name}://10.0.0.9/7",
        PortPlace.HostAndMac => $"{scheme.Name}://10.77.0.255/52:54:00:12:34:56",
        PortPlace.HostAndPort => $"{scheme.Name}://10.0.0.9:7001",
        PortPlace.Path => $"{scheme.Name}:///dev/ttyS1",
    };
}
