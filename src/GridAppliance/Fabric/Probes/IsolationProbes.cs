using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Probes;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Probes;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric.Probes;

/// <summary>
/// Rounds of probe frames: every node whose agent listens, and the appliance on its networks' interfaces, send to everybody in every way that could lead from one group to another, and
/// listen meanwhile. Which port each NIC is on, the switches say from those very frames; which VLANs it is meant to be in, how the port was left.
/// </summary>
sealed class IsolationProbes(AgentOrders orders, NodeDirectory nodes, SwitchFleet fleet, SwitchIntents intents, ApplianceOptions options, TimeProvider clock)
{
    const string Us = "the appliance";
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);
    /// <summary>An agent gets its order at once when it is waiting for one, and may be busy with another.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly SemaphoreSlim turn = new(1, 1);

    /// <summary>Tries it, and says of whoever and whatever took no part that nothing is proven.</summary>
    public async Task<ProbeOutcome> RunAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            var (asked, leftOut) = ProbeSelection.Nodes(nodes.Current.Nodes, clock.GetUtcNow());
            return asked.Count == 0 ? new(null, [], ProbeJudgement.Some(leftOut)) : await RoundAsync(asked, leftOut, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<ProbeOutcome> RoundAsync(List<Node> asked, List<string> leftOut, CancellationToken cancellationToken)
    {
        var round = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
        var targets = Targets(asked);
        var (vlans, untried) = ProbeSelection.Vlans(Vlans(targets));
        var task = new ProbeTask(round, Duration, targets, vlans);
        var own = OwnAsync(task, cancellationToken);
        var answers = await AskAsync(asked, task, cancellationToken);
        var (here, trouble) = await own;
        await Parallel.ForEachAsync(fleet.Current.Values, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken }, async (one, token) =>
        {
            try { await one.ReadForwardingAsync(token); }
            catch (DeviceException) { /* Its trouble is among the complaints. */ }
        });
        List<(string Name, MacAddress Mac)> members = [.. here.Nics.Select(mac => (Us, mac)), .. answers.SelectMany(a => Macs(a.Value).Select(mac => (a.Key.Name, mac)))];
        List<ProbedNic> nics = [.. members.DistinctBy(m => m.Mac).Select(m => Place(m.Name, m.Mac, isOwn: m.Name == Us))];
        var heard = here.Heard.Select(h => new ProbePassage(h.On, h.From, h.Kind)).Concat(answers.Values.SelectMany(Passages));
        return ProbeJudgement.Judge(nics, heard,
        [
            .. leftOut, .. untried, .. ProbeSelection.BeyondTargets(targets.Count), .. trouble,
            .. asked.Where(n => !answers.TryGetValue(n, out var answer) || !Macs(answer).Any()).Select(n => $"{n.Name}'s agent took no part: nothing is known of what reaches it"),
        ]);
    }

    // Longer than the others by what an order takes to arrive.
    async Task<(ProbeFindings Findings, List<string> Trouble)> OwnAsync(ProbeTask task, CancellationToken cancellationToken)
    {
        List<string> interfaces = [.. options.Networks.Select(n => n.Interface).Distinct()];
        try
        {
            var findings = await ProbeStation.RunAsync(task with { Duration = Duration + Duration }, interfaces, clock, cancellationToken);
            var there = NetworkInterface.GetAllNetworkInterfaces().Where(i => AddressOf(i) is { } mac && findings.Nics.Contains(mac)).Select(i => i.Name).ToHashSet();
            return (findings, [.. interfaces.Where(i => !there.Contains(i)).Select(i => Absent(i, "it is not there, or has no link"))]);
        }
        catch (SocketException e)
        {
            return (new([], []), [.. interfaces.Select(i => Absent(i, $"raw frames cannot be used: {e.Message}"))]);
        }
    }

    static string Absent(string name, string why) => $"{Us} took no part on {name} ({why}): nothing is known of what reaches it";

    async Task<IReadOnlyDictionary<Node, ProbeAnswer>> AskAsync(List<Node> asked, ProbeTask task, CancellationToken cancellationToken)
    {
        var answers = new ConcurrentDictionary<string, ProbeAnswer?>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var byOrder = asked.ToDictionary(n => $"probe-{task.Round:x16}-{n.Id:n}");
        void Reported(AgentOrder order, OrderResult result)
        {
            if (byOrder.ContainsKey(order.Id) && answers.TryAdd(order.Id, result.Probe) && answers.Count == byOrder.Count) all.TrySetResult();
        }
        orders.Reported += Reported;
        try
        {
            var probe = new ProbeOrder { Round = $"{task.Round:x16}", Seconds = (int)Duration.TotalSeconds, Targets = [.. task.Targets.Select(t => t.ToString())], Vlans = [.. task.Vlans.Select(v => (int)v)] };
            foreach (var (id, node) in byOrder)
            {
                await orders.PlaceAsync(new()
                {
                    Id = id, NodeId = node.Id, Node = node.Name, Expires = clock.GetUtcNow() + Patience,
                    Document = new() { Id = id, NodeId = node.Id.ToString(), Kind = OrderKinds.Probe, Probe = probe },
                }, cancellationToken);
            }
            await Task.WhenAny(all.Task, Task.Delay(Patience, clock, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            orders.Reported -= Reported;
            foreach (var id in byOrder.Keys.Where(id => !answers.ContainsKey(id))) await orders.WithdrawAsync(id, CancellationToken.None);
        }
        return answers.Where(a => a.Value is not null).ToDictionary(a => byOrder[a.Key], a => a.Value!);
    }

    List<MacAddress> Targets(List<Node> asked) => [.. OwnMacs().Concat(asked.SelectMany(n => n.Macs)).Concat(asked.SelectMany(n => n.Inventory?.Nics ?? []).Select(n => MacAddress.TryParse(n.Mac, out var mac) ? mac : default).Where(mac => !mac.IsZero)).Distinct()];

    IEnumerable<MacAddress> OwnMacs() => NetworkInterface.GetAllNetworkInterfaces().Where(i => options.Networks.Any(n => n.Interface == i.Name)).Select(AddressOf).OfType<MacAddress>();

    static MacAddress? AddressOf(NetworkInterface one) => one.GetPhysicalAddress().GetAddressBytes() is { Length: MacAddress.Length } octets ? MacAddress.Read(octets) : null;

    // Of the ports that all those NICs are on; what is left over is any that is ours, then any that a switch has: a NIC that was silent so far is on no port yet.
    IEnumerable<VlanId> Vlans(List<MacAddress> targets) =>
        targets.SelectMany(mac => Place("", mac, isOwn: true).Vlans)
            .Concat(fleet.Current.Values.SelectMany(s => intents.Of(s.Name).Values.SelectMany(p => p.Vlans.Untagged)))
            .Concat(fleet.Current.Values.SelectMany(s => s.Reading?.Snapshot.Vlans.Keys ?? []));

    ProbedNic Place(string name, MacAddress mac, bool isOwn)
    {
        foreach (var one in fleet.Current.Values)
        {
            if (one.Reading is not { } reading) continue;
            var uplinks = one.PolicyOn(reading.Snapshot).Uplinks;
            foreach (var entry in reading.Forwarding)
            {
                // Our own cable is an uplink by rule, and the end of ours all the same.
                if (entry.Mac != mac || (uplinks.Contains(entry.Port) && !isOwn) || !reading.Snapshot.Ports.TryGetValue(entry.Port, out var port)) continue;
                var vlans = intents.Of(one.Name).GetValueOrDefault(port.Name)?.Vlans ?? port.Vlans;
                return new(name, mac, $"{one.Name}/{port.Name}", vlans.Untagged.Union(vlans.Tagged));
            }
        }
        return new(name, mac, null, []);
    }

    static IEnumerable<MacAddress> Macs(ProbeAnswer answer) => answer.Nics.Select(n => MacAddress.TryParse(n, out var mac) ? mac : default).Where(mac => !mac.IsZero);

    static IEnumerable<ProbePassage> Passages(ProbeAnswer answer)
    {
        foreach (var heard in answer.Heard)
        {
            if (MacAddress.TryParse(heard.On, out var on) && MacAddress.TryParse(heard.From, out var from) && Enum.TryParse<ProbeKind>(heard.Kind, out var kind) && Enum.IsDefined(kind)) yield return new(on, from, kind);
        }
    }
}
