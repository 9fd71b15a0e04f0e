using System.Text;

namespace GridAppliance.Protocols.Ipmi.Fru;

/// <summary>A type/length octet and the text after it, as FRU areas and sensor records have them (FRU storage 1.3, section 13; IPMI 2.0, section 43.15).</summary>
public static class FruField
{
    //  octet 0                              1 …
    //  +---------------------------------+--------+
    //  | type 7:6, length 5:0            | octets |      C1h ends the fields of an area
    //  +---------------------------------+--------+
    //  type: 0 binary, 1 BCD plus, 2 six-bit ASCII, 3 eight-bit text

    public const byte EndOfFields = 0xC1;

    const string BcdPlus = "0123456789 -.:,_";

    public static bool TryRead(ReadOnlySpan<byte> source, out string text, out int length)
    {
        text = "";
        length = 0;
        if (source.Length < 1) return false;
        var count = source[0] & 0x3F;
        if (source.Length - 1 < count) return false;
        var octets = source.Slice(1, count);
        length = 1 + count;
        text = (source[0] >> 6) switch
        {
            0 => Convert.ToHexStringLower(octets),
            1 => ReadBcd(octets),
            2 => ReadSixBit(octets),
            _ => Encoding.Latin1.GetString(octets),
        };
        // Unused room is filled with blanks by some makers and with zeros by others.
        text = text.TrimEnd('\0', ' ');
        return true;
    }

    static string ReadBcd(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder(octets.Length * 2);
        foreach (var octet in octets) text.Append(BcdPlus[octet >> 4]).Append(BcdPlus[octet & 0x0F]);
        return text.ToString();
    }

    /// <summary>Four characters from blank (20h) on in three octets, least significant bits first.</summary>
    static string ReadSixBit(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder(octets.Length * 8 / 6);
        int bits = 0, held = 0;
        foreach (var octet in octets)
        {
            bits |= octet << held;
            for (held += 8; held >= 6; held -= 6, bits >>= 6) text.Append((char)((bits & 0x3F) + 0x20));
        }
        return text.ToString();
    }
}
