namespace GridAppliance.Power.Ipmi;

/// <summary>A token bucket. Owned by one task.</summary>
sealed class RateLimit(int perSecond, int burst, TimeProvider clock)
{
    double tokens = burst;
    long last = clock.GetTimestamp();

    /// <summary>Takes a token, going into debt when there is none; returns how long to wait before using it.</summary>
    public TimeSpan Take()
    {
        Refill();
        tokens--;
        return tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-tokens / perSecond);
    }

    /// <summary>Takes what there is of a token, for something that cannot wait: those who can do not pay for it later.</summary>
    public void TakeAtOnce()
    {
        Refill();
        tokens = Math.Max(Math.Min(tokens, 0), tokens - 1);
    }

    void Refill()
    {
        var now = clock.GetTimestamp();
        tokens = Math.Min(burst, tokens + clock.GetElapsedTime(last, now).TotalSeconds * perSecond);
        last = now;
    }
}
