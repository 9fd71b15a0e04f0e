namespace GridAppliance.Power.Ipmi;

/// <summary>How patient the appliance is with a BMC.</summary>
sealed record IpmiTimings
{
    /// <summary>How long the first answer may take; each further attempt waits twice as long.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromMilliseconds(700);
    /// <summary>How often a request is sent before the BMC counts as silent.</summary>
    public int Attempts { get; init; } = 3;
    /// <summary>For a request that is sent once only, because doing it twice would be worse than not knowing.</summary>
    public TimeSpan SingleWait { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Waits are stretched by up to this share, so that BMCs on one switch are not asked again all at once.</summary>
    public double Jitter { get; init; } = 0.25;
    /// <summary>BMCs forget a session after 60 ± 3 s without traffic (IPMI 2.0, section 6.12.15).</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(25);
    /// <summary>A session that nobody has used for so long is given back: most BMCs have four.</summary>
    public TimeSpan IdleClose { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>A session unused for so long is tried with a harmless request before one that must not be repeated.</summary>
    public TimeSpan Doubtful { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>How many failures in a row open the circuit.</summary>
    public int BreakAfter { get; init; } = 3;
    /// <summary>For how long nothing is sent then; doubled with each further failure.</summary>
    public TimeSpan FirstBreak { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan LongestBreak { get; init; } = TimeSpan.FromMinutes(2);
    /// <summary>Requests a second that one BMC is asked at most, on average.</summary>
    public int Rate { get; init; } = 100;
    /// <summary>How many may come without a pause.</summary>
    public int Burst { get; init; } = 100;
    /// <summary>How long to leave a BMC alone that says it is busy.</summary>
    public TimeSpan BusyWait { get; init; } = TimeSpan.FromMilliseconds(250);
    /// <summary>How long a console's packet may go without acknowledgement before it is sent again.</summary>
    public TimeSpan SolWait { get; init; } = TimeSpan.FromMilliseconds(500);
    /// <summary>How often; then the line is lost.</summary>
    public int SolAttempts { get; init; } = 8;
    /// <summary>
    /// How many packets a second of one console are acknowledged, on average. A BMC gathers characters while it waits for an acknowledgement (IPMI 2.0, section 15.11), whatever threshold it is set to send at:
    /// acknowledged at once, one that is set to 96 characters (AMI) sends a hundred packets a second of a busy line, and one that is set to 1 (OpenBMC) as many as the way there allows. These send again after 500 and 100 ms.
    /// At this pace a line of 115,200 Bd fills a packet between two of them (255 characters, section 15.9).
    /// </summary>
    public int SolPackets { get; init; } = 45;
    /// <summary>How many are acknowledged at once before: nobody who types waits.</summary>
    public int SolBurst { get; init; } = 8;
    /// <summary>While a console's acknowledgements wait, its readers are shown what came once in so long: each waking costs as much as taking a packet.</summary>
    public TimeSpan SolGathering { get; init; } = TimeSpan.FromMilliseconds(50);
    /// <summary>How long to leave a serial port alone that takes nothing now, such as that of a machine that is off.</summary>
    public TimeSpan SolPause { get; init; } = TimeSpan.FromMilliseconds(500);
    /// <summary>A console that has been silent for so long is asked whether it is still ours. With the attempts that this takes, a stolen line shows within 20 s.</summary>
    public TimeSpan SolCheck { get; init; } = TimeSpan.FromSeconds(8);
}
