using System.Collections.Concurrent;
using GridAppliance.Agents;
using GridAppliance.Api.Agents;

namespace GridAppliance.Grids;

/// <summary>Has a program of a grid's module run on a member, and waits for what it says.</summary>
sealed class GridCalls
{
    readonly AgentOrders orders;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, TaskCompletionSource<OrderResult>> waiting = new(StringComparer.Ordinal);

    public GridCalls(AgentOrders orders, TimeProvider time)
    {
        (this.orders, this.time) = (orders, time);
        orders.Reported += (order, result) =>
        {
            if (waiting.TryRemove(order.Id, out var waiter)) waiter.TrySetResult(result);
        };
    }

    /// <returns>What came of it; a node that does not answer in time is an answer too.</returns>
    public async Task<OrderResult> AskAsync(Guid nodeId, string node, RunOrder run, CancellationToken cancellationToken)
    {
        var id = $"run-{Guid.NewGuid():N}";
        var limit = TimeSpan.FromSeconds(run.Seconds + 10);
        var waiter = waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            var order = await orders.PlaceAsync(new()
            {
                Id = id, NodeId = nodeId, Node = node, Expires = time.GetUtcNow() + limit, Document = new() { Id = id, NodeId = nodeId.ToString(), Kind = OrderKinds.Run, Run = run },
            }, cancellationToken);
            if (order.State == OrderState.Lost) return new() { Succeeded = false, Message = order.Message };
            return await waiter.Task.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            await orders.WithdrawAsync(id, cancellationToken);
            return new() { Succeeded = false, Message = $"{node}'s agent did not answer within {limit.TotalSeconds:0} s" };
        }
        finally
        {
            waiting.TryRemove(id, out _);
        }
    }
}
