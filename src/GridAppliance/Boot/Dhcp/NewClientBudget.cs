namespace GridAppliance.Boot.Dhcp;

/// <summary>A token bucket over clients that hold no address yet: room for a hall that powers on at once, none for a flood of made-up MACs.</summary>
sealed class NewClientBudget
{
    const int Burst = 512;
    const int PerSecond = 128;

    double tokens = Burst;
    DateTimeOffset filled;

    public bool TryTake(DateTimeOffset now)
    {
        tokens = Math.Min(Burst, tokens + Math.Max(0, (now - filled).TotalSeconds) * PerSecond);
        filled = now;
        if (tokens < 1) return false;
        tokens--;
        return true;
    }
}
