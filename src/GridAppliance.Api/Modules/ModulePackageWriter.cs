using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Api.Modules;

/// <summary>A file of a module package. Paths use <c>/</c> and are relative to the package's root.</summary>
/// <param name="Path">Where.</param>
/// <param name="Content">A file's octets; none for a link.</param>
/// <param name="Executable">Whether it is a program.</param>
/// <param name="LinkTarget">What it points at, when it is a symbolic link; only below <see cref="ModuleManifest.RootFolder"/>.</param>
public sealed record ModuleFile(string Path, ReadOnlyMemory<byte> Content, bool Executable = false, string? LinkTarget = null);

/// <summary>Writes module packages (<see cref="PackageHeader"/>): the same manifest, files and key give the same archive; only the signature is drawn anew each time.</summary>
public static class ModulePackageWriter
{
    const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static byte[] Write(ModuleManifest manifest, IEnumerable<ModuleFile> files, ECDsa key) =>
        Seal(Archive(manifest, files), key.ExportSubjectPublicKeyInfo(), text => key.SignData(text, HashAlgorithmName.SHA256));

    /// <summary>A package of an archive that exists already: signed by whoever holds <paramref name="publicKey"/>'s other half, which never leaves him.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> archive, ReadOnlySpan<byte> publicKey, Func<byte[], byte[]> sign) => [.. Header(SHA256.HashData(archive), publicKey, sign), .. archive];

    /// <summary>What makes a package of an archive with this digest when it is put before it.</summary>
    public static byte[] Header(ReadOnlySpan<byte> archiveSha256, ReadOnlySpan<byte> publicKey, Func<byte[], byte[]> sign)
    {
        var header = new byte[PackageHeader.MaximumLength];
        return header[..PackageHeader.Write(header, publicKey, sign(SignedText(archiveSha256)))];
    }

    /// <summary>What a package's key signs.</summary>
    public static byte[] SignedText(ReadOnlySpan<byte> archiveSha256) =>
        Encoding.ASCII.GetBytes($"{PackageHeader.SignedTextPrefix}{Convert.ToHexStringLower(archiveSha256)}\n");

    /// <summary>The tar part of a package: the manifest first, then the files by their paths.</summary>
    public static byte[] Archive(ModuleManifest manifest, IEnumerable<ModuleFile> files)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            Add(tar, new ModuleFile(ModuleManifest.FileName, JsonSerializer.SerializeToUtf8Bytes(manifest, ApiJson.Default.ModuleManifest)));
            foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal)) Add(tar, file);
        }
        return buffer.ToArray();
    }

    // Owner, group and time are left at zero: they would make equal packages differ. Debian's paths grow longer than the oldest header holds.
    static void Add(TarWriter tar, ModuleFile file)
    {
        TarEntry entry = Fits(file.Path) && (file.LinkTarget?.Length ?? 0) < 100
            ? new UstarTarEntry(file.LinkTarget is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, file.Path)
            : new GnuTarEntry(file.LinkTarget is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, file.Path);
        if (file.LinkTarget is { } target) entry.LinkName = target;
        else entry.DataStream = new MemoryStream(file.Content.ToArray(), writable: false);
        entry.Mode = file.Executable ? Program : Plain;
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        tar.WriteEntry(entry);
    }

    /// <summary>Whether the oldest form of header holds this path: 100 octets, or a name of 100 below a folder of 155.</summary>
    static bool Fits(string path) => Encoding.UTF8.GetByteCount(path) <= 100;
}
