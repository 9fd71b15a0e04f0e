using System.Collections.Concurrent;
using System.Security.Cryptography;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;

namespace GridAppliance.Power.Discovery;

/// <summary>
/// Sees to it that a node whose BMC has no port gets one without anybody typing a password: its agent is told to make the appliance an account, and hands the password over once, sealed to a key
/// that is kept in memory and forgotten with the answer. Tried once per boot of the node.
/// </summary>
sealed partial class BmcAdopter : BackgroundService
{
    public const string Account = "gridappliance";

    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    /// <summary>A node that stays as it is needs no looking at; one that changes is looked at after this, once for many changes.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    readonly NodeDirectory nodes;
    readonly NodePorts ports;
    readonly AgentOrders orders;
    readonly TimeProvider time;
    readonly ILogger<BmcAdopter> logger;
    /// <summary>Tells this life's orders from the last one's, whose keys are gone.</summary>
    readonly string life = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    readonly ConcurrentDictionary<string, ECDiffieHellman> keys = new();
    /// <summary>The agents that were asked. Owned by the loop.</summary>
    readonly HashSet<string> asked = [];
    readonly SemaphoreSlim poked = new(1, 1);

    public BmcAdopter(NodeDirectory nodes, NodePorts ports, AgentOrders orders, TimeProvider time, ILogger<BmcAdopter> logger)
    {
        (this.nodes, this.ports, this.orders, this.time, this.logger) = (nodes, ports, orders, time, logger);
        orders.Reporting = TakeAsync;
        nodes.Changed += Poke;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await poked.WaitAsync(stoppingToken);
            foreach (var node in nodes.Current.Nodes.Where(Wants).ToList())
            {
                try
                {
                    await AskAsync(node, stoppingToken);
                }
                catch (Store.StoreException e)
                {
                    NotWritten(node.Name, e.Message);
                }
            }
            await Task.Delay(Quiet, time, stoppingToken);
        }
    }

    bool Wants(Node node) => node.State is NodeState.Idle or NodeState.Active && !node.AgentKey.IsEmpty && node.Inventory?.Bmc is { Kind: "ipmi", Address: { } address } && ports.Current.Of(node.Id).All(port => port.Scheme.Kind != PortKind.Bmc)
        // A BMC that is known already is claimed with the account that it has.
        && ports.Current.ByAddress.Values.All(port => port.Address.Host != address) && !asked.Contains(AgentSignature.Fingerprint(node.AgentKey.AsSpan()));

    async Task AskAsync(Node node, CancellationToken cancellationToken)
    {
        var agent = AgentSignature.Fingerprint(node.AgentKey.AsSpan());
        var id = $"bmc-{life}-{agent[..16]}";
        var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        keys[id] = key;
        await orders.PlaceAsync(new()
        {
            Id = id, NodeId = node.Id, Node = node.Name, Expires = time.GetUtcNow() + Lifetime,
            Document = new() { Id = id, NodeId = node.Id.ToString(), Kind = OrderKinds.AdoptBmc, Bmc = new() { Account = Account, SealTo = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()) } },
        }, cancellationToken);
        asked.Add(agent);
    }

    /// <summary>Before the order ends, so that a result which could not be kept is reported again.</summary>
    async Task TakeAsync(AgentOrder order, OrderResult result, CancellationToken cancellationToken)
    {
        if (order.Document.Kind != OrderKinds.AdoptBmc) return;
        if (nodes.Current.Find(order.NodeId) is not { } node) return;
        if (!result.Succeeded || result.Bmc is not { } handover)
        {
            await ports.TellAsync(node, "port.not-adopted", $"{node.Name}'s BMC was not adopted: {result.Message ?? "no reason was given"}", cancellationToken);
            return;
        }
        if (!keys.TryGetValue(order.Id, out var key)) return;
        var password = SealedHandover.Open(key, handover.Key, handover.Box, order.Id, order.NodeId.ToString());
        var isWhole = password is not null && handover.Account == Account && handover.Address == node.Inventory?.Bmc?.Address && PortScheme.TryRead($"ipmi://{handover.Address}", out _, out _);
        if (!isWhole)
        {
            await ports.TellAsync(node, "port.not-adopted", $"{node.Name}'s agent handed over an account that cannot be used", cancellationToken);
            return;
        }
        PortScheme.TryRead($"ipmi://{handover.Address}", out var address, out _);
        var change = await ports.SetAsync(node.Id, new() { Address = address, User = Account, Password = password }, "appliance", cancellationToken);
        if (change is PortChange.BelongsTo other) await ports.TellAsync(node, "port.not-adopted", $"{node.Name} says that its BMC is at {handover.Address}, which is {other.Node}'s", cancellationToken);
        // Kept in the store now: the agent's word is worth nothing any more.
        if (keys.TryRemove(order.Id, out var spent)) spent.Dispose();
    }

    void Poke()
    {
        // Already poked means that the coming look will see this change too.
        try { poked.Release(); }
        catch (SemaphoreFullException) { }
    }

    public override void Dispose()
    {
        foreach (var key in keys.Values) key.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node}: the order to adopt its BMC could not be written down: {Reason}")]
    partial void NotWritten(string node, string reason);
}
