using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Native;
using GridAppliance.Agent.Orders;
using GridAppliance.Agent.Resources;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent;

/// <summary>Why the agent's loop ended.</summary>
enum AgentEnd
{
    Stopped,
    Reboot,
    /// <summary>Another kernel is loaded, and takes over.</summary>
    LoadedKernel,
    /// <summary>Another version is unpacked and has to be tried.</summary>
    Update,
    /// <summary>This is the other version, and the appliance has taken its report.</summary>
    Accepted,
}

/// <summary>
/// The agent's life: enrol, then heartbeats and orders side by side until the appliance no longer knows the node; then enrol again. Every wait ends by itself, and an
/// appliance that is away only makes the waits longer (to <see cref="Backoff"/>'s cap).
/// </summary>
sealed class AgentLoop(Enroller enroller, AgentKey key, int boots, ApplianceCalls calls, InventoryReader inventory, NeighbourListener listener, ModuleHost modules, ResourceHost resources,
    ManagerRelation relation, OrderExecutor executor, HeartbeatTrigger trigger, AgentConsole console, Random random, TimeProvider clock)
{
    static readonly TimeSpan OrderWait = TimeSpan.FromSeconds(25);

    enum SessionEnd { Unknown, Reboot, LoadedKernel, Update, Accepted }

    public async Task<AgentEnd> RunAsync(CancellationToken cancellationToken)
    {
        using var beside = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task listening = Task.CompletedTask, leases = Task.CompletedTask;
        try
        {
            // Limits first: what the modules' programs do when they come back, they do inside.
            await resources.RecoverAsync(cancellationToken);
            leases = resources.RunAsync(beside.Token);
            await modules.RecoverAsync(cancellationToken);
            var enrolment = enroller.Restore();
            while (true)
            {
                enrolment ??= await enroller.EnrolAsync(inventory.Read, cancellationToken);
                if (enrolment is null) return AgentEnd.Reboot;
                using (enrolment)
                {
                    console.Say($"enrolled as {enrolment.Response.Node}");
                    // Only now: the first call does not wait for anything that it does not need.
                    if (listening.IsCompleted) listening = listener.RunAsync(beside.Token);
                    switch (await RunSessionAsync(enrolment, cancellationToken))
                    {
                        case SessionEnd.Unknown: break;
                        case SessionEnd.Reboot: return AgentEnd.Reboot;
                        case SessionEnd.LoadedKernel: return AgentEnd.LoadedKernel;
                        case SessionEnd.Update: return AgentEnd.Update;
                        case SessionEnd.Accepted: return AgentEnd.Accepted;
                    }
                }
                console.Say("the appliance does not know this node any more; enrolling again");
                enrolment = null;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return AgentEnd.Stopped;
        }
        finally
        {
            await beside.CancelAsync();
            await Task.WhenAll(listening, leases);
        }
    }

    /// <summary>Both loops run until one has a reason to end; the other is then stopped and waited for.</summary>
    async Task<SessionEnd> RunSessionAsync(Enrolment enrolment, CancellationToken cancellationToken)
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var signer = new CallSigner(key, enrolment.Response.NodeId, boots, clock);
        Task<SessionEnd>[] loops = [BeatAsync(enrolment, signer, session.Token), ObeyAsync(enrolment, signer, session.Token, cancellationToken)];
        var first = await Task.WhenAny(loops);
        await session.CancelAsync();
        try { await Task.WhenAll(loops); }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { /* that is how the other one ends */ }
        return await first;
    }

    async Task<SessionEnd> BeatAsync(Enrolment enrolment, CallSigner signer, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(random);
        var interval = Interval(enrolment.Response.HeartbeatSeconds);
        byte[] told = [];
        var toldChanges = "";
        while (true)
        {
            var found = inventory.Read();
            var asBytes = JsonSerializer.SerializeToUtf8Bytes(found, WrittenJson.Default.InventoryDocument);
            var changed = !asBytes.AsSpan().SequenceEqual(told) | trigger.TakeInventoryWish();
            var changes = modules.Changes();
            var changesNow = DigestOf(changes);
            var answer = await calls.HeartbeatAsync(signer, new HeartbeatRequest
            {
                AgentVersion = AgentVersion.Text,
                UptimeSeconds = Math.Round(clock.GetTimestamp() / (double)clock.TimestampFrequency, 1),
                Modules = modules.List(),
                Changes = changesNow != toldChanges ? changes : null,
                Holdings = resources.Report(),
                RelationVersion = relation.Current?.Version ?? 0,
                Inventory = changed ? found : null,
                Doing = trigger.Doing,
            }, cancellationToken);
            if (answer.IsUnknownKey) return SessionEnd.Unknown;
            if (answer.Succeeded)
            {
                (told, toldChanges) = (asBytes, changesNow);
                backoff.Reset();
                interval = Heartbeat(answer.Body) ?? interval;
                await trigger.WaitAsync(interval, clock, cancellationToken);
                continue;
            }
            if (changed) trigger.Pull(withInventory: true);
            console.Say($"heartbeat: {answer.Problem}");
            await Task.Delay(backoff.Next(answer.RetryAfter), clock, cancellationToken);
        }
    }

    /// <param name="cancellationToken">Ends the waiting for orders.</param>
    /// <param name="life">Ends the agent: an order that is being carried out is not broken off because the appliance forgot the node meanwhile.</param>
    async Task<SessionEnd> ObeyAsync(Enrolment enrolment, CallSigner signer, CancellationToken cancellationToken, CancellationToken life)
    {
        var backoff = new Backoff(random);
        var hasWorked = false;
        while (true)
        {
            var answer = await calls.NextOrderAsync(signer, OrderWait, cancellationToken);
            if (answer.IsUnknownKey) return SessionEnd.Unknown;
            var defect = OrderDefect.None;
            if (answer.Status == 200 && OrderCheck.TryAccept(answer.Body, answer.Counter, enrolment.ApplianceKey, signer.NodeId, out var order, out defect))
            {
                backoff.Reset();
                if (await executor.RunAsync(order, signer, life) is not { } result) return SessionEnd.Update;
                // After the trial before the appliance knows that it is idle: the first order is not to wait for this. After others when no further one has come for a while.
                hasWorked = order.Kind != OrderKinds.TryModule;
                if (!hasWorked) ResidentPages.GiveBack();
                console.Say($"order {order.Kind}: {(result.Succeeded ? "done" : "failed")}{(result.Message is { } m ? $", {m}" : "")}");
                if (await ReportAsync(signer, order.Id, result, cancellationToken) is { } end) return end;
                if (OrderExecutor.Reboots(order, result)) return SessionEnd.Reboot;
                if (OrderExecutor.BootsLoaded(order, result)) return SessionEnd.LoadedKernel;
                if (executor.TakesOver(order)) return SessionEnd.Accepted;
                trigger.Pull();
                continue;
            }
            if (answer.Status == 204)
            {
                if (hasWorked) ResidentPages.GiveBack();
                hasWorked = false;
                backoff.Reset();
                continue;
            }
            if (answer.Status == 200) console.Say($"an order was refused: {defect}");
            await Task.Delay(backoff.Next(answer.RetryAfter), clock, cancellationToken);
        }
    }

    /// <summary>Tells the result until somebody takes it. An appliance that does not know the order (404, 409, 410) has no use for its result either.</summary>
    async Task<SessionEnd?> ReportAsync(CallSigner signer, string orderId, OrderResult result, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(random);
        var body = JsonSerializer.SerializeToUtf8Bytes(result, WrittenJson.Default.OrderResult);
        while (true)
        {
            var answer = await calls.ReportAsync(signer, orderId, body, cancellationToken);
            if (answer.IsUnknownKey) return SessionEnd.Unknown;
            if (answer.Succeeded || answer.Status is 404 or 409 or 410) return null;
            console.Say($"result of an order: {answer.Problem}");
            await Task.Delay(backoff.Next(answer.RetryAfter), clock, cancellationToken);
        }
    }

    static string DigestOf(IReadOnlyList<ModuleChangesDocument> changes) => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new OrderResult { Succeeded = true, Changes = changes }, WrittenJson.Default.OrderResult)));

    static TimeSpan? Heartbeat(byte[] body)
    {
        try { return JsonSerializer.Deserialize(body, ReadJson.Default.HeartbeatResponse) is { } response ? Interval(response.HeartbeatSeconds) : null; }
        catch (JsonException) { return null; }
    }

    static TimeSpan Interval(int seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 1, 300));
}
