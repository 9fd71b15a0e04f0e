using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Store;

namespace GridAppliance.Power.Nodes;

/// <summary>
/// Looks at every machine's power, writes down what it sees, and acts only where <see cref="PowerPlan"/> says so. Machines that were just told something are looked at often, the others now and
/// then. Also looks, now and then, at how each BMC lets people in.
/// </summary>
sealed partial class PowerReconciler(NodeDirectory nodes, NodePorts ports, Timeline timeline, TimeProvider time, ILogger<PowerReconciler> logger) : BackgroundService
{
    /// <summary>Each waits for datagrams, not for a processor; a BMC that is known to be dead fails at once.</summary>
    const int AtOnce = 256;

    static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    static readonly TimeSpan AuditInterval = TimeSpan.FromHours(24);

    /// <summary>Of one node: so long it keeps one of the places, and only its own next look waits for it.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>When each was last looked at, and last audited. Owned by the loop.</summary>
    readonly Dictionary<Guid, DateTimeOffset> looked = [];
    readonly Dictionary<NodePort, DateTimeOffset> audited = [];
    readonly Lock gate = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var places = new SemaphoreSlim(AtOnce);
        var looking = new Dictionary<Guid, Task>();
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            do
            {
                foreach (var (node, done) in looking.Where(look => look.Value.IsCompleted).ToList())
                {
                    looking.Remove(node);
                    await done;
                }
                var now = time.GetUtcNow();
                // Those that were just told something come first.
                foreach (var node in nodes.Current.Nodes.Where(node => !looking.ContainsKey(node.Id) && IsDue(node, now)).OrderByDescending(node => node.PowerWish?.At))
                {
                    looked[node.Id] = now;
                    looking[node.Id] = LookAsync(node, places, stoppingToken);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        finally
        {
            await Task.WhenAll(looking.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    bool IsDue(Node node, DateTimeOffset now)
    {
        if (ports.For<IPowerControl>(node.Id) is null) return false;
        if (!looked.TryGetValue(node.Id, out var last)) return true;
        var isFresh = node.PowerWish is { } wish && now - wish.At < PowerPlan.Grace * 2;
        return isFresh || now - last >= Interval;
    }

    async Task LookAsync(Node node, SemaphoreSlim places, CancellationToken stoppingToken)
    {
        await places.WaitAsync(stoppingToken);
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, patience.Token);
            await LookOneAsync(node, either.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            See(node, PowerState.Unknown);
        }
        catch (StoreException e)
        {
            // A full disk is told elsewhere; the next look tries again.
            NotWritten(node.Name, e.Message);
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>One look at one node, and what follows from it.</summary>
    public async Task LookOneAsync(Node node, CancellationToken cancellationToken)
    {
        if (ports.For<IPowerControl>(node.Id) is not { } port) return;
        var seen = PowerState.Unknown;
        try
        {
            seen = await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), cancellationToken);
        }
        catch (DeviceException)
        {
            // It is in the port's state, and told there.
        }
        await FollowAsync(node, port, seen, cancellationToken);
        if (seen != PowerState.Unknown) await AuditAsync(node, port, cancellationToken);
    }

    async Task FollowAsync(Node node, NodePort port, PowerState seen, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var latest = nodes.Current.Find(node.Id);
        if (latest is null) return;
        var decision = PowerPlan.Of(latest.PowerWish, latest.Reach.Power, seen, now);
        See(latest, seen);
        if (decision.Wish != latest.PowerWish || decision.Tell is not null)
        {
            var severity = decision.Wish is { HasYielded: true } && latest.PowerWish is { HasYielded: false } ? EventSeverity.Warning : EventSeverity.Info;
            // An order that was given since is newer than what this look saw.
            await nodes.ChangeAsync(node.Id, current => current.PowerWish != latest.PowerWish ? null
                : (current with { PowerWish = decision.Wish }, decision.Tell is { } words ? [NewEvent.About(current, "power.observed", $"{current.Name} {words}", severity)] : []), cancellationToken);
        }
        if (decision.Act is not { } action || nodes.Current.Find(node.Id)?.PowerWish != decision.Wish) return;
        // Whether it helps or not, the next attempt comes after a pause.
        await nodes.ChangeAsync(node.Id, current => (current with { PowerWish = current.PowerWish! with { At = now } },
            [NewEvent.About(current, PowerWords.Kind(action), $"{current.Name} is {PowerWords.Done(action)} by the appliance: {current.PowerWish!.By} wanted it {PowerPlan.Word(current.PowerWish.Desired)}, and that is enforced")]), cancellationToken);
        try
        {
            await ports.UseAsync<IPowerControl>(port, (power, token) => power.SetPowerAsync(action, token), cancellationToken);
        }
        catch (DeviceException e)
        {
            await timeline.AppendAsync(NewEvent.About(node, "power.failed", e.Message, EventSeverity.Warning), cancellationToken);
        }
    }

    async Task AuditAsync(Node node, NodePort port, CancellationToken cancellationToken)
    {
        if (!port.Scheme.Can(typeof(ISecurityAudit))) return;
        lock (gate)
        {
            if (audited.TryGetValue(port, out var last) && time.GetUtcNow() - last < AuditInterval) return;
            audited[port] = time.GetUtcNow();
        }
        try
        {
            var findings = await ports.UseAsync<ISecurityAudit, IReadOnlyList<SecurityFinding>>(port, (device, token) => device.AuditAsync(token), cancellationToken);
            ImmutableArray<string> sentences = [.. findings.Select(finding => $"{port.Address.OriginalString}: {finding.Text}")];
            var known = nodes.Current.Find(node.Id)?.Reach.Weaknesses ?? [];
            nodes.Touch(node.Id, latest => latest with { Reach = latest.Reach with { Weaknesses = sentences } });
            await timeline.AppendAsync([.. sentences.Except(known).Select(text => NewEvent.About(node, "port.insecure", text, EventSeverity.Warning))], cancellationToken);
        }
        catch (DeviceException)
        {
            lock (gate) audited.Remove(port);
        }
    }

    void See(Node node, PowerState seen) => nodes.Touch(node.Id, latest => latest with { Reach = latest.Reach with { Power = PowerSighting.Next(latest.Reach.Power, seen, time.GetUtcNow()) } });

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Node}: what was seen of its power could not be written down: {Reason}")]
    partial void NotWritten(string node, string reason);
}
