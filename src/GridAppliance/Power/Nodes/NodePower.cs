using GridAppliance.Api.Modules;
using GridAppliance.Api.Power;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;

namespace GridAppliance.Power.Nodes;

/// <summary>What people ask of machines' power, node by node and many at once: one that does not answer costs the others nothing.</summary>
sealed class NodePower(NodeDirectory nodes, NodePorts ports, Timeline timeline, TimeProvider time)
{
    /// <summary>Each waits for datagrams, not for a processor.</summary>
    const int AtOnce = 256;

    /// <summary>What one node may take: its BMC is asked a few times, then given up.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>How long to look whether a machine that was told to go on or off does.</summary>
    static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    static readonly TimeSpan SettlingStep = TimeSpan.FromMilliseconds(250);

    public Task<ChangeDocument> SetAsync(IReadOnlyList<Node> selected, PowerAction action, string? via, bool dryRun, string actor, CancellationToken cancellationToken) =>
        EachAsync(selected, dryRun, node => Port<IPowerControl>(node, via), (_, port) => $"would be {PowerWords.Done(action)} through {port.Address.OriginalString}",
            (node, port, token) => SetOneAsync(node, port, action, actor, token), cancellationToken);

    public Task<ChangeDocument> BootAsync(IReadOnlyList<Node> selected, BootOrder order, bool dryRun, string actor, CancellationToken cancellationToken) =>
        EachAsync(selected, dryRun, node => order.IsHttp ? Port<IHttpBoot>(node, order.Via) : Port<IBootOverride>(node, order.Via), (node, port) => $"would boot from {PowerWords.Device(order.Device)} {order.When} ({order.FirmwareOf(node)}){(order.Power ? ", and be restarted" : "")}",
            (node, port, token) => BootOneAsync(node, port, order, actor, token), cancellationToken);

    public Task<ChangeDocument> IdentifyAsync(IReadOnlyList<Node> selected, TimeSpan? duration, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var what = duration is null ? "on until told otherwise" : duration == TimeSpan.Zero ? "off" : $"on for {duration.Value.TotalSeconds:0} s";
        return EachAsync(selected, dryRun, node => Port<IIdentifyLight>(node, null), (_, _) => $"its light would go {what}", async (node, port, token) =>
        {
            await ports.UseAsync<IIdentifyLight>(port, (light, t) => light.IdentifyAsync(duration, t), token);
            await timeline.AppendAsync(NewEvent.About(node, "port.identify", $"{node.Name}'s light was set {what} by {actor}") with { Actor = actor }, token);
            return $"its light is {what}";
        }, cancellationToken);
    }

    /// <summary>Asks every machine now.</summary>
    public async Task<PowerStatusDocument> StatusAsync(IReadOnlyList<Node> selected, CancellationToken cancellationToken)
    {
        var documents = new NodePowerDocument[selected.Count];
        await Parallel.ForAsync(0, selected.Count, Options(cancellationToken), async (i, token) => documents[i] = await LookAsync(selected[i], token));
        return new() { Nodes = documents };
    }

    public async Task<ChangeDocument> SetPolicyAsync(IReadOnlyList<Node> selected, bool enforce, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var done = new List<NodeChangeDocument>();
        foreach (var node in selected)
        {
            var already = (node.PowerWish?.IsEnforced ?? false) == enforce;
            var word = enforce ? "enforced" : "observed";
            if (!already && !dryRun) await nodes.ChangeAsync(node.Id, now => (now with { PowerWish = (now.PowerWish ?? NoWish(actor)) with { IsEnforced = enforce } },
                [NewEvent.About(now, "power.policy", $"{now.Name}'s power is {word} from now on, says {actor}") with { Actor = actor }]), cancellationToken);
            done.Add(new() { Node = node.Name, Accepted = true, Message = already ? $"its power is {word} already" : dryRun ? $"its power would be {word}" : $"its power is {word}" });
        }
        return new() { Nodes = done, DryRun = dryRun };
    }

    async Task<string> SetOneAsync(Node node, NodePort port, PowerAction action, string actor, CancellationToken cancellationToken)
    {
        var before = await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), cancellationToken);
        var desired = PowerWords.Desired(action);
        var isThere = before == desired && action is (PowerAction.On or PowerAction.Off or PowerAction.SoftOff);
        // The wish comes first, so that it is known even if the appliance dies in the middle.
        await WishAsync(node, action, actor, isThere, port, cancellationToken);
        if (isThere) return $"is {PowerPlan.Word(before)} already";
        await ports.UseAsync<IPowerControl>(port, (power, token) => power.SetPowerAsync(action, token), cancellationToken);
        if (before == PowerState.Unknown) return $"was sent word to be {PowerWords.Done(action)}; whether it was shows when it boots";
        if (action is not (PowerAction.On or PowerAction.Off)) return $"was {PowerPlan.Word(before)}, and was {PowerWords.Done(action)}";
        if (!await SettlesAsync(port, desired, cancellationToken)) return $"was {PowerWords.Done(action)}, and is still {PowerPlan.Word(before)}";
        // Written down at once: a button that is pressed before the next look is somebody's decision, and not an order that has not come true.
        await nodes.ChangeAsync(node.Id, now => now.PowerWish is { IsReached: false } wish && wish.Desired == desired && wish.By == actor ? (now with { PowerWish = wish with { IsReached = true } }, []) : null, cancellationToken);
        return $"is {PowerPlan.Word(desired)}";
    }

    async Task<string> BootOneAsync(Node node, NodePort port, BootOrder order, string actor, CancellationToken cancellationToken)
    {
        var boot = new BootOverride(order.Device, order.FirmwareOf(node), order.IsPersistent);
        if (order.IsHttp) await ports.UseAsync<IHttpBoot>(port, (device, token) => device.SetHttpBootAsync(order.HttpUri, token), cancellationToken);
        else await ports.UseAsync<IBootOverride>(port, (device, token) => device.SetBootAsync(boot, token), cancellationToken);
        var set = $"boots from {PowerWords.Device(order.Device)} {order.When}{(order.IsHttp ? $" by HTTP{(order.HttpUri is { } uri ? $" ({uri})" : "")}" : "")}";
        await timeline.AppendAsync(NewEvent.About(node, "power.boot-device", $"{node.Name} {set} ({boot.Firmware}), as {actor} asked, through {port.Address.OriginalString}") with { Actor = actor }, cancellationToken);
        if (!order.Power) return set;
        if (Port<IPowerControl>(node, order.Via) is not { } button) return $"{set}; it has no port that could restart it";
        // A cycle, since firmware of some makes reads the order only after a cold start; of a machine that is off, it is "on".
        await WishAsync(node, PowerAction.Cycle, actor, isThere: false, button, cancellationToken);
        await ports.UseAsync<IPowerControl>(button, (power, token) => power.SetPowerAsync(PowerAction.Cycle, token), cancellationToken);
        return $"{set}, and was restarted";
    }

    async Task<NodePowerDocument> LookAsync(Node node, CancellationToken cancellationToken)
    {
        var document = new NodePowerDocument { Node = node.Name, Power = "unknown", DesiredPower = node.ToDocument().DesiredPower, Policy = node.ToDocument().PowerPolicy! };
        if (Port<IPowerControl>(node, null) is not { } port) return document with { Problem = NoPort(node) };
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var state = await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), either.Token);
            return document with { Power = PowerPlan.Word(state), Port = port.Address.OriginalString };
        }
        catch (DeviceException e)
        {
            return document with { Port = port.Address.OriginalString, Problem = e.Message };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return document with { Port = port.Address.OriginalString, Problem = Late(port) };
        }
    }

    async Task<bool> SettlesAsync(NodePort port, PowerState desired, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), cancellationToken) == desired) return true;
            if (time.GetElapsedTime(started) >= Settling) return false;
            await Task.Delay(SettlingStep, time, cancellationToken);
        }
    }

    async Task WishAsync(Node node, PowerAction action, string actor, bool isThere, NodePort port, CancellationToken cancellationToken)
    {
        var desired = PowerWords.Desired(action);
        var told = NewEvent.About(node, PowerWords.Kind(action), isThere ? $"{node.Name} is {PowerPlan.Word(desired)} already, as {actor} asks" : $"{node.Name} is {PowerWords.Done(action)} by {actor} through {port.Address.OriginalString}") with { Actor = actor };
        await nodes.ChangeAsync(node.Id, now => (desired == PowerState.Unknown ? now : now with
        {
            PowerWish = new() { Desired = desired, By = actor, At = time.GetUtcNow(), IsSoft = action == PowerAction.SoftOff, IsCycle = action == PowerAction.Cycle, IsEnforced = now.PowerWish?.IsEnforced ?? false, IsReached = isThere },
        }, [told]), cancellationToken);
    }

    async Task<ChangeDocument> EachAsync(IReadOnlyList<Node> selected, bool dryRun, Func<Node, NodePort?> portOf, Func<Node, NodePort, string> plan,
        Func<Node, NodePort, CancellationToken, Task<string>> act, CancellationToken cancellationToken)
    {
        var done = new NodeChangeDocument[selected.Count];
        await Parallel.ForAsync(0, selected.Count, Options(cancellationToken), async (i, token) =>
        {
            var node = selected[i];
            done[i] = portOf(node) is not { } port ? new() { Node = node.Name, Accepted = false, Message = NoPort(node) }
                : dryRun ? new() { Node = node.Name, Accepted = true, Message = plan(node, port) }
                : await OneAsync(node, port, act, token);
        });
        return new() { Nodes = done, DryRun = dryRun };
    }

    async Task<NodeChangeDocument> OneAsync(Node node, NodePort port, Func<Node, NodePort, CancellationToken, Task<string>> act, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return new() { Node = node.Name, Accepted = true, Message = await act(node, port, either.Token) };
        }
        catch (DeviceException e)
        {
            await timeline.AppendAsync(NewEvent.About(node, "power.failed", e.Message, EventSeverity.Warning), cancellationToken);
            return new() { Node = node.Name, Accepted = false, Message = e.Message };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new() { Node = node.Name, Accepted = false, Message = Late(port) };
        }
    }

    NodePort? Port<T>(Node node, string? via) where T : class =>
        via is null ? ports.For<T>(node.Id) : ports.Current.Of(node.Id).FirstOrDefault(port => port.Scheme.Can(typeof(T)) && (port.Scheme.Name == via || port.Scheme.Kind.ToString().Equals(via, StringComparison.OrdinalIgnoreCase)));

    static ParallelOptions Options(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };

    PowerWish NoWish(string actor) => new() { By = actor, At = time.GetUtcNow() };

    static string NoPort(Node node) => $"has no port that can do this: tell one with `gridctl port set {node.Name} ipmi://…`";

    static string Late(NodePort port) => $"{port.Address.OriginalString} did not answer within {Patience.TotalSeconds:0} s";
}

/// <summary>What machines are to boot from.</summary>
/// <param name="Device">From what.</param>
/// <param name="IsPersistent">At every boot from now on; otherwise at the next.</param>
/// <param name="Power">Restart them too.</param>
/// <param name="Firmware">Null: as each was last seen booting.</param>
/// <param name="Via">Through which port; null: the preferred one.</param>
sealed record BootOrder(BootDevice Device, bool IsPersistent, bool Power, BootFirmware? Firmware, string? Via)
{
    /// <summary>By UEFI HTTP boot, for the next boot only.</summary>
    public bool IsHttp { get; init; }

    /// <summary>What that fetches; null: whatever DHCP says.</summary>
    public Uri? HttpUri { get; init; }

    public string When => IsPersistent ? "from now on" : "once";

    /// <summary>Machines that have not been seen booting are likelier new than old.</summary>
    public BootFirmware FirmwareOf(Node node) => Firmware ?? (node.Firmware == "bios" ? BootFirmware.Bios : BootFirmware.Uefi);
}
