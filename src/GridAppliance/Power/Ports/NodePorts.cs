using System.Collections.Concurrent;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Ports;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Power.Ports;

/// <summary>
/// The one owner of privileged ports: which node has which, how to sign in there, and the one open driver of each, shared by all who act through it. Durable first, then visible.
/// </summary>
sealed partial class NodePorts : IAsyncDisposable
{
    readonly Database database;
    readonly NodeDirectory nodes;
    readonly Timeline timeline;
    readonly PowerFamily family;
    readonly SecretSeal seal;
    readonly TimeProvider time;
    /// <summary>One change, opening or closing at a time: a driver is closed before the next one of its address is opened, since a BMC has one owner.</summary>
    readonly SemaphoreSlim changing = new(1, 1);
    readonly ConcurrentDictionary<Guid, OpenPort> open = new();
    readonly ConcurrentDictionary<Guid, PortState> states = new();
    PortTable current;

    sealed record OpenPort(NodePort Port, IPrivilegedPort Driver, System.Net.IPAddress? ResolvedTo);

    public NodePorts(Database database, NodeDirectory nodes, Timeline timeline, PowerFamily family, SecretSeal seal, TimeProvider time)
    {
        (this.database, this.nodes, this.timeline, this.family, this.seal, this.time) = (database, nodes, timeline, family, seal, time);
        current = database.Read(PortStore.Load).Aggregate(new PortTable(), static (table, port) => table.With(port));
        foreach (var port in current.ByAddress.Values.Where(static port => port.Refusal is not null)) states[port.Id] = PortState.Of(Refused(port), port.Refusal!.At);
        foreach (var node in current.ByNode.Keys) ShowBmc(node);
    }

    public PortTable Current => Volatile.Read(ref current);

    /// <summary>Poked after every durable change.</summary>
    public event Action? Changed;

    /// <summary>The node's preferred port that can do <typeparamref name="T"/>; null when it has none.</summary>
    public NodePort? For<T>(Guid node) where T : class => Current.Of(node).FirstOrDefault(port => port.Scheme.Can(typeof(T)));

    public PortState StateOf(NodePort port) => states.GetValueOrDefault(port.Id, PortState.Unknown);

    public PortDocument ToDocument(NodePort port) => port.ToDocument(NodeOf(port)?.Name, StateOf(port));

    public Node? NodeOf(NodePort port) => port.NodeId is { } id ? nodes.Current.Find(id) : null;

    /// <summary>Makes or changes the port with this address; drivers in use are closed and opened anew by their next user.</summary>
    /// <param name="node">Whose it is; null when that is not known yet.</param>
    /// <param name="setting">How it is to be.</param>
    /// <param name="actor">Who says so.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<PortChange> SetAsync(Guid? node, PortSetting setting, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            var before = Current.Find(setting.Address);
            if (before is not null && NodeOf(before) is { } owner && owner.Id != node) return new PortChange.BelongsTo(owner.Name);
            if (node is { } whose && nodes.Current.Find(whose) is null) node = null;
            var id = before?.Id ?? Guid.CreateVersion7(time.GetUtcNow());
            // A secret that was given for one account is worth nothing for another.
            var kept = before is not null && before.User == setting.User ? before : null;
            var port = new NodePort
            {
                Id = id,
                NodeId = node,
                Address = setting.Address,
                User = setting.User,
                Password = Seal(setting.Password, id, "password") ?? kept?.Password,
                DeviceKey = Seal(setting.DeviceKey, id, "device-key") ?? kept?.DeviceKey,
                Location = setting.Location ?? before?.Location,
                Identity = before?.Identity,
                Fingerprint = setting.ForgetsCertificate ? null : before?.Fingerprint,
                SetBy = actor,
                SetAt = time.GetUtcNow(),
            };
            await SaveAsync(port, before is null ? "port.added" : "port.changed", $"{port.Address.OriginalString} {(before is null ? "was added" : "was changed")} by {actor}", actor, cancellationToken);
            await CloseAsync(id);
            states.TryRemove(id, out _);
            return new PortChange.Done(port);
        }
        finally
        {
            changing.Release();
        }
    }

    public async Task<PortChange> RemoveAsync(Uri address, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(address) is not { } port) return new PortChange.NoSuchPort();
            await database.WriteAsync(connection =>
            {
                PortStore.Delete(connection, port.Id);
                return timeline.Insert(connection, Tell(port, "port.removed", $"{address.OriginalString} was removed by {actor}", actor));
            }, events => { Volatile.Write(ref current, Current.Without(port)); timeline.Publish(events); }, cancellationToken);
            await CloseAsync(port.Id);
            states.TryRemove(port.Id, out _);
            if (port.NodeId is { } node) ShowBmc(node);
            Changed?.Invoke();
            return new PortChange.Done(port);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>The device has another address from now on, and is otherwise the same: account, secrets and all.</summary>
    public async Task<PortChange> MoveAsync(NodePort port, Uri address, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(port.Address) is not { } before || before.Id != port.Id) return new PortChange.NoSuchPort();
            if (Current.Find(address) is { } taken) return new PortChange.BelongsTo(NodeOf(taken)?.Name ?? "nobody");
            var next = before with { Address = address, SetBy = actor, SetAt = time.GetUtcNow() };
            await database.WriteAsync(connection =>
            {
                PortStore.Save(connection, next);
                return timeline.Insert(connection, Tell(next, "port.changed", $"{before.Address.OriginalString} is at {address.OriginalString} from now on, says {actor}", actor));
            }, events => { Volatile.Write(ref current, Current.Without(before).With(next)); timeline.Publish(events); }, cancellationToken);
            await CloseAsync(next.Id);
            states.TryRemove(next.Id, out _);
            if (next.NodeId is { } node) ShowBmc(node);
            Changed?.Invoke();
            return new PortChange.Done(next);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>A remark about a node's way to have ports.</summary>
    public Task TellAsync(Node node, string kind, string message, CancellationToken cancellationToken) => timeline.AppendAsync(NewEvent.About(node, kind, message, EventSeverity.Warning), cancellationToken);

    /// <summary>Keeps what a port said of itself.</summary>
    public Task IdentifyAsync(NodePort port, PortIdentity identity, CancellationToken cancellationToken) => AmendAsync(port, now => now with { Identity = identity }, null, null, cancellationToken);

    /// <summary>From now on the device has to show the certificate that it has shown.</summary>
    Task PinAsync(NodePort port, string fingerprint, CancellationToken cancellationToken) => AmendAsync(port, now => now.Fingerprint is null ? now with { Fingerprint = fingerprint } : now,
        "port.pinned", $"{port.Address.OriginalString} showed the certificate with SHA-256 {fingerprint}; it has to show that one from now on", cancellationToken);

    /// <summary>The BMC did not take the account: it is not offered again, by this life of the appliance or a later one, before somebody sets the port anew.</summary>
    Task RefuseAsync(NodePort port, DeviceException refused, CancellationToken cancellationToken)
    {
        var about = $"{refused.Device}: ";
        var reason = refused.Message.StartsWith(about, StringComparison.Ordinal) ? refused.Message[about.Length..] : refused.Message;
        return AmendAsync(port, now => now.SetAt == port.SetAt && now.Refusal is null ? now with { Refusal = new(reason, time.GetUtcNow()) } : now, null, null, cancellationToken);
    }

    /// <summary>Ties a port that is nobody's to its node.</summary>
    /// <param name="port">As it was when this was found out.</param>
    /// <param name="node">Whose it is.</param>
    /// <param name="evidence">How that is known, in words.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task ClaimAsync(NodePort port, Node node, string evidence, CancellationToken cancellationToken) =>
        AmendAsync(port, now => NodeOf(now) is null ? now with { NodeId = node.Id } : now, "port.claimed", $"{port.Address.OriginalString} is {node.Name}'s: {evidence}", cancellationToken);

    async Task AmendAsync(NodePort port, Func<NodePort, NodePort> amend, string? kind, string? message, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (Current.Find(port.Address) is not { } now || now.Id != port.Id || amend(now) is var next && next == now) return;
            // A node that was removed has left its ports to nobody.
            if (NodeOf(next) is null) next = next with { NodeId = null };
            await database.WriteAsync(connection =>
            {
                PortStore.Save(connection, next);
                return timeline.Insert(connection, kind is null ? [] : Tell(next, kind, message!, "appliance"));
            }, events => { Volatile.Write(ref current, Current.With(next)); timeline.Publish(events); }, cancellationToken);
            // The account is the same: the open driver, and whoever uses it, stays.
            if (open.TryGetValue(next.Id, out var held)) open[next.Id] = held with { Port = next };
            if (next.NodeId is { } node) ShowBmc(node);
            Changed?.Invoke();
        }
        finally
        {
            changing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await changing.WaitAsync();
        foreach (var id in open.Keys) await CloseAsync(id);
    }

    async Task SaveAsync(NodePort port, string kind, string message, string actor, CancellationToken cancellationToken)
    {
        await database.WriteAsync(connection =>
        {
            PortStore.Save(connection, port);
            return timeline.Insert(connection, Tell(port, kind, message, actor));
        }, events => { Volatile.Write(ref current, Current.With(port)); timeline.Publish(events); }, cancellationToken);
        if (port.NodeId is { } node) ShowBmc(node);
        Changed?.Invoke();
    }

    NewEvent[] Tell(NodePort port, string kind, string message, string actor, EventSeverity severity = EventSeverity.Info) =>
        [NodeOf(port) is { } node ? NewEvent.About(node, kind, message, severity) with { Actor = actor } : new(kind, message) { Severity = severity, Actor = actor }];

    SealedSecret? Seal(ReadOnlyMemory<byte>? secret, Guid id, string what) => secret is { } octets ? seal.Seal(octets.Span, Purpose(id, what)) : null;

    static string Purpose(Guid id, string what) => $"port/{id}/{what}";

    /// <summary>Where the node's document says that its BMC is.</summary>
    void ShowBmc(Guid node)
    {
        var bmc = Current.Of(node).FirstOrDefault(port => port.Scheme.Kind == PortKind.Bmc);
        var shown = bmc is null ? null : new BmcDocument { Kind = bmc.Scheme.Name, Address = bmc.Address.Authority };
        nodes.Touch(node, latest => latest with { Reach = latest.Reach with { Bmc = shown } });
    }
}
