namespace GridAppliance.Agent.Calls;

/// <summary>How long to wait after a failure: doubling from a quarter of a second to 15 s, the second half of each wait at random, so that a rack does not come back in step.</summary>
sealed class Backoff(Random random)
{
    static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Cap = TimeSpan.FromSeconds(15);

    int failures;

    public void Reset() => failures = 0;

    /// <param name="asked">What the appliance asks for beyond that; spread over as much again, so that those whom it sent away together do not come back together.</param>
    public TimeSpan Next(TimeSpan? asked) => Next() + (asked is { } wait ? wait * (1 + random.NextDouble()) : TimeSpan.Zero);

    public TimeSpan Next()
    {
        var whole = Math.Min(First.TotalMilliseconds * Math.Pow(2, Math.Min(failures++, 16)), Cap.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole / 2 + random.NextDouble() * whole / 2);
    }
}
