namespace GridAppliance.Agent.Calls;

/// <summary>What came of a call. <see cref="Status"/> is 0 when nobody answered; <see cref="Problem"/> then says why.</summary>
readonly record struct Answer(int Status, byte[] Body, string? Problem = null)
{
    /// <summary>The counter under which the call was signed; 0 when it was not.</summary>
    public long Counter { get; init; }

    /// <summary>How long the appliance asks to be left alone, where it does.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public bool Arrived => Status != 0;
    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>The appliance does not know this key (any more).</summary>
    public bool IsUnknownKey => Status == 401;
}
