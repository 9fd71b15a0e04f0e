using GridAppliance.Hosting;

namespace GridAppliance.San;

/// <summary>
/// A target of this machine, whose zones are kept: a change is whole or not at all, also when the target goes away in the middle of it or the daemon does, and a target that was
/// started again, and has forgotten everything, gets its zones back. Before the first order of a change it is written down what the zone was; what was not finished becomes that again.
/// </summary>
sealed class KeptFabric(string name, IBootableFabric inner, ZoneStore store) : IBootableFabric, IRestoringFabric
{
    readonly SemaphoreSlim turn = new(1, 1);

    public Uri Address => inner.Address;

    public string Directory => inner.Directory;

    public IscsiPath PathOf(string zone, string initiator) => inner.PathOf(zone, initiator);

    public Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

    public Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken) => ChangeAsync(zone.Name, zone, cancellationToken);

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) => ChangeAsync(zone, null, cancellationToken);

    async Task<SanOutcome> ChangeAsync(string zone, SanZone? wanted, CancellationToken cancellationToken)
    {
        if (SanNames.ProblemOf(zone) is { } problem) return SanOutcome.Refused(problem);
        await turn.WaitAsync(cancellationToken);
        try
        {
            var unfinished = store.Load(name).FirstOrDefault(k => k.Name == zone && !k.IsSettled);
            var before = unfinished is not null ? unfinished.Zone : (await inner.ReadAsync(cancellationToken)).FirstOrDefault(z => z.Name == zone);
            await store.SaveAsync(name, new(zone, before, IsSettled: false));
            // From here on it is carried through, whoever stops waiting.
            var outcome = await TryAsync(zone, wanted);
            if (outcome.Ending is SanEnding.Done or SanEnding.Unchanged)
            {
                await SettleAsync(zone, wanted);
                return outcome;
            }
            if (await TryAsync(zone, before) is not { Ending: SanEnding.Done or SanEnding.Unchanged })
                return new(SanEnding.Damaged, $"{outcome.Reason}; it is made as it was before as soon as the target takes it");
            await SettleAsync(zone, before);
            return outcome.Ending == SanEnding.Refused ? outcome : new(SanEnding.RolledBack, outcome.Reason);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Finishes what was not finished, and makes again what the target has forgotten.</summary>
    public async Task<(IReadOnlyList<SanZone> Zones, IReadOnlyList<string> Made)> RestoreAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            var there = await inner.ReadAsync(cancellationToken);
            var kept = store.Load(name);
            // Made by an appliance that did not write them down yet.
            foreach (var zone in there.Where(z => kept.All(k => k.Name != z.Name))) await SettleAsync(zone.Name, zone);
            var made = new List<string>();
            foreach (var one in kept.Where(k => !k.IsSettled || (k.Zone is not null && there.All(z => z.Name != k.Name))))
            {
                if (await TryAsync(one.Name, one.Zone) is not { Ending: SanEnding.Done or SanEnding.Unchanged }) continue;
                await SettleAsync(one.Name, one.Zone);
                made.Add(one.Name);
            }
            return (made.Count == 0 ? there : await inner.ReadAsync(cancellationToken), made);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<SanOutcome> TryAsync(string zone, SanZone? wanted)
    {
        try
        {
            return wanted is null ? await inner.DisconnectAsync(zone, CancellationToken.None) : await inner.ConnectAsync(wanted, CancellationToken.None);
        }
        catch (DeviceException e)
        {
            return new(SanEnding.Damaged, e.Message);
        }
    }

    Task SettleAsync(string zone, SanZone? left) => left is null ? store.ForgetAsync(name, zone) : store.SaveAsync(name, new(zone, left, IsSettled: true));
}
