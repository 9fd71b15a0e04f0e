using System.Collections.Immutable;
using System.Threading.Channels;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Fabric;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Guard;

/// <summary>
/// Keeps the kernel's table of who may speak from which address equal to what was assigned, leaves out whoever is not on the port that he got his address on, and tells what was
/// dropped. No frame passes through here: the kernel judges each by what stands in the table.
/// </summary>
sealed partial class SourceGuard : BackgroundService
{
    static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);
    /// <summary>However many forged sources come: a reading of every switch is not theirs to have at will.</summary>
    static readonly TimeSpan SearchEvery = TimeSpan.FromSeconds(6);
    static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(30);

    readonly ImmutableArray<NetworkOptions> networks;
    readonly GuardTable table;
    readonly ILeaseStore leases;
    readonly DhcpServer dhcp;
    readonly FabricState fabric;
    readonly SwitchFleet fleet;
    readonly NodePorts ports;
    readonly NodeDirectory nodes;
    readonly FabricPokes pokes;
    readonly ApplianceProblems problems;
    readonly GuardReport report;
    readonly ForgedSources forged;
    readonly TimeProvider clock;
    readonly ILogger logger;
    // Full: the newest is dropped, and is in force within a second all the same, since everything is compared then.
    readonly Channel<(int Link, SourcePair Pair)> assigned = Channel.CreateBounded<(int, SourcePair)>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    readonly int[] counts;
    readonly ulong[] dropped;
    string? trouble;
    DateTimeOffset nextTry, nextLook, nextSearch;

    public SourceGuard(ApplianceOptions options, ILeaseStore leases, DhcpServer dhcp, FabricState fabric, SwitchFleet fleet, NodePorts ports, FabricPokes pokes, NodeDirectory nodes,
        Timeline timeline, ApplianceProblems problems, GuardReport report, TimeProvider clock, ILogger<SourceGuard> logger)
    {
        (this.leases, this.dhcp, this.fabric, this.fleet, this.ports, this.nodes, this.pokes, this.problems, this.report, this.clock, this.logger) = (leases, dhcp, fabric, fleet, ports, nodes, pokes, problems, report, clock, logger);
        networks = [.. options.Networks.Where(n => n is { Guard: GuardMode.On, DhcpMode: DhcpMode.Server })];
        table = new(options.Name, [.. networks.Select(n => new GuardedLink(n.Interface, [.. n.GuardAllow, .. n.Dns, .. n.Router is { } router ? [router] : (Ipv4Address[])[], .. n.Behind.SelectMany(Beyond)]))]);
        (counts, dropped) = (new int[networks.Length], new ulong[networks.Length]);
        forged = new(fleet, nodes, timeline);
    }

    /// <summary>What comes from beyond a relay comes from the router's NIC: its addresses are all that can be asked for.</summary>
    static IEnumerable<Ipv4Address> Beyond(NetworkOptions network) =>
        [.. network.Range?.All() ?? [], .. network.Reservations.Select(r => r.Address), .. network.Router is { } router ? [router] : (Ipv4Address[])[]];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (networks.IsEmpty) return Task.CompletedTask;
        dhcp.Assigned += OnAssigned;
        Install();
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        dhcp.Assigned -= OnAssigned;
        await base.StopAsync(cancellationToken);
        // Now, not when everything else is disposed of: a daemon that is stopped leaves nothing behind.
        table.Remove();
    }

    public override void Dispose()
    {
        table.Dispose();
        base.Dispose();
    }

    void OnAssigned(string network, MacAddress mac, Ipv4Address address)
    {
        for (var i = 0; i < networks.Length; i++)
        {
            if (networks[i].Name == network) assigned.Writer.TryWrite((i, new(mac, address)));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var meter = Telemetry.Observe(report);
        while (true)
        {
            while (assigned.Reader.TryRead(out var added))
            {
                if (table.IsInForce && fabric.Current.Displaced.All(d => d.Mac != added.Pair.Mac) && table.Assign(added.Link, added.Pair) is { } reason) Failed(reason);
            }
            await LookAsync(stoppingToken);
            await Waiting.UntilAsync(assigned.Reader, Tick, clock, stoppingToken);
        }
    }

    async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (!table.IsInForce && now >= nextTry) Install();
        if (dhcp.HeldAddresses() is { } held)
        {
            for (var i = 0; i < networks.Length && table.IsInForce; i++) Fill(i, held);
        }
        if (now < nextLook) return;
        nextLook = now + LookEvery;
        if (table.IsInForce)
        {
            if (table.ReadDrops() is { } drops)
            {
                for (var i = 0; i < dropped.Length; i++) dropped[i] = drops.Totals[i];
                await forged.SawAsync(drops.Sources.Select(d => (networks[d.Link].Name, d.Source, d.Packets)), now, cancellationToken);
                if (forged.HasUnknownPorts) LookForThem();
            }
            else
            {
                // Its interface went and came back, or somebody took it out by hand.
                Install();
            }
        }
        report.Current = new([.. networks.Select((n, i) => new NetworkGuard(n.Name, n.Interface, trouble, counts[i], dropped[i]))], forged.Current);
    }

    // A switch is read again now rather than within a minute: it has seen the frames.
    void LookForThem()
    {
        var now = clock.GetUtcNow();
        if (now < nextSearch) return;
        nextSearch = now + SearchEvery;
        foreach (var one in fleet.Current.Values.Where(s => s.Trouble is null)) pokes.Read(one.Name);
    }

    void Install()
    {
        nextTry = clock.GetUtcNow() + TryAgain;
        if (table.Install() is { } refusal)
        {
            Failed(refusal);
            return;
        }
        if (trouble is not null) LogInForceAgain();
        trouble = null;
        foreach (var network in networks) problems.Clear(Code(network));
        // Who is up already is let in at once, from what was written down: the DHCP server has not read it yet when we start.
        var held = dhcp.HeldAddresses() ?? Stored();
        for (var i = 0; i < networks.Length && table.IsInForce; i++) Fill(i, held);
    }

    List<HeldAddress> Stored()
    {
        var now = clock.GetUtcNow();
        return [.. from lease in leases.Load() where lease.Until > now from network in networks where network.Address.Contains(lease.Address) select new HeldAddress(network.Name, lease.Mac, lease.Address)];
    }

    void Fill(int link, IEnumerable<HeldAddress> held)
    {
        var network = networks[link];
        var kept = fabric.Current.Displaced.Select(d => d.Mac).ToHashSet();
        List<SourcePair> wanted =
        [
            .. held.Where(h => h.Network == network.Name && !kept.Contains(h.Mac)).Select(h => new SourcePair(h.Mac, h.Address)),
            .. Written(nodes.Current, network).Where(pair => !kept.Contains(pair.Mac)),
        ];
        counts[link] = wanted.Count;
        if ((table.Allow(link, Asked(network)) ?? table.Assign(link, wanted)) is { } reason) Failed(reason);
    }

    /// <summary>Addresses that were written into systems on nodes' disks: those nodes ask no DHCP server for them.</summary>
    internal static IEnumerable<SourcePair> Written(NodeSnapshot nodes, NetworkOptions network) =>
        nodes.Nodes.Where(node => node.Network == network.Name).SelectMany(node => node.Disk?.Settings.Address is { } own ? [new SourcePair(node.BootMac, own.Address)] : Array.Empty<SourcePair>());

    // Switches and privileged ports that we ask ourselves have to be able to answer, without anybody naming them twice.
    IEnumerable<Ipv4Address> Asked(NetworkOptions network) => fleet.Current.Values.Select(s => s.Record.Address).Concat(ports.Current.ByAddress.Values.Select(p => p.Address))
        .Select(PortHost.AddressIn).Select(Ipv4Address.From).OfType<Ipv4Address>().Where(a => network.Address.Contains(a) && a != network.Address.Address);

    void Failed(string reason)
    {
        table.Remove();
        if (trouble != reason) LogNotInForce(reason);
        trouble = reason;
        foreach (var network in networks)
            problems.Raise(Code(network), $"Network '{network.Name}' is not guarded against forged addresses: {reason}.", "Give the daemon CAP_NET_ADMIN as its systemd unit does, or set 'guard: { mode: off }' for that network.");
    }

    static string Code(NetworkOptions network) => $"guard.{network.Name}";

    [LoggerMessage(Level = LogLevel.Warning, Message = "Forged addresses are not kept out: {Reason}")]
    partial void LogNotInForce(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Forged addresses are kept out again")]
    partial void LogInForceAgain();
}
