namespace GridAppliance.Api.Modules;

/// <summary><c>module.json</c>, the first entry of a package's tar archive: what the module is and how it is started.</summary>
public sealed record ModuleManifest
{
    /// <summary>The manifest's name in the archive.</summary>
    public const string FileName = "module.json";

    /// <summary>Octets; a manifest is small.</summary>
    public const int MaximumLength = 64 * 1024;

    /// <summary>Lower-case letters, digits and dashes; see <see cref="IsName"/>.</summary>
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>At most one module of a class is installed on a node.</summary>
    public required string Class { get; init; }
    public string? Summary { get; init; }
    /// <summary>Argument vector; the first is a file of the package, relative to its root. No shell reads it.</summary>
    public required IReadOnlyList<string> Start { get; init; }

    /// <summary>Whether <paramref name="text"/> may name a module or a class: <c>[a-z0-9][a-z0-9-]{0,62}</c>. Such a name is safe as one part of a path.</summary>
    public static bool IsName(string? text) =>
        text is { Length: > 0 and <= 63 } && text[0] != '-' && text.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    /// <summary>Whether <paramref name="text"/> may be a version: <c>[A-Za-z0-9][A-Za-z0-9.+-]{0,62}</c>. Safe as one part of a path.</summary>
    public static bool IsVersion(string? text) =>
        text is { Length: > 0 and <= 63 } && char.IsAsciiLetterOrDigit(text[0]) && text.AsSpan().IndexOfAnyExcept(VersionCharacters) < 0;

    static readonly System.Buffers.SearchValues<char> NameCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    static readonly System.Buffers.SearchValues<char> VersionCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-");
}
