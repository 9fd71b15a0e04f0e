using System.Collections.Concurrent;

namespace GridAppliance.Grids;

/// <summary>What engines said when they were last asked. In memory only: the next look brings it again.</summary>
sealed class GridSightings
{
    readonly ConcurrentDictionary<Guid, GridSighting> newest = new();

    public GridSighting? Of(Guid grid) => newest.GetValueOrDefault(grid);

    public void Note(Guid grid, GridSighting sighting) => newest[grid] = sighting;

    /// <summary>Forgets all others.</summary>
    public void Keep(IEnumerable<Guid> there)
    {
        foreach (var gone in newest.Keys.Except(there)) newest.TryRemove(gone, out _);
    }
}

/// <param name="Report">What the engine said; null when it said nothing.</param>
/// <param name="Problem">Why it did not.</param>
sealed record GridSighting(GridReport? Report, string? Problem, DateTimeOffset At);
