using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Api.Modules;

/// <summary>What is wrong with a package whose digest was right.</summary>
public enum PackageProblem
{
    None, NotAPackage, UntrustedKey, BadSignature, DamagedArchive, NoManifest, BadManifest, UnsafePath, UnsafeKind, TooManyEntries, TooLarge, NoProgram,
}

/// <summary>
/// Checks and unpacks a module package, for the appliance that takes one in and for the agent that installs it. Only plain files and folders below the destination come into being: no links, no devices, no set-id bits, nothing absolute and
/// nothing that climbs, and no more entries and octets than <see cref="MaximumEntries"/> and <see cref="MaximumBytes"/>.
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

    /// <summary>Unpacks an archive that was verified into an empty folder.</summary>
    public static PackageProblem Unpack(Stream archive, string destination, out ModuleManifest? manifest)
    {
        var problem = Walk(archive, entry => Place(entry, destination), out manifest);
        if (problem != PackageProblem.None) return problem;
        return TryProgram(destination, manifest!.Start[0], out _) ? PackageProblem.None : PackageProblem.NoProgram;
    }

    /// <summary>Whether <see cref="Unpack"/> would take an archive that was verified; writes nothing.</summary>
    public static PackageProblem Inspect(Stream archive, out ModuleManifest? manifest)
    {
        var kinds = new Dictionary<string, bool>(StringComparer.Ordinal);
        var problem = Walk(archive, entry => Note(entry, kinds), out manifest);
        if (problem != PackageProblem.None) return problem;
        return kinds.TryGetValue(manifest!.Start[0], out var isFile) && isFile ? PackageProblem.None : PackageProblem.NoProgram;
    }

    /// <summary>The manifest, then every other entry within the bounds.</summary>
    static PackageProblem Walk(Stream archive, Func<TarEntry, PackageProblem> take, out ModuleManifest? manifest)
    {
        manifest = null;
        try
        {
            using var tar = new TarReader(archive, leaveOpen: true);
            long bytes = 0;
            for (var entries = 0; tar.GetNextEntry() is { } entry; entries++)
            {
                if (entries == MaximumEntries) return PackageProblem.TooManyEntries;
                if (entry.Length > MaximumBytes - bytes) return PackageProblem.TooLarge;
                bytes += entry.Length;
                var problem = entries == 0 ? ReadManifest(entry, out manifest) : take(entry);
                if (problem != PackageProblem.None) return problem;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or NotSupportedException)
        {
            return PackageProblem.DamagedArchive;
        }
        return manifest is null ? PackageProblem.NoManifest : PackageProblem.None;
    }

    /// <summary>The paths so far, and which of them are files: the same answers as <see cref="Place"/> gets from the file system.</summary>
    static PackageProblem Note(TarEntry entry, Dictionary<string, bool> kinds)
    {
        var name = entry.Name.TrimEnd('/');
        if (!IsSafe(name)) return PackageProblem.UnsafePath;
        if (entry.EntryType is not (TarEntryType.Directory or TarEntryType.RegularFile or TarEntryType.V7RegularFile)) return PackageProblem.UnsafeKind;
        var isFile = entry.EntryType is not TarEntryType.Directory;
        for (var slash = name.IndexOf('/'); slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            if (kinds.TryGetValue(name[..slash], out var parentIsFile) && parentIsFile) return PackageProblem.UnsafePath;
            kinds[name[..slash]] = false;
        }
        if (kinds.TryGetValue(name, out var before) && (isFile || before)) return PackageProblem.UnsafePath;
        kinds[name] = isFile;
        return PackageProblem.None;
    }

    /// <summary>The path of a module's program, if it is one of the module's own files.</summary>
    public static bool TryProgram(string folder, string relative, out string path)
    {
        path = "";
        if (!IsSafe(relative)) return false;
        path = Path.Combine(folder, relative);
        return File.Exists(path);
    }

    /// <summary>A relative path of ordinary names.</summary>
    public static bool IsSafe(string path) =>
        path.Length is > 0 and <= 1024 && path[0] != '/' && !path.AsSpan().ContainsAny('\0', '\\', '\n') &&
        path.Split('/').All(part => part is not ("" or "." or "..") && part.Length <= 255);

    static PackageProblem ReadManifest(TarEntry entry, out ModuleManifest? manifest)
    {
        manifest = null;
        if (entry.Name != ModuleManifest.FileName || entry.DataStream is not { } content || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            return PackageProblem.NoManifest;
        if (entry.Length > ModuleManifest.MaximumLength) return PackageProblem.TooLarge;
        try
        {
            var read = JsonSerializer.Deserialize(content, ApiJson.Default.ModuleManifest);
            if (read is not { Start: [_, ..] } || !ModuleManifest.IsName(read.Name) || !ModuleManifest.IsName(read.Class) || !ModuleManifest.IsVersion(read.Version)
                || read.Start.Any(argument => argument is null || argument.Contains('\0')))
                return PackageProblem.BadManifest;
            manifest = read;
            return PackageProblem.None;
        }
        catch (JsonException)
        {
            return PackageProblem.BadManifest;
        }
    }

    static PackageProblem Place(TarEntry entry, string destination)
    {
        var name = entry.Name.TrimEnd('/');
        if (!IsSafe(name)) return PackageProblem.UnsafePath;
        var path = Path.Combine(destination, name);
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                if (File.Exists(path)) return PackageProblem.UnsafePath;
                Directory.CreateDirectory(path, Folder);
                return PackageProblem.None;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                if (Path.Exists(path)) return PackageProblem.UnsafePath;
                Directory.CreateDirectory(Path.GetDirectoryName(path)!, Folder);
                using (var file = new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = (entry.Mode & AnyExecute) != 0 ? Folder : Plain,
                }))
                    entry.DataStream?.CopyTo(file);
                return PackageProblem.None;
            default:
                return PackageProblem.UnsafeKind;
        }
    }
}

public static class PackageProblems
{
    /// <summary>A problem as the end of the sentence "the package is refused: …".</summary>
    public static string Say(this PackageProblem problem) => problem switch
    {
        PackageProblem.None => "nothing is wrong",
        PackageProblem.NotAPackage => "it is no module package",
        PackageProblem.UntrustedKey => "it is signed by a key that is not trusted",
        PackageProblem.BadSignature => "its signature does not match",
        PackageProblem.DamagedArchive => "its archive is damaged",
        PackageProblem.NoManifest => $"its first entry is not {ModuleManifest.FileName}",
        PackageProblem.BadManifest => "its manifest is not acceptable",
        PackageProblem.UnsafePath => "it holds a path that leads outside or twice to the same place",
        PackageProblem.UnsafeKind => "it holds something other than files and folders",
        PackageProblem.TooManyEntries => "it holds too many files",
        PackageProblem.TooLarge => "it is too large when unpacked",
        PackageProblem.NoProgram => "the program that it says to start is not in it",
    };
}
