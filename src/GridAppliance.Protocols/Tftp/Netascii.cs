namespace GridAppliance.Protocols.Tftp;

/// <summary>Netascii (RFC 764 by way of RFC 1350 section 1): LF travels as CR LF, and CR as CR NUL. What the local system calls a line is LF.</summary>
public static class Netascii
{
    public static long EncodedLength(ReadOnlySpan<byte> source) => source.Length + (long)source.Count((byte)'\n') + source.Count((byte)'\r');

    /// <param name="source">Local text.</param>
    /// <param name="destination">At least <see cref="EncodedLength"/> octets.</param>
    /// <returns>Octets written.</returns>
    public static int Encode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var written = 0;
        while (!source.IsEmpty)
        {
            var plain = source.IndexOfAny((byte)'\n', (byte)'\r');
            if (plain < 0) plain = source.Length;
            source[..plain].CopyTo(destination[written..]);
            written += plain;
            if (plain == source.Length) break;
            destination[written++] = (byte)'\r';
            destination[written++] = source[plain] == '\n' ? (byte)'\n' : (byte)0;
            source = source[(plain + 1)..];
        }
        return written;
    }
}
