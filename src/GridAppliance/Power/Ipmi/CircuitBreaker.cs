namespace GridAppliance.Power.Ipmi;

/// <summary>
/// Keeps a dead device from being asked again and again. After some failures in a row it opens for a while that grows with each further
/// failure; when the while is over, one request goes through and decides. Owned by one task.
/// </summary>
sealed class CircuitBreaker(int after, TimeSpan first, TimeSpan longest, TimeProvider clock)
{
    int failures;
    DateTimeOffset opensAgain;

    public bool IsOpen => failures >= after && clock.GetUtcNow() < opensAgain;

    /// <summary>Until when nothing is sent.</summary>
    public DateTimeOffset Until => opensAgain;

    public void Succeeded() => failures = 0;

    /// <param name="jitter">0 to 1: stretches the pause by as much, so that many devices lost at once do not come back at once.</param>
    public void Failed(double jitter)
    {
        failures++;
        if (failures < after) return;
        var pause = first * Math.Pow(2, Math.Min(failures - after, 16)) * (1 + jitter);
        opensAgain = clock.GetUtcNow() + (pause < longest ? pause : longest);
    }
}
