using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Boot.Dhcp.Watch;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot.Dhcp;

/// <summary>An address that is promised to a NIC.</summary>
readonly record struct HeldAddress(string Network, MacAddress Mac, Ipv4Address Address);

/// <summary>Opens a listener for every network with DHCP, makes sure that no other server is there, and keeps them running.</summary>
sealed partial class DhcpServer(
    ApplianceOptions options, BootDirectoryState directory, BootObserver observer, BootClients clients, ILeaseStore store, ApplianceProblems problems, TimeProvider clock, ILogger<DhcpServer> logger)
    : BackgroundService
{
    /// <summary>How long another server has to give itself away before we serve: enough for one that pings for a second before it offers.</summary>
    static readonly TimeSpan rivalPatience = TimeSpan.FromMilliseconds(1500);

    readonly List<DhcpListener> listeners = [];
    readonly Dictionary<DhcpNetwork, LeaseCommitter> committers = [];
    readonly CancellationTokenSource watchingEnds = new();
    readonly List<Task> watching = [];
    bool disposed;
    volatile bool isServing;

    /// <summary>Addresses that somebody holds now, by the network's name; networks whose addresses are another server's business are left out.</summary>
    public IReadOnlyDictionary<string, int> LeasesInUse()
    {
        var now = clock.GetUtcNow();
        var use = new Dictionary<string, int>();
        foreach (var network in committers.Keys)
        {
            lock (network.Gate) use[network.Options.Name] = network.Leases?.InUse(now) ?? 0;
        }
        return use;
    }

    /// <summary>Told of each address when it is offered or granted, before the client is: the network's name, the NIC, the address. Called while packets wait.</summary>
    public event Action<string, MacAddress, Ipv4Address>? Assigned;

    /// <summary>All addresses that are promised to a NIC now; null while leases have not been read back yet.</summary>
    public IReadOnlyList<HeldAddress>? HeldAddresses()
    {
        if (!isServing) return null;
        var now = clock.GetUtcNow();
        var held = new List<HeldAddress>();
        foreach (var network in committers.Keys)
        {
            lock (network.Gate) held.AddRange(network.Leases?.Held(now).Select(l => new HeldAddress(network.Options.Name, l.Mac, l.Address)) ?? []);
        }
        return held;
    }

    /// <exception cref="StartupException">A port, an interface or an address is not to be had, or another DHCP server is on the wire.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(cancellationToken);
        }
        catch
        {
            await watchingEnds.CancelAsync();
            foreach (var listener in listeners) listener.Dispose();
            listeners.Clear();
            throw;
        }
        foreach (var listener in listeners)
        {
            var network = listener.Network.Options;
            LogServing(network.DhcpMode, network.Name, network.Interface, network.Address);
        }
        await base.StartAsync(cancellationToken);
    }

    async Task OpenAsync(CancellationToken cancellationToken)
    {
        List<DhcpNetwork> networks = [.. options.Networks.Where(n => n.DhcpMode != DhcpMode.Off).Select(Open)];
        var dispatch = new DhcpDispatch(networks, directory, observer, clock);
        Restore(networks);
        foreach (var network in networks)
        {
            if (network.Leases is { } leases) committers[network] = new(network, leases, store, clients, problems, clock, logger);
            if (network.Options.Via is { } via) LogServingBehindRelay(network.Options.Name, network.Options.Address, via);
            else listeners.Add(new(network, dispatch, clock, logger)
            {
                CommitterOf = n => committers.GetValueOrDefault(n),
                // A relayed client's address is of the network that its relay is in.
                Assigned = lease => Assigned?.Invoke((dispatch.Containing(lease.Address) ?? network).Options.Name, lease.Mac, lease.Address),
            });
        }
        isServing = true;
        foreach (var listener in listeners)
        {
            listener.Rivals.Found += rival => OnRival(listener.Network, rival);
            watching.Add(listener.Rivals.RunAsync(watchingEnds.Token));
        }
        await RefuseBesideRivals(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await watchingEnds.CancelAsync();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        // Registered under two names, it is disposed of twice.
        if (disposed) return;
        disposed = true;
        watchingEnds.Cancel();
        foreach (var listener in listeners) listener.Dispose();
        watchingEnds.Dispose();
        base.Dispose();
    }

    /// <summary>One loop that fails ends the daemon: a unit that restarts serves better than one that has gone deaf.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Loops.TogetherAsync([.. watching, .. committers.Values.Select(c => c.RunAsync(stoppingToken)), .. listeners.Select(l => l.RunAsync(stoppingToken))]);

    static DhcpNetwork Open(NetworkOptions network) => network.Range?.Count > LeaseTable.LargestRange
        ? throw new StartupException($"DHCP cannot serve network '{network.Name}': its range holds {network.Range.Value.Count} addresses and {LeaseTable.LargestRange} is the most", "Make it smaller.")
        : new(network);

    void Restore(List<DhcpNetwork> networks)
    {
        if (networks.All(n => n.Leases is null)) return;
        var stored = store.Load();
        var now = clock.GetUtcNow();
        foreach (var network in networks)
        {
            if (network.Leases is not { } leases) continue;
            leases.Restore(stored, now);
            foreach (var row in stored)
            {
                if (leases.At(row.Address) is not null) clients.Granted(network.Options.Name, row.Address, row.Mac);
            }
        }
    }

    /// <summary>Asks for other servers. Told to serve all the same, it does; <see cref="OnRival"/> has told of them.</summary>
    async Task RefuseBesideRivals(CancellationToken cancellationToken)
    {
        var asked = listeners.Where(l => l.Network.Options.DhcpMode == DhcpMode.Server).ToList();
        var answers = await Task.WhenAll(asked.Select(l => l.Rivals.ProvokeAsync(rivalPatience, cancellationToken)));
        var found = asked.Zip(answers).Where(pair => pair.Second is not null)
            .Select(pair => $"{pair.Second!.Value.Address} ({pair.Second.Value.Mac}) on {pair.First.Link.Name}").ToList();
        if (found.Count > 0 && !options.Force)
            throw new StartupException($"another DHCP server is answering at {string.Join(" and at ", found)}", "Stop it, set 'dhcp: { mode: proxy }' for that network to work beside it, or start with --force to serve all the same.");
    }

    /// <summary>
    /// While we serve, a second server is a misfortune to tell, not a reason to stop: a stranger's single forged packet must not be able to end the boots of a whole rack.
    /// </summary>
    void OnRival(DhcpNetwork network, Rival rival)
    {
        if (network.Options.DhcpMode != DhcpMode.Server) return;
        problems.Raise($"dhcp.rival.{network.Options.Name}", $"Another DHCP server, {rival.Address} ({rival.Mac}), answers on network '{network.Options.Name}'; machines may get addresses from it and not boot.",
            "Find it by its MAC address in the switches' forwarding tables and take it off this network.");
        LogRival(rival.Address, rival.Mac, network.Options.Name);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "DHCP ({Mode}) serves network {Network} on {Interface}, {Address}.")]
    partial void LogServing(DhcpMode mode, string network, string @interface, Ipv4Network address);

    [LoggerMessage(Level = LogLevel.Information, Message = "DHCP (Server) serves network {Network}, {Address}, through relays on network {Via}.")]
    partial void LogServingBehindRelay(string network, Ipv4Network address, string via);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another DHCP server, {Address} ({Mac}), answers on network {Network}.")]
    partial void LogRival(Ipv4Address address, MacAddress mac, string network);
}
