using GridAppliance.Hosting;

namespace GridAppliance.San;

/// <summary>
/// A fabric that keeps its zones by itself, with a note of what is under way: before the first order of a change it is written down what the zone was, and a change that the daemon's end cut off, or that the fabric's silence
/// did, is taken back as soon as the fabric can be read again, before anybody asks for anything.
/// </summary>
sealed class JournaledFabric(string name, ISanFabric inner, ZoneStore store) : IRestoringFabric, IDisposable
{
    readonly SemaphoreSlim turn = new(1, 1);

    public Uri Address => inner.Address;

    public Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

    public Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken) => ChangeAsync(zone.Name, zone, cancellationToken);

    public Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken) => ChangeAsync(zone, null, cancellationToken);

    async Task<SanOutcome> ChangeAsync(string zone, SanZone? wanted, CancellationToken cancellationToken)
    {
        if (SanNames.ProblemOf(zone) is { } problem) return SanOutcome.Refused(problem);
        await turn.WaitAsync(cancellationToken);
        try
        {
            // What it was before the first of several that were cut off is what it goes back to.
            var unfinished = store.Load(name).FirstOrDefault(k => k.Name == zone);
            var before = unfinished is null ? (await inner.ReadAsync(cancellationToken)).FirstOrDefault(z => z.Name == zone) : unfinished.Zone;
            if (unfinished is null) await store.SaveAsync(name, new(zone, before, IsSettled: false));
            // From here on it is carried through, whoever stops waiting; a fabric that went away leaves the note.
            var outcome = await TryAsync(zone, wanted);
            if (outcome.Ending != SanEnding.Damaged) await store.ForgetAsync(name, zone);
            return outcome;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Takes back what was cut off.</summary>
    public async Task<(IReadOnlyList<SanZone> Zones, IReadOnlyList<string> Made)> RestoreAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            var made = new List<string>();
            foreach (var one in store.Load(name))
            {
                if (await TakeBackAsync(one) is not { } outcome) continue;
                // One that is refused is somebody else's by now: it is not asked for again.
                await store.ForgetAsync(name, one.Name);
                if (outcome is SanEnding.Done) made.Add(one.Name);
            }
            return (await inner.ReadAsync(cancellationToken), made);
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<SanEnding?> TakeBackAsync(KeptZone one) => await TryAsync(one.Name, one.Zone) is { Ending: not SanEnding.Damaged and not SanEnding.RolledBack } outcome ? outcome.Ending : null;

    Task<SanOutcome> TryAsync(string zone, SanZone? wanted) => wanted is null ? inner.DisconnectAsync(zone, CancellationToken.None) : inner.ConnectAsync(wanted, CancellationToken.None);

    public void Dispose()
    {
        (inner as IDisposable)?.Dispose();
        turn.Dispose();
    }
}
