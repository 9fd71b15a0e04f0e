using System.Buffers;
using System.Text;

namespace GridAppliance.Consoles;

/// <summary>
/// Makes a console's octets safe to show in somebody else's terminal: control sequences are taken out, control characters other than line feed and tab are dropped, and what is not UTF-8
/// becomes U+FFFD. Keeps its place between pieces, since a sequence may be cut anywhere.
/// </summary>
/// <remarks>ECMA-48 sections 5.4 (CSI), 5.6 (OSC, DCS, SOS, PM and APC strings ended by ST); 8-bit C1 controls are UTF-8 continuation octets here and never pass alone.</remarks>
sealed class TerminalText
{
    /// <summary>A string control that never ends must not swallow the rest of a boot.</summary>
    const int LongestString = 4096;

    static readonly SearchValues<char> Controls = SearchValues.Create([.. Enumerable.Range(0, 256).Select(static c => (char)c).Where(char.IsControl)]);

    enum Place { Text, Escape, Sequence, ControlString, StringEscape }

    readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    Place place;
    int stringLength;

    public void Append(ReadOnlySpan<byte> octets, StringBuilder text)
    {
        Span<char> chars = stackalloc char[512];
        while (!octets.IsEmpty)
        {
            var piece = octets[..Math.Min(octets.Length, 256)];
            octets = octets[piece.Length..];
            var count = decoder.GetChars(piece, chars, flush: false);
            Append(chars[..count], text);
        }
    }

    void Append(ReadOnlySpan<char> chars, StringBuilder text)
    {
        while (!chars.IsEmpty)
        {
            if (place == Place.Text)
            {
                // Nearly everything that a console says is this.
                var plain = chars.IndexOfAny(Controls) is >= 0 and var control ? chars[..control] : chars;
                text.Append(plain);
                chars = chars[plain.Length..];
                if (chars.IsEmpty) return;
            }
            Step(chars[0], text);
            chars = chars[1..];
        }
    }

    void Step(char c, StringBuilder text)
    {
        switch (place)
        {
            case Place.Text:
                if (c == '\e') place = Place.Escape;
                else if (c is '\n' or '\t' || !char.IsControl(c)) text.Append(c);
                break;
            case Place.Escape:
                place = c switch
                {
                    '[' => Place.Sequence,
                    ']' or 'P' or 'X' or '^' or '_' => Place.ControlString,
                    // Intermediate octets (such as the charset selections) go on; anything else ends it.
                    >= ' ' and <= '/' => Place.Escape,
                    _ => Place.Text,
                };
                stringLength = 0;
                break;
            case Place.Sequence:
                // Parameters and intermediates go on to a final octet; a control character or new ESC means that it was cut short.
                if (c == '\e') place = Place.Escape;
                else if (c is >= '@' and <= '~') place = Place.Text;
                else if (c is '\n') { place = Place.Text; text.Append(c); }
                else if (++stringLength > LongestString) place = Place.Text;
                break;
            case Place.ControlString:
                if (c is '\a' or '\u009c' || ++stringLength > LongestString) place = Place.Text;
                else if (c == '\e') place = Place.StringEscape;
                break;
            case Place.StringEscape:
                place = c == '\\' ? Place.Text : Place.ControlString;
                break;
        }
    }
}
