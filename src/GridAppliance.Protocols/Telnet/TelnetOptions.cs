namespace GridAppliance.Protocols.Telnet;

/// <summary>
/// Which options are on, on each side, after RFC 1143 (the Q method): an answer is sent only to a change, so that two ends never confirm each other for ever. We never switch an option off,
/// which leaves three of its six states.
/// </summary>
public sealed class TelnetOptions
{
    enum State : byte { No, WantYes, Yes }

    readonly State[] ours = new State[256], theirs = new State[256];
    readonly bool[] willing = new bool[256], wanted = new bool[256];

    /// <param name="willing">What we would do.</param>
    /// <param name="wanted">What they may do.</param>
    public TelnetOptions(ReadOnlySpan<byte> willing, ReadOnlySpan<byte> wanted)
    {
        foreach (var option in willing) this.willing[option] = true;
        foreach (var option in wanted) this.wanted[option] = true;
    }

    public bool IsOurs(byte option) => ours[option] == State.Yes;

    public bool IsTheirs(byte option) => theirs[option] == State.Yes;

    /// <summary>Offers to do an option: send WILL.</summary>
    public void Offer(byte option) => ours[option] = State.WantYes;

    /// <summary>Asks them to do an option: send DO.</summary>
    public void Ask(byte option) => theirs[option] = State.WantYes;

    /// <summary>Takes in what they said.</summary>
    /// <param name="verb">WILL, WONT, DO or DONT.</param>
    /// <param name="option">Of which option.</param>
    /// <returns>The verb to answer with, or null when nothing is to be said.</returns>
    public byte? Hear(byte verb, byte option) => verb switch
    {
        Telnet.Will => Agree(theirs, wanted, option, Telnet.Do, Telnet.Dont),
        Telnet.Wont => Refuse(theirs, option, Telnet.Dont),
        Telnet.Do => Agree(ours, willing, option, Telnet.Will, Telnet.Wont),
        Telnet.Dont => Refuse(ours, option, Telnet.Wont),
        _ => null,
    };

    static byte? Agree(State[] side, bool[] agreeable, byte option, byte yes, byte no)
    {
        var before = side[option];
        if (before == State.Yes) return null;
        if (before == State.WantYes || agreeable[option])
        {
            side[option] = State.Yes;
            return before == State.WantYes ? null : yes;
        }
        return no;
    }

    static byte? Refuse(State[] side, byte option, byte confirm)
    {
        var before = side[option];
        side[option] = State.No;
        return before == State.Yes ? confirm : null;
    }
}
