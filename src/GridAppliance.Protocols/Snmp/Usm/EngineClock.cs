namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>
/// What we know of another engine's clock (RFC 3414, section 2.3), as of a moment of our own. Pure: seconds are given by the caller.
/// </summary>
/// <param name="Boots">snmpEngineBoots.</param>
/// <param name="Time">snmpEngineTime, seconds since it booted, when last heard.</param>
/// <param name="HeardAt">Our own clock then, in seconds.</param>
public readonly record struct EngineClock(int Boots, int Time, long HeardAt)
{
    /// <summary>Seconds that a message may be off.</summary>
    public const int Window = 150;

    /// <summary>A counter that has come to its end: the engine takes nothing until it is given new keys.</summary>
    public const int Latched = int.MaxValue;

    /// <summary>The engine's time now, as far as we can tell.</summary>
    public int TimeAt(long now) => (int)Math.Clamp(Time + (now - HeardAt), 0, int.MaxValue);

    /// <summary>
    /// Takes an authenticated message's clock in (section 3.2, step 7b): false when the message is too old to be true. Moves forward only.
    /// </summary>
    public bool TryAdvance(int boots, int time, long now, out EngineClock next)
    {
        next = this;
        if (boots > Boots || (boots == Boots && time > Time)) next = new(boots, time, now);
        return next.Boots != Latched && boots >= next.Boots && (boots > next.Boots || time >= next.TimeAt(now) - Window);
    }

    /// <summary>As the engine itself judges a message that was sent to it (step 7a).</summary>
    public static bool IsTimely(int boots, int time, int ownBoots, int ownTime) =>
        ownBoots != Latched && boots == ownBoots && Math.Abs((long)time - ownTime) <= Window;
}
