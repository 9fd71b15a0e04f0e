using System.Collections.Frozen;

namespace GridAppliance.Boot.Files;

/// <summary>
/// Every file that the boot plane may give away, by key: an immutable snapshot. A request's file name or URL is only ever looked up here, never made into a path.
/// </summary>
sealed class BootCatalog
{
    public const int MaxKeyLength = 64;

    readonly FrozenDictionary<string, BootFile> files;
    readonly FrozenDictionary<string, BootFile>.AlternateLookup<ReadOnlySpan<char>> bySpan;

    public BootCatalog(IEnumerable<BootFile> files, BootFile kernel, BootFile initramfs, KernelArguments commandLine, string profile)
    {
        this.files = files.ToFrozenDictionary(f => f.Key, StringComparer.Ordinal);
        bySpan = this.files.GetAlternateLookup<ReadOnlySpan<char>>();
        Kernel = kernel;
        Initramfs = initramfs;
        CommandLine = commandLine;
        Profile = profile;
    }

    public BootFile Kernel { get; }

    public BootFile Initramfs { get; }

    /// <summary>What the image's recipe wants on the kernel command line.</summary>
    public KernelArguments CommandLine { get; }

    /// <summary>Which recipe made the image: virtual or metal.</summary>
    public string Profile { get; }

    /// <summary>The root file system beside the tiny image; null where none was made.</summary>
    public RootImage? Root { get; init; }

    public IReadOnlyCollection<BootFile> Files => files.Values;

    public BootFile? Find(ReadOnlySpan<char> key) => bySpan.TryGetValue(key, out var file) ? file : null;

    /// <summary>Looks up a name as a TFTP client sent it; slashes in front say nothing there.</summary>
    public BootFile? Find(ReadOnlySpan<byte> name)
    {
        name = name.TrimStart((byte)'/');
        if (name.Length is 0 or > MaxKeyLength) return null;
        Span<char> key = stackalloc char[MaxKeyLength];
        for (var i = 0; i < name.Length; i++) key[i] = (char)name[i];
        return Find(key[..name.Length]);
    }

    /// <summary>Letters, digits, dot, dash and underscore, not starting with a dot: safe wherever a key is written.</summary>
    public static bool IsKey(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxKeyLength && text[0] != '.' && text.IndexOfAnyExcept(KeyCharacters) < 0;

    static readonly System.Buffers.SearchValues<char> KeyCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

/// <summary>Holds the current catalogue; the loader writes it, everything else reads.</summary>
sealed class BootCatalogState
{
    volatile BootCatalog? current;

    /// <summary>Null until the catalogue was read once.</summary>
    public BootCatalog? Current { get => current; set => current = value; }
}
