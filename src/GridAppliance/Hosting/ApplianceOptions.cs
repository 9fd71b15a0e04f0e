using GridAppliance.Consoles.Record;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Hosting;

/// <summary>The whole configuration, bound and validated once at start. Immutable.</summary>
sealed record ApplianceOptions
{
    public required string Name { get; init; }
    /// <summary>Directory for everything that must survive; owned by the daemon's user.</summary>
    public required string DataDir { get; init; }
    /// <summary>Directory with <c>manifest.json</c>, loaders, kernel and initramfs, as <c>make image</c> leaves it; read-only to the daemon.</summary>
    public required string BootFiles { get; init; }
    public required IReadOnlyList<ListenAddress> ManagementListen { get; init; }
    public required IReadOnlyList<NetworkOptions> Networks { get; init; }
    public EnrollPolicy Enroll { get; init; } = EnrollPolicy.Auto;
    /// <summary>Switches of the file; people may add others.</summary>
    public IReadOnlyList<SwitchOptions> Switches { get; init; } = [];
    /// <summary>Where switches' traps and informs are heard; null: nowhere.</summary>
    public System.Net.IPEndPoint? Traps { get; init; }
    /// <summary>How much of each console is kept.</summary>
    public ConsoleRetention Consoles { get; init; } = new();
    /// <summary>Serve DHCP even beside another DHCP server (<c>--force</c>).</summary>
    public bool Force { get; init; }
}

enum EnrollPolicy { Auto, Approve }

/// <summary>Where the management plane listens: a unix socket's path, or a TCP endpoint.</summary>
abstract record ListenAddress
{
    public sealed record Unix(string Path) : ListenAddress;
    /// <summary>Beyond loopback only with <paramref name="Tls"/>, and then a token is asked for.</summary>
    public sealed record Tcp(System.Net.IPEndPoint EndPoint, bool Tls) : ListenAddress;
}

/// <summary>One provisioning network, on an interface of this machine or behind a DHCP relay, and what is served on it.</summary>
sealed record NetworkOptions
{
    public required string Name { get; init; }
    /// <summary>Where it is attached, or where its relay is heard.</summary>
    public required string Interface { get; init; }
    /// <summary>The attached network over which its relay speaks to us; null for one that we are attached to ourselves.</summary>
    public string? Via { get; init; }
    /// <summary>The networks whose relays speak to us over this one.</summary>
    public IReadOnlyList<NetworkOptions> Behind { get; init; } = [];
    /// <summary>Our own address on it, with its prefix; behind a relay, where we have none, the network's number.</summary>
    public required Ipv4Network Address { get; init; }
    /// <summary>The address of ours that its machines speak to: behind a relay, ours on the network of <see cref="Via"/>.</summary>
    public Ipv4Address Server { get => field.IsAny ? Address.Address : field; init; }
    public DhcpMode DhcpMode { get; init; } = DhcpMode.Off;
    /// <summary>Dynamic addresses; required in server mode.</summary>
    public Ipv4Range? Range { get; init; }
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromMinutes(10);
    /// <summary>Option 3; none when null: a provisioning network need not be routed.</summary>
    public Ipv4Address? Router { get; init; }
    public IReadOnlyList<Ipv4Address> Dns { get; init; } = [];
    public string? Domain { get; init; }
    public IReadOnlyList<Reservation> Reservations { get; init; } = [];
    /// <summary>TFTP on :69, HTTP boot plane on :8067.</summary>
    public bool Boot { get; init; }
    /// <summary>Whether the kernel drops what comes from an address that was not assigned to the NIC that sends it.</summary>
    public GuardMode Guard { get; init; }
    /// <summary>Addresses of others than nodes that may speak to us there all the same: switches, outlets, relays.</summary>
    public IReadOnlyList<Ipv4Address> GuardAllow { get; init; } = [];
}

/// <summary>A switch of the configuration file.</summary>
/// <param name="Record">The switch.</param>
/// <param name="Secrets">What its secret file holds.</param>
sealed record SwitchOptions(SwitchRecord Record, string Secrets)
{
    /// <summary>Never with the secret.</summary>
    public override string ToString() => Record.Name;
}

enum DhcpMode { Off, Server, Proxy }

enum GuardMode { Off, On }

/// <summary>An address that is always this NIC's.</summary>
sealed record Reservation(MacAddress Mac, Ipv4Address Address);
