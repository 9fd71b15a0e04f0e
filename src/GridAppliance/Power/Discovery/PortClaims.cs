using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Power.Discovery;

/// <summary>
/// Ties BMCs that are nobody's yet to their nodes: asks each who it is, as soon as it can be asked, and looks for the node whenever a node or a port has changed.
/// </summary>
sealed partial class PortClaims : BackgroundService
{
    const int AtOnce = 64;

    /// <summary>A storm of changes costs one look per this much time.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);
    /// <summary>When a BMC that did not answer is asked again.</summary>
    static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(60);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly NodePorts ports;
    readonly NodeDirectory nodes;
    readonly TimeProvider time;
    readonly ILogger<PortClaims> logger;
    readonly SemaphoreSlim poked = new(1, 1);
    /// <summary>When each was last asked with the account that it has; another account is another question. Owned by the loop.</summary>
    readonly Dictionary<(Guid Id, DateTimeOffset SetAt), DateTimeOffset> asked = [];

    public PortClaims(NodePorts ports, NodeDirectory nodes, TimeProvider time, ILogger<PortClaims> logger)
    {
        (this.ports, this.nodes, this.time, this.logger) = (ports, nodes, time, logger);
        ports.Changed += Poke;
        nodes.Changed += Poke;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var reminder = time.CreateTimer(_ => Poke(), null, AskAgain, AskAgain);
        while (true)
        {
            await poked.WaitAsync(stoppingToken);
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (StoreException e)
            {
                NotWritten(e.Message);
            }
            await Task.Delay(Quiet, time, stoppingToken);
        }
    }

    /// <summary>One look at every port that is nobody's.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var unclaimed = ports.Current.ByAddress.Values.Where(port => port.Scheme.Kind == PortKind.Bmc && ports.NodeOf(port) is null).ToList();
        if (unclaimed.Count == 0) return;
        var now = time.GetUtcNow();
        var strangers = unclaimed.Where(port => port.Identity is null && (!asked.TryGetValue((port.Id, port.SetAt), out var last) || now - last >= AskAgain)).ToList();
        foreach (var port in strangers) asked[(port.Id, port.SetAt)] = now;
        await Parallel.ForEachAsync(strangers, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, AskAsync);
        foreach (var port in ports.Current.ByAddress.Values.Where(port => ports.NodeOf(port) is null))
        {
            if (PortOwner.Of(port, nodes.Current.Nodes) is { } owner) await ports.ClaimAsync(port, owner.Node, owner.Evidence, cancellationToken);
        }
    }

    async ValueTask AskAsync(NodePort port, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var uuids = port.Scheme.Can(typeof(IInventorySource)) ? await ports.UseAsync<IInventorySource, IReadOnlyList<Guid>>(port, (device, token) => device.ReadSystemUuidAsync(token), either.Token) : [];
            var lan = port.Scheme.Can(typeof(IManagementLan)) ? await ports.UseAsync<IManagementLan, ManagementLan>(port, (device, token) => device.GetLanAsync(token), either.Token) : null;
            var macs = port.Scheme.Can(typeof(IMachineNics)) ? await ports.UseAsync<IMachineNics, IReadOnlyList<MacAddress>>(port, (device, token) => device.ReadMachineMacsAsync(token), either.Token) : [];
            await ports.IdentifyAsync(port, new() { Uuids = [.. uuids], Mac = lan?.Mac, MachineMacs = [.. macs] }, cancellationToken);
        }
        catch (DeviceException)
        {
            // It is in the port's state; asked again later.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The same.
        }
    }

    void Poke()
    {
        // Already poked means that the coming look will see this change too.
        try { poked.Release(); }
        catch (SemaphoreFullException) { }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whose a BMC is could not be written down: {Reason}")]
    partial void NotWritten(string reason);
}
