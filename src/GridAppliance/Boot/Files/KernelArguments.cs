using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Boot.Files;

/// <summary>
/// A kernel command line that can be written into a boot script as it stands: words of harmless characters, separated by single spaces.
/// iPXE expands <c>${…}</c>, splits at <c>&amp;&amp;</c>, <c>||</c>, <c>;</c> and strips quotes; none of those characters gets in.
/// </summary>
readonly record struct KernelArguments
{
    const int MaxLength = 1024;

    static readonly System.Buffers.SearchValues<char> Harmless =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:=/_+-@%");

    readonly string? text;

    KernelArguments(string text) => this.text = text;

    public static bool TryParse([NotNullWhen(true)] string? text, out KernelArguments arguments)
    {
        arguments = default;
        if (text is null || text.Length > MaxLength || text.AsSpan().IndexOfAnyExcept(Harmless) >= 0) return false;
        arguments = new(string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        return true;
    }

    /// <summary>The same, for a node image that a person will use at the console (firmware-images/node/grid-recover).</summary>
    public KernelArguments ForRecovery => new(text is { Length: > 0 } ? text + " grid.recover" : "grid.recover");

    /// <summary>The same, for a node that goes on in another root file system (firmware-images/node/grid-root).</summary>
    /// <param name="image">Which.</param>
    /// <param name="hostName">The node's name: letters, digits and hyphens.</param>
    public KernelArguments ForRoot(RootImage image, string hostName) => TryParse($"{text} grid.root={image.Digest} systemd.hostname={hostName}", out var longer)
        ? longer : throw new ArgumentException($"'{hostName}' cannot be a host name", nameof(hostName));

    public override string ToString() => text ?? "";
}
