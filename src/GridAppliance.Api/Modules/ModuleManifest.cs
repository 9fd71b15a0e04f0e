using System.Buffers;
using System.Text.Json.Serialization;

namespace GridAppliance.Api.Modules;

/// <summary>
/// <c>module.json</c>, the first entry of a package's tar archive: what the module is, what it needs, what it changes on a node and how it is started. A key that is not
/// known here makes it unacceptable: an agent must not leave out what a newer module asks for. <see cref="ManifestReader"/> holds the bounds; docs/modules.md teaches it.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleManifest
{
    /// <summary>The manifest's name in the archive.</summary>
    public const string FileName = "module.json";

    /// <summary>Octets; a manifest is small.</summary>
    public const int MaximumLength = 64 * 1024;

    /// <summary>Entries of the archive below this folder come to lie at the same path in the module's view of the node; the others in <see cref="FolderOf"/>.</summary>
    public const string RootFolder = "root";

    /// <summary>Lower-case letters, digits and dashes; see <see cref="IsName"/>.</summary>
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>At most one module of a class is installed on a node.</summary>
    public required string Class { get; init; }
    public string? Summary { get; init; }
    public ModuleNeeds? Needs { get; init; }
    /// <summary>Argument vector of the program that is kept running; the first is a file of the package, or an absolute path in its view. No shell reads it. A module without one only changes things.</summary>
    public IReadOnlyList<string>? Start { get; init; }
    /// <summary>Argument vector of what runs once before <see cref="Start"/>; unless it ends with status 0, the installation is undone.</summary>
    public IReadOnlyList<string>? Setup { get; init; }
    /// <summary>Argument vector of what is run before the programs are ended.</summary>
    public IReadOnlyList<string>? Stop { get; init; }
    /// <summary>Files of the package that the appliance may have run while the module is installed, by what they are called; see <see cref="Agents.RunOrder"/>.</summary>
    public IReadOnlyList<string>? Programs { get; init; }
    /// <summary>How long <see cref="Setup"/>, <see cref="Stop"/> and the way to a good <see cref="Health"/> may take, each.</summary>
    public int? TimeoutSeconds { get; init; }
    public ModuleHealth? Health { get; init; }
    /// <summary>Owners and modes of files below <see cref="RootFolder"/>, where root and what the archive says will not do.</summary>
    public IReadOnlyList<ModuleFileRule>? Files { get; init; }
    /// <summary>Debian packages whose files are carried below <see cref="RootFolder"/>; written by the build.</summary>
    public IReadOnlyList<ModulePackage>? Packages { get; init; }
    public IReadOnlyList<ModuleUser>? Users { get; init; }
    /// <summary>Name (<c>net.ipv4.ip_forward</c>) to value.</summary>
    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
    public IReadOnlyList<string>? KernelModules { get; init; }
    public IReadOnlyList<ModuleMount>? Mounts { get; init; }
    /// <summary>A file of the package: the content of the one nftables table (<c>inet grid_NAME</c>) that is the module's.</summary>
    public string? Firewall { get; init; }
    public IReadOnlyList<ModuleHostName>? Hosts { get; init; }
    /// <summary>By name; the programs find the values in their environment as <c>GRID_PARAM_NAME</c>, the firewall's rules as <c>$param_name</c>.</summary>
    public IReadOnlyDictionary<string, ModuleParameter>? Parameters { get; init; }

    /// <summary>Name and class of the package that carries the agent itself. It is never installed: it replaces the agent (<c>gridctl agent update</c>).</summary>
    public const string Agent = "grid-agent";

    [JsonIgnore]
    public bool IsAgent => Name == Agent && Class == Agent;

    /// <summary>Where a package's own files lie in its view.</summary>
    public static string FolderOf(string name) => $"/opt/grid/{name}";

    /// <summary>The nftables table that belongs to a module.</summary>
    public static string TableOf(string name) => $"grid_{name.Replace('-', '_')}";

    /// <summary>Resources that a node has while the module runs there, in units, by name; owners hold some of them. None where it is null.</summary>
    public IReadOnlyDictionary<string, int>? Provides { get; init; }

    /// <summary>Whether <paramref name="text"/> may name a module or a class: <c>[a-z0-9][a-z0-9-]{0,62}</c>. Such a name is safe as one part of a path.</summary>
    public static bool IsName(string? text) =>
        text is { Length: > 0 and <= 63 } && text[0] != '-' && text.AsSpan().IndexOfAnyExcept(NameCharacters) < 0;

    /// <summary>Whether <paramref name="text"/> may be a version: <c>[A-Za-z0-9][A-Za-z0-9.+-]{0,62}</c>. Safe as one part of a path.</summary>
    public static bool IsVersion(string? text) =>
        text is { Length: > 0 and <= 63 } && char.IsAsciiLetterOrDigit(text[0]) && text.AsSpan().IndexOfAnyExcept(VersionCharacters) < 0;

    static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    static readonly SearchValues<char> VersionCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-");
}

/// <summary>What a node must have. A node that has less is not tried.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleNeeds
{
    public int? Cpus { get; init; }
    public int? MemoryMiB { get; init; }
    /// <summary>Free where modules' files lie: memory, on a node that runs from it.</summary>
    public int? DiskMiB { get; init; }
    /// <summary>A network card of the node must have a link.</summary>
    public bool? Network { get; init; }
    /// <summary>TCP ports on which nobody else may listen when the module comes.</summary>
    public IReadOnlyList<int>? Ports { get; init; }
    /// <summary>Modules, by name, that are installed first, on this one's behalf; their files are below this one's.</summary>
    public IReadOnlyList<string>? Modules { get; init; }
}

/// <summary>The module is healthy when something answers on this TCP port of the node, or this program ends with status 0: one of the two.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleHealth
{
    public int? Port { get; init; }
    /// <summary>Name of a number parameter that holds the port.</summary>
    public string? PortParameter { get; init; }
    public IReadOnlyList<string>? Command { get; init; }
}

/// <summary>Owner and mode of a file or folder in the module's view.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleFileRule
{
    /// <summary>Absolute; a folder that the package does not bring is made.</summary>
    public required string Path { get; init; }
    public int Owner { get; init; }
    public int Group { get; init; }
    /// <summary>Octal permission bits; 0755 for a folder when left out.</summary>
    public string? Mode { get; init; }
}

/// <summary>A Debian package that the module carries.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModulePackage
{
    public required string Name { get; init; }
    public required string Version { get; init; }
    /// <summary>Of the .deb that it was unpacked from.</summary>
    public required string Sha256 { get; init; }
    /// <summary>Names of packages that may not be beside it.</summary>
    public IReadOnlyList<string>? Conflicts { get; init; }
}

/// <summary>A user and a group of the same name and number, without password or shell.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleUser { public required string Name { get; init; } public required int Id { get; init; } }

/// <summary>A file system of the module's own: memory of a size, or a folder of the node, read-only.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleMount
{
    public required string Path { get; init; }
    public int? SizeMiB { get; init; }
    public string? Source { get; init; }
}

/// <summary>A line of <c>/etc/hosts</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleHostName { public required string Address { get; init; } public required IReadOnlyList<string> Names { get; init; } }

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ModuleParameter
{
    /// <summary>text, number or flag.</summary>
    public required string Type { get; init; }
    public required string Default { get; init; }
    public string? Summary { get; init; }
    /// <summary>Of a number; of a text, its length.</summary>
    public long? Minimum { get; init; }
    public long? Maximum { get; init; }

    /// <summary>Whether <paramref name="value"/> is one of this type, within its bounds. A text has no quotes, braces, semicolons or controls: it may stand in a program's configuration.</summary>
    public bool Accepts(string? value) => value is { Length: <= 1024 } && Type switch
    {
        "text" => value.AsSpan().IndexOfAnyExcept(TextCharacters) < 0 && value.Length >= (Minimum ?? 0) && value.Length <= (Maximum ?? 1024),
        "flag" => value is "true" or "false",
        "number" => long.TryParse(value, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var number)
                    && number >= (Minimum ?? long.MinValue) && number <= (Maximum ?? long.MaxValue),
        _ => false,
    };

    static readonly SearchValues<char> TextCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:/_-+@ ");
}
