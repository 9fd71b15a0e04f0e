using System.Buffers.Binary;

namespace GridAppliance.Protocols.Packages;

/// <summary>
/// The header of a module package (our own format). What follows it to the end of the file is a tar archive whose first entry is <c>module.json</c>.
/// </summary>
/// <remarks>
/// <code>
///  0               8          10         12         12+k            12+k+s
///  +---------------+----------+----------+----------+---------------+-----------
///  | "GRIDMOD1"    | k: u16be | s: u16be | key      | signature     | tar …
///  +---------------+----------+----------+----------+---------------+-----------
/// </code>
/// key: SubjectPublicKeyInfo (DER) of the ECDSA P-256 key that signed. signature: P1363, over <see cref="SignedTextPrefix"/>, the SHA-256 of the tar part in lower-case hex,
/// and a newline. The reader needs no more of the file than <see cref="MaximumLength"/> octets.
/// </remarks>
public readonly ref struct PackageHeader
{
    const int FixedLength = 12;
    const int MaximumKeyLength = 512;
    const int MaximumSignatureLength = 512;

    /// <summary>No header is longer.</summary>
    public const int MaximumLength = FixedLength + MaximumKeyLength + MaximumSignatureLength;

    /// <summary>Begins the text that is signed, so that such a signature means nothing anywhere else.</summary>
    public const string SignedTextPrefix = "module\n";

    static ReadOnlySpan<byte> Magic => "GRIDMOD1"u8;

    PackageHeader(ReadOnlySpan<byte> key, ReadOnlySpan<byte> signature)
    {
        Key = key;
        Signature = signature;
    }

    public ReadOnlySpan<byte> Key { get; }

    public ReadOnlySpan<byte> Signature { get; }

    /// <summary>Where the tar archive begins.</summary>
    public int Length => FixedLength + Key.Length + Signature.Length;

    /// <summary>Reads the header at the start of <paramref name="source"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out PackageHeader header, out PackageDefect defect)
    {
        header = default;
        if (!source.StartsWith(Magic[..Math.Min(source.Length, Magic.Length)])) return Fail(PackageDefect.NotAPackage, out defect);
        if (source.Length < FixedLength) return Fail(PackageDefect.Truncated, out defect);
        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(source[8..]), signatureLength = BinaryPrimitives.ReadUInt16BigEndian(source[10..]);
        if (keyLength is 0 or > MaximumKeyLength || signatureLength is 0 or > MaximumSignatureLength) return Fail(PackageDefect.LengthOutOfRange, out defect);
        if (source.Length < FixedLength + keyLength + signatureLength) return Fail(PackageDefect.Truncated, out defect);
        header = new PackageHeader(source.Slice(FixedLength, keyLength), source.Slice(FixedLength + keyLength, signatureLength));
        defect = PackageDefect.None;
        return true;
    }

    /// <summary>Writes a header and returns its length.</summary>
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> key, ReadOnlySpan<byte> signature)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(key.Length, MaximumKeyLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(signature.Length, MaximumSignatureLength);
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16BigEndian(destination[8..], (ushort)key.Length);
        BinaryPrimitives.WriteUInt16BigEndian(destination[10..], (ushort)signature.Length);
        key.CopyTo(destination[FixedLength..]);
        signature.CopyTo(destination[(FixedLength + key.Length)..]);
        return FixedLength + key.Length + signature.Length;
    }

    static bool Fail(PackageDefect what, out PackageDefect defect)
    {
        defect = what;
        return false;
    }
}

/// <summary>What is wrong with a package's header.</summary>
public enum PackageDefect { None, NotAPackage, Truncated, LengthOutOfRange }
