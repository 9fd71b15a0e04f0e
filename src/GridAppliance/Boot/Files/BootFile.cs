namespace GridAppliance.Boot.Files;

/// <summary>What a file is to a booting machine, which decides the stage that its transfer shows as.</summary>
enum BootFileRole { Loader, Kernel, Initramfs }

/// <summary>
/// One file that is served, held in memory whole: what was hashed is what is sent, whatever happens on disk meanwhile, and no transfer waits for a disk.
/// The array is pinned, so that the kernel can be pointed at it.
/// </summary>
sealed class BootFile(string key, BootFileRole role, byte[] content, string digest)
{
    /// <summary>Above this a netascii copy is not made: nobody has a reason to ask for one.</summary>
    public const int MaxNetasciiLength = 4 << 20;

    readonly Lazy<byte[]?> netascii = new(() => EncodeNetascii(content));

    public string Key { get; } = key;

    public BootFileRole Role { get; } = role;

    /// <summary>On the pinned heap.</summary>
    public byte[] Content { get; } = content;

    /// <summary>SHA-256, lower-case hex.</summary>
    public string Digest { get; } = digest;

    /// <summary>The content as TFTP's netascii carries it, on the pinned heap; null when the file is too large for that.</summary>
    public byte[]? AsNetascii() => netascii.Value;

    static byte[]? EncodeNetascii(byte[] content)
    {
        if (content.Length > MaxNetasciiLength) return null;
        var encoded = GC.AllocateUninitializedArray<byte>((int)Protocols.Tftp.Netascii.EncodedLength(content), pinned: true);
        Protocols.Tftp.Netascii.Encode(content, encoded);
        return encoded;
    }
}
