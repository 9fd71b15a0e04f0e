using System.Buffers.Text;

namespace GridAppliance.Protocols.Tftp;

/// <summary>
/// Options of a request or of an OACK: blksize (RFC 2348), timeout and tsize (RFC 2349), windowsize (RFC 7440); null where absent.
/// A value outside its RFC's range reads as absent, which is how a server declines an option (RFC 2347 section 3).
/// </summary>
public readonly record struct TftpOptions
{
    public const int DefaultBlockSize = 512;
    public const int MinBlockSize = 8;
    public const int MaxBlockSize = 65464;

    public int? BlockSize { get; init; }

    /// <summary>Seconds, 1–255.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>In a read request 0, "tell me"; in an OACK the octets that will come.</summary>
    public long? TransferSize { get; init; }

    /// <summary>Blocks sent before an acknowledgement is awaited.</summary>
    public int? WindowSize { get; init; }

    public bool IsEmpty => this == default;

    // +---~~---+---+---~~---+---+---~~---+---+---~~---+---+
    // |  opt1  | 0 | value1 | 0 |  optN  | 0 | valueN | 0 |     RFC 2347: names are case-insensitive, values decimal ASCII
    // +---~~---+---+---~~---+---+---~~---+---+---~~---+---+

    internal static bool TryRead(ReadOnlySpan<byte> source, out TftpOptions options, out TftpDefect defect)
    {
        options = default;
        while (!source.IsEmpty)
        {
            if (!TftpText.TryRead(ref source, out var name, out defect)) return false;
            // Some boot ROMs pad their request with zeros: an option without a name ends the list.
            if (name.IsEmpty) break;
            if (!TftpText.TryRead(ref source, out var value, out defect)) return false;
            options = options.With(name, value);
        }
        defect = TftpDefect.None;
        return true;
    }

    TftpOptions With(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!Utf8Parser.TryParse(value, out long number, out var used) || used != value.Length || number < 0) return this;
        if (TftpText.Same(name, "blksize"u8)) return number is >= MinBlockSize and <= MaxBlockSize ? this with { BlockSize = (int)number } : this;
        if (TftpText.Same(name, "timeout"u8)) return number is >= 1 and <= 255 ? this with { TimeoutSeconds = (int)number } : this;
        if (TftpText.Same(name, "tsize"u8)) return this with { TransferSize = number };
        if (TftpText.Same(name, "windowsize"u8)) return number is >= 1 and <= 65535 ? this with { WindowSize = (int)number } : this;
        return this;
    }

    internal void Write(ref Span<byte> destination)
    {
        WriteOne(ref destination, "tsize"u8, TransferSize);
        WriteOne(ref destination, "blksize"u8, BlockSize);
        WriteOne(ref destination, "timeout"u8, TimeoutSeconds);
        WriteOne(ref destination, "windowsize"u8, WindowSize);
    }

    static void WriteOne(ref Span<byte> destination, ReadOnlySpan<byte> name, long? value)
    {
        if (value is not { } number) return;
        TftpText.Write(ref destination, name);
        if (!Utf8Formatter.TryFormat(number, destination, out var written) || written == destination.Length)
            throw new ArgumentException("No room for the options.", nameof(destination));
        destination[written] = 0;
        destination = destination[(written + 1)..];
    }
}
