using GridAppliance.Agent.Modules;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;

namespace GridAppliance.Agent.Resources;

/// <summary>
/// Gives this node's resources to owners and takes them back. The order of things is what keeps two owners apart: written down, then limits, then programs; and on the way back
/// programs ended, limits gone, then struck out. Whatever moment the agent ends in, what is written down is at least what is in use.
/// </summary>
/// <param name="isNeededOutside">Whether a module is there for somebody else than holdings, and goes on without limits when the last of these ends.</param>
sealed class ResourceHost(ResourceBook book, IControlGroups groups, HeartbeatTrigger trigger, AgentConsole console, TimeProvider clock, Func<string, bool>? isNeededOutside = null)
{
    /// <summary>A lease never outlives this, whatever an order says.</summary>
    static readonly TimeSpan LongestLease = TimeSpan.FromDays(366);
    static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    readonly SemaphoreSlim turn = new(1, 1);
    // One place: however many leases changed, the watch looks once.
    readonly SemaphoreSlim changed = new(0, 1);

    // What is being ended takes no programs any more; that it is held still is another matter.
    volatile string? ending;

    /// <summary>The group in which a module's program runs, if somebody's allocation names it.</summary>
    public string? GroupFor(string module) => book.Holdings.FirstOrDefault(holding => holding.Allocated && holding.Id != ending && holding.Modules.Contains(module)) is { } holding ? groups.PathOf(holding.Id) : null;

    /// <summary>How many MiB those who have a module's program run for them have allocated for what it writes; null when nobody bounds it.</summary>
    public long? SpaceFor(string module) =>
        book.Holdings.Where(holding => holding.Allocated && holding.Amounts.DiskMiB > 0 && holding.Modules.Contains(module)).ToList() is { Count: > 0 } theirs ? theirs.Sum(holding => holding.Amounts.DiskMiB) : null;

    public IReadOnlyList<HoldingReport> Report() =>
        [.. book.Holdings.Select(holding => new HoldingReport { Id = holding.Id, Allocated = holding.Allocated, Usage = holding.Allocated ? groups.Usage(holding.Id) : null })];

    public async Task<ModuleOutcome> HoldAsync(HoldingOrder order, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(order.Id, "D", out _)) return ModuleOutcome.Refused("the holding has no acceptable id");
        if (order.Seconds <= 0) return ModuleOutcome.Refused("its time is over already");
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (order.Allocated && groups.Lack() is { } lack) return ModuleOutcome.Refused(lack);
            var wasAllocated = book.Find(order.Id)?.Allocated ?? false;
            if (book.Enter(order, Now + Math.Min(order.Seconds * 1000, (long)LongestLease.TotalMilliseconds), out var holding) is { } refusal) return ModuleOutcome.Refused(refusal);
            Wake();
            if (order.Allocated) groups.Make(holding!);
            else if (wasAllocated)
            {
                HandOn(holding!);
                await groups.EndAsync(order.Id, clock, cancellationToken);
            }
            return ModuleOutcome.Done($"{holding!.Amounts} {(order.Allocated ? "allocated" : "reserved")} for {holding.Owner}{(order.Allocated ? $" (CPU {string.Join(',', holding.Cpus)})" : "")}");
        }
        finally
        {
            turn.Release();
        }
    }

    public async Task<ModuleOutcome> FreeAsync(string id, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "D", out _)) return ModuleOutcome.Refused("the holding has no acceptable id");
        await turn.WaitAsync(cancellationToken);
        try
        {
            var holding = book.Find(id);
            ending = id;
            if (holding is { Allocated: true }) HandOn(holding);
            await groups.EndAsync(id, clock, cancellationToken);
            // Also one that never came: should its order come yet, it is too late.
            book.Strike(id);
            return ModuleOutcome.Done(holding is null ? "nothing of it is held" : $"{holding.Amounts} free again");
        }
        finally
        {
            ending = null;
            turn.Release();
        }
    }

    /// <summary>Programs of modules that others need as well go on, under the limits of one of these. What cannot be moved ends with the rest, and is started again there.</summary>
    void HandOn(HoldingRecord ended)
    {
        foreach (var module in ended.Modules)
        {
            var heir = book.Holdings.FirstOrDefault(other => other.Id != ended.Id && other.Allocated && other.Modules.Contains(module));
            if (heir is null && isNeededOutside?.Invoke(module) is not true) continue;
            try { groups.Move(ended.Id, module, heir?.Id); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { console.Say($"{module} is started anew for {heir?.Owner ?? "those who need it"}: {e.Message}"); }
        }
    }

    /// <summary>After a start: limits as the book says, and no group that it does not know.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        book.Reload();
        if (book.IsDamaged) return;
        foreach (var left in groups.Existing().Where(id => book.Find(id) is not { Allocated: true })) await groups.EndAsync(left, clock, cancellationToken);
        foreach (var holding in book.Holdings.Where(holding => holding.Allocated && groups.Lack() is null))
        {
            try { groups.Make(holding); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { console.Say($"{holding.Owner}'s limits are not in force again: {e.Message}"); }   // the node stays reachable, and its appliance can free it
        }
    }

    /// <summary>Ends leases whose time is over, with or without an appliance; runs as long as the agent does.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await UntilNextEndAsync(cancellationToken);
                await EndLeasesAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
            {
                // Still held, and tried again.
                console.Say($"a holding could not be ended: {e.Message}");
                try { await Task.Delay(LookAgain, clock, cancellationToken); }
                catch (OperationCanceledException) { return; }
            }
        }
    }

    /// <summary>Sleeps as long as there is nothing to end: an idle node's agent does nothing at all.</summary>
    async Task UntilNextEndAsync(CancellationToken cancellationToken)
    {
        var next = book.Holdings.Count == 0 ? LongestSleep : TimeSpan.FromMilliseconds(Math.Clamp(book.Holdings.Min(holding => holding.EndsAt) - Now, 0, (long)LongestSleep.TotalMilliseconds));
        using var due = new CancellationTokenSource(next, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancellationToken);
        try { await changed.WaitAsync(either.Token); }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { /* it is time */ }
    }

    public async Task EndLeasesAsync(CancellationToken cancellationToken)
    {
        foreach (var over in book.Holdings.Where(holding => holding.EndsAt <= Now).ToList())
        {
            await FreeAsync(over.Id, cancellationToken);
            console.Say($"{over.Owner}'s time is over: {over.Amounts} free again");
            trigger.Pull();
        }
    }

    void Wake()
    {
        try { changed.Release(); }
        catch (SemaphoreFullException) { /* it will look anyway */ }
    }

    long Now => (long)(clock.GetTimestamp() / (double)clock.TimestampFrequency * 1000);
}
