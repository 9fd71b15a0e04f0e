using System.Text;

namespace GridAppliance.Protocols.Tftp;

/// <summary>Texts that end in a zero octet, as RFC 1350 has them.</summary>
static class TftpText
{
    public static bool TryRead(scoped ref ReadOnlySpan<byte> source, out ReadOnlySpan<byte> text, out TftpDefect defect)
    {
        var end = source.IndexOf((byte)0);
        if (end < 0)
        {
            text = default;
            defect = TftpDefect.UnterminatedText;
            return false;
        }
        text = source[..end];
        source = source[(end + 1)..];
        defect = TftpDefect.None;
        return true;
    }

    public static void Write(ref Span<byte> destination, ReadOnlySpan<byte> text)
    {
        text.CopyTo(destination);
        destination[text.Length] = 0;
        destination = destination[(text.Length + 1)..];
    }

    public static bool Same(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(text, lowerCase);
}
