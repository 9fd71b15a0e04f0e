namespace GridAppliance.Protocols.Telnet;

/// <summary>What stands next in a telnet stream.</summary>
public enum TelnetToken
{
    /// <summary>Nothing whole: more octets are needed.</summary>
    None,
    /// <summary>Octets of the line, without telnet's own.</summary>
    Data,
    /// <summary>A command without an option, such as break.</summary>
    Command,
    /// <summary>WILL, WONT, DO or DONT.</summary>
    Negotiation,
    /// <summary>What stands between SB and SE, its doubled octets single.</summary>
    Subnegotiation,
}

/// <summary>
/// Takes a telnet stream apart, piece by piece as it comes: a sequence may be cut anywhere. Whatever comes, it neither throws nor keeps more than <see cref="MostOctets"/>.
/// </summary>
/// <remarks>
/// RFC 854, RFC 855:
/// <code>
///   IAC IAC                      the octet 255 itself
///   IAC command                  NOP, BRK, AYT …
///   IAC WILL|WONT|DO|DONT option
///   IAC SB option octets… IAC SE
/// </code>
/// </remarks>
public sealed class TelnetReader
{
    /// <summary>A longer subnegotiation is passed over: none that we know is longer.</summary>
    public const int MostOctets = 512;

    static readonly byte[] EscapeItself = [Telnet.Iac];

    enum Place { Text, Iac, Verb, SubnegotiationOption, Subnegotiation, SubnegotiationIac }

    readonly byte[] subnegotiation = new byte[MostOctets];
    int length;
    bool isTooLong;
    Place place;

    /// <summary>The command's code: of <see cref="TelnetToken.Command"/>, or WILL, WONT, DO or DONT.</summary>
    public byte Command { get; private set; }

    /// <summary>The option's code, of a negotiation or a subnegotiation.</summary>
    public byte Option { get; private set; }

    /// <summary>Reads the next token.</summary>
    /// <param name="source">What came; moved on behind the token.</param>
    /// <param name="octets">Data, or a subnegotiation's; good until the next call.</param>
    public TelnetToken Read(ref ReadOnlySpan<byte> source, out ReadOnlySpan<byte> octets)
    {
        octets = default;
        while (!source.IsEmpty)
        {
            if (place == Place.Text)
            {
                var end = source.IndexOf(Telnet.Iac);
                if (end != 0)
                {
                    octets = end < 0 ? source : source[..end];
                    source = source[octets.Length..];
                    return TelnetToken.Data;
                }
                place = Place.Iac;
                source = source[1..];
                continue;
            }
            var octet = source[0];
            source = source[1..];
            if (Step(octet) is var token && token != TelnetToken.None)
            {
                if (token == TelnetToken.Data) octets = EscapeItself;
                if (token == TelnetToken.Subnegotiation) octets = subnegotiation.AsSpan(0, length);
                return token;
            }
        }
        return TelnetToken.None;
    }

    TelnetToken Step(byte octet)
    {
        switch (place)
        {
            case Place.Iac:
                place = Place.Text;
                if (octet == Telnet.Iac) return TelnetToken.Data;
                Command = octet;
                if (octet == Telnet.Sb) (place, length, isTooLong) = (Place.SubnegotiationOption, 0, false);
                else if (octet is >= Telnet.Will and <= Telnet.Dont) place = Place.Verb;
                else return TelnetToken.Command;
                return TelnetToken.None;
            case Place.Verb:
                (Option, place) = (octet, Place.Text);
                return TelnetToken.Negotiation;
            case Place.SubnegotiationOption:
                // A subnegotiation that ends before it says of what.
                if (octet == Telnet.Iac) place = Place.SubnegotiationIac;
                else (Option, place) = (octet, Place.Subnegotiation);
                return TelnetToken.None;
            case Place.Subnegotiation:
                if (octet == Telnet.Iac) place = Place.SubnegotiationIac;
                else Keep(octet);
                return TelnetToken.None;
            case Place.SubnegotiationIac:
                place = octet == Telnet.Iac ? Place.Subnegotiation : Place.Text;
                if (octet == Telnet.Iac) Keep(octet);
                // Anything but SE means that the end was lost: the subnegotiation is dropped.
                return octet == Telnet.Se && !isTooLong ? TelnetToken.Subnegotiation : TelnetToken.None;
            default:
                throw new InvalidOperationException("text is not read octet by octet");
        }
    }

    void Keep(byte octet)
    {
        if (length == MostOctets) isTooLong = true;
        else subnegotiation[length++] = octet;
    }
}
