using System.Diagnostics.CodeAnalysis;
using System.Formats.Tar;
using System.Security.Cryptography;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Api.Modules;

/// <summary>What is wrong with a package whose digest was right.</summary>
public enum PackageProblem
{
    None, NotAPackage, UntrustedKey, BadSignature, DamagedArchive, NoManifest, BadManifest, UnsafePath, UnsafeKind, LinkOut, TooManyEntries, TooLarge, NoProgram,
}

/// <summary>
/// Checks and unpacks a module package, for the appliance that takes one in and for the agent that installs it. Only plain files and folders below the two destinations
/// come into being, and below its root links that stay inside: no devices, no set-id bits, nothing absolute and nothing that climbs, and no more entries and octets than <see cref="MaximumEntries"/> and <see cref="MaximumBytes"/>.
/// </summary>
public static class PackageReader
{
    public const int MaximumEntries = 10_000;
    public const long MaximumBytes = 512L << 20;

    const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Verifies that a key with this fingerprint signed the package, and leaves <paramref name="package"/> where its archive begins.</summary>
    public static PackageProblem Verify(Stream package, string trustedFingerprint)
    {
        var start = new byte[PackageHeader.MaximumLength];
        var read = package.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (!PackageHeader.TryRead(start.AsSpan(0, read), out var header, out _)) return PackageProblem.NotAPackage;
        if (AgentSignature.Fingerprint(header.Key) != trustedFingerprint) return PackageProblem.UntrustedKey;
        using var key = AgentSignature.TryImportPublicKey(header.Key);
        if (key is null) return PackageProblem.UntrustedKey;

        package.Position = header.Length;
        var text = ModulePackageWriter.SignedText(SHA256.HashData(package));
        if (!key.VerifyData(text, header.Signature, HashAlgorithmName.SHA256)) return PackageProblem.BadSignature;
        package.Position = header.Length;
        return PackageProblem.None;
    }

    /// <summary>
    /// Unpacks an archive that was verified: what lies below <see cref="ModuleManifest.RootFolder"/> goes into <paramref name="root"/>, the rest into
    /// <paramref name="own"/>. Both must be new: no link stands in the way but those of the archive, and nothing is written through one.
    /// </summary>
    public static PackageVerdict Unpack(Stream archive, string own, string root) => Judge(archive, entry => Place(entry, own, root));

    /// <summary>Whether <see cref="Unpack"/> would take an archive that was verified; writes nothing.</summary>
    public static PackageVerdict Inspect(Stream archive) => Judge(archive, static _ => { });

    static PackageVerdict Judge(Stream archive, Action<TarEntry> take)
    {
        var kinds = new Dictionary<string, TarEntryType>(StringComparer.Ordinal);
        var verdict = Walk(archive, kinds, take);
        return verdict.IsAccepted ? verdict with { Problem = Missing(verdict.Manifest, kinds) } : verdict;
    }

    /// <summary>What the manifest names as files of the package must be in it. An absolute path may also be the node's, or a needed module's.</summary>
    static PackageProblem Missing(ModuleManifest manifest, Dictionary<string, TarEntryType> kinds) =>
        ((string?[])[manifest.Start?[0], manifest.Setup?[0], manifest.Stop?[0], manifest.Health?.Command?[0], manifest.Firewall, .. manifest.Programs ?? []])
            .All(path => path is null || path[0] == '/' || (kinds.TryGetValue(path, out var kind) && kind != TarEntryType.Directory)) ? PackageProblem.None : PackageProblem.NoProgram;

    /// <summary>The manifest, then every other entry within the bounds.</summary>
    static PackageVerdict Walk(Stream archive, Dictionary<string, TarEntryType> kinds, Action<TarEntry> take)
    {
        var verdict = new PackageVerdict(PackageProblem.NoManifest);
        try
        {
            using var tar = new TarReader(archive, leaveOpen: true);
            long bytes = 0;
            for (var entries = 0; tar.GetNextEntry() is { } entry; entries++)
            {
                if (entries == MaximumEntries) return new(PackageProblem.TooManyEntries);
                if (entry.Length > MaximumBytes - bytes) return new(PackageProblem.TooLarge);
                bytes += entry.Length;
                if (entries == 0)
                {
                    verdict = ReadManifest(entry);
                    if (!verdict.IsAccepted) return verdict;
                    continue;
                }
                if (Note(entry, kinds) is var problem and not PackageProblem.None) return new(problem);
                take(entry);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or NotSupportedException)
        {
            return new(PackageProblem.DamagedArchive);
        }
        return verdict;
    }

    /// <summary>Whether an entry may follow those before it: nothing lies below what is no folder, and nothing twice in one place.</summary>
    static PackageProblem Note(TarEntry entry, Dictionary<string, TarEntryType> kinds)
    {
        var name = entry.Name.TrimEnd('/');
        if (!IsSafe(name)) return PackageProblem.UnsafePath;
        var kind = entry.EntryType is TarEntryType.V7RegularFile ? TarEntryType.RegularFile : entry.EntryType;
        var isRoot = name.StartsWith(ModuleManifest.RootFolder + "/", StringComparison.Ordinal);
        if (kind is not (TarEntryType.Directory or TarEntryType.RegularFile or TarEntryType.SymbolicLink) || (kind is TarEntryType.SymbolicLink && !isRoot)) return PackageProblem.UnsafeKind;
        if (isRoot && (ManifestReader.IsReserved(name[ModuleManifest.RootFolder.Length..]) || (kind != TarEntryType.Directory && !ManifestReader.IsPlace(name[ModuleManifest.RootFolder.Length..], strict: false))))
            return PackageProblem.UnsafePath;
        if (kind is TarEntryType.SymbolicLink && !StaysInside(name[(ModuleManifest.RootFolder.Length + 1)..], entry.LinkName)) return PackageProblem.LinkOut;
        for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            if (kinds.TryGetValue(name[..slash], out var parent) && parent != TarEntryType.Directory) return PackageProblem.UnsafePath;
            kinds[name[..slash]] = TarEntryType.Directory;
        }
        if (kinds.TryGetValue(name, out var before) && (kind != TarEntryType.Directory || before != TarEntryType.Directory)) return PackageProblem.UnsafePath;
        kinds[name] = kind;
        return PackageProblem.None;
    }

    /// <summary>Whether a link at this path, relative to the root, never climbs above it.</summary>
    static bool StaysInside(string path, string target)
    {
        if (target.Length is 0 or > 1024 || target[0] == '/' || target.AsSpan().ContainsAny('\0', '\n')) return false;
        var depth = path.AsSpan().Count('/');
        foreach (var part in target.Split('/'))
            if (part == ".." && --depth < 0) return false;
            else if (part is not (".." or "." or "")) depth++;
        return true;
    }

    /// <summary>A relative path of ordinary names.</summary>
    public static bool IsSafe(string path) =>
        path.Length is > 0 and <= 1024 && path[0] != '/' && !path.AsSpan().ContainsAny('\0', '\\', '\n') &&
        path.Split('/').All(part => part is not ("" or "." or "..") && part.Length <= 255);

    static PackageVerdict ReadManifest(TarEntry entry)
    {
        if (entry.Name != ModuleManifest.FileName || entry.DataStream is not { } content || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            return new(PackageProblem.NoManifest);
        if (entry.Length > ModuleManifest.MaximumLength) return new(PackageProblem.TooLarge);
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        return ManifestReader.TryRead(bytes, out var manifest, out var why) ? new(PackageProblem.None, manifest) : new(PackageProblem.BadManifest, Why: why);
    }

    /// <summary>Writes one entry that <see cref="Note"/> has passed.</summary>
    static void Place(TarEntry entry, string own, string root)
    {
        var name = entry.Name.TrimEnd('/');
        var isRoot = name.StartsWith(ModuleManifest.RootFolder + "/", StringComparison.Ordinal);
        var path = name == ModuleManifest.RootFolder ? root : isRoot ? Path.Combine(root, name[(ModuleManifest.RootFolder.Length + 1)..]) : Path.Combine(own, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, Folder);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                Directory.CreateDirectory(path, Folder);
                break;
            case TarEntryType.SymbolicLink:
                File.CreateSymbolicLink(path, entry.LinkName);
                break;
            default:
                using (var file = new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = (entry.Mode & AnyExecute) != 0 ? Folder : Plain,
                }))
                    entry.DataStream?.CopyTo(file);
                break;
        }
    }
}

/// <summary>What an archive is found to be.</summary>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Manifest">What it says of itself, when nothing is wrong with that.</param>
/// <param name="Why">What is wrong with the manifest, when that is it.</param>
public sealed record PackageVerdict(PackageProblem Problem, ModuleManifest? Manifest = null, string Why = "")
{
    [MemberNotNullWhen(true, nameof(Manifest))]
    public bool IsAccepted => Problem == PackageProblem.None && Manifest is not null;

    /// <summary>The end of the sentence "the package is refused: …".</summary>
    public string Said => Problem.Say(Why);
}

public static class PackageProblems
{
    /// <summary>A problem as the end of the sentence "the package is refused: …".</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="why">What is wrong with the manifest, when that is it. It may quote what the package says.</param>
    public static string Say(this PackageProblem problem, string why = "") => problem switch
    {
        PackageProblem.None => "nothing is wrong",
        PackageProblem.NotAPackage => "it is no module package",
        PackageProblem.UntrustedKey => "it is signed by a key that is not trusted",
        PackageProblem.BadSignature => "its signature does not match",
        PackageProblem.DamagedArchive => "its archive is damaged",
        PackageProblem.NoManifest => $"its first entry is not {ModuleManifest.FileName}",
        PackageProblem.BadManifest => why.Length == 0 ? "its manifest is not acceptable" : $"its manifest is not acceptable: {Plain(why)}",
        PackageProblem.UnsafePath => "it holds a path that leads outside or twice to the same place",
        PackageProblem.UnsafeKind => "it holds something other than files and folders",
        PackageProblem.LinkOut => "it holds a link that points outside its root",
        PackageProblem.TooManyEntries => "it holds too many files",
        PackageProblem.TooLarge => "it is too large when unpacked",
        PackageProblem.NoProgram => "a program or file that its manifest names is not in it",
    };

    /// <summary>For a terminal, a log and a line of text.</summary>
    static string Plain(string text)
    {
        const int longest = 300;
        return string.Concat(text.Take(longest).Select(letter => char.IsControl(letter) ? '?' : letter)) + (text.Length > longest ? "…" : "");
    }
}
