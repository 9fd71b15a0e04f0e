namespace GridAppliance.Agents;

/// <summary>
/// Which counters of signed calls have been used. They only grow, but calls that leave side by side arrive in any order: the newest <see cref="Width"/> are remembered
/// one by one, and everything below them is refused. Not thread-safe.
/// </summary>
sealed class CounterWindow(long floor)
{
    /// <summary>An agent has two calls under way, and a few that it gave up on.</summary>
    public const int Width = 64;

    readonly List<long> used = new(Width + 1);
    long floor = floor;

    /// <summary>The highest that was used.</summary>
    public long Highest => used.Count > 0 ? used[^1] : floor;

    /// <summary>Uses <paramref name="counter"/> up; false when it was used before, or may have been.</summary>
    public bool TryUse(long counter)
    {
        if (counter <= floor) return false;
        var at = used.BinarySearch(counter);
        if (at >= 0) return false;
        used.Insert(~at, counter);
        if (used.Count <= Width) return true;
        floor = used[0];
        used.RemoveAt(0);
        return true;
    }
}
