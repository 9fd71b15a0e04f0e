namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>
/// Which session sequence numbers have been seen (IPMI 2.0, section 6.12.13), so that a packet replayed on the wire is not taken twice. Late packets
/// are taken within a window; the way forward is open because a lost stretch must not end the session.
/// </summary>
public struct SequenceWindow
{
    const int Width = 64;

    uint highest;
    ulong seen;

    /// <summary>True the first time that a number inside the window is shown. Zero is no number of a session.</summary>
    public bool TryTake(uint sequence)
    {
        if (sequence == 0) return false;
        if (sequence > highest)
        {
            var ahead = sequence - highest;
            seen = ahead >= Width ? 1 : seen << (int)ahead | 1;
            highest = sequence;
            return true;
        }
        var behind = highest - sequence;
        if (behind >= Width) return false;
        var bit = 1UL << (int)behind;
        if ((seen & bit) != 0) return false;
        seen |= bit;
        return true;
    }
}
