namespace GridAppliance.Power.Ipmi;

/// <summary>A token bucket. Owned by one task.</summary>
sealed class RateLimit(int perSecond, int burst, TimeProvider clock)
{
    double tokens = burst;
    long last = clock.GetTimestamp();

    /// <summary>Takes a token, going into debt when there is none; returns how long to wait before using it.</summary>
    public TimeSpan Take()
    {
        var now = clock.GetTimestamp();
        tokens = Math.Min(burst, tokens + clock.GetElapsedTime(last, now).TotalSeconds * perSecond) - 1;
        last = now;
        return tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-tokens / perSecond);
    }
}
