namespace GridAppliance.Protocols.Dhcp;

/// <summary>A set of option codes, one bit each, so that asking for an absent option costs no walk over the message.</summary>
struct OptionSet
{
    ulong bits0, bits1, bits2, bits3;

    /// <summary>False when the code was there already.</summary>
    public bool Add(DhcpOption option)
    {
        ref var word = ref Word(ref this, option);
        var bit = 1UL << ((int)option & 63);
        var isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }

    public readonly bool Contains(DhcpOption option)
    {
        var word = ((int)option >> 6) switch { 0 => bits0, 1 => bits1, 2 => bits2, _ => bits3 };
        return (word & (1UL << ((int)option & 63))) != 0;
    }

    static ref ulong Word(ref OptionSet set, DhcpOption option)
    {
        switch ((int)option >> 6)
        {
            case 0: return ref set.bits0;
            case 1: return ref set.bits1;
            case 2: return ref set.bits2;
            default: return ref set.bits3;
        }
    }
}
