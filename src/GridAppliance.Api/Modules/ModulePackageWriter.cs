using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.Api.Modules;

/// <summary>A file of a module package. Paths use <c>/</c> and are relative to the package's root.</summary>
public sealed record ModuleFile(string Path, ReadOnlyMemory<byte> Content, bool Executable = false);

/// <summary>Writes module packages (<see cref="PackageHeader"/>): the same manifest, files and key give the same archive; only the signature is drawn anew each time.</summary>
public static class ModulePackageWriter
{
    const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    const UnixFileMode Program = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static byte[] Write(ModuleManifest manifest, IEnumerable<ModuleFile> files, ECDsa key)
    {
        var archive = Archive(manifest, files);
        var signature = key.SignData(SignedText(SHA256.HashData(archive)), HashAlgorithmName.SHA256);
        var header = new byte[PackageHeader.MaximumLength];
        var length = PackageHeader.Write(header, key.ExportSubjectPublicKeyInfo(), signature);
        return [.. header.AsSpan(0, length), .. archive];
    }

    /// <summary>What a package's key signs.</summary>
    public static byte[] SignedText(ReadOnlySpan<byte> archiveSha256) =>
        Encoding.ASCII.GetBytes($"{PackageHeader.SignedTextPrefix}{Convert.ToHexStringLower(archiveSha256)}\n");

    static byte[] Archive(ModuleManifest manifest, IEnumerable<ModuleFile> files)
    {
        var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            Add(tar, new ModuleFile(ModuleManifest.FileName, JsonSerializer.SerializeToUtf8Bytes(manifest, ApiJson.Default.ModuleManifest)));
            foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal)) Add(tar, file);
        }
        return buffer.ToArray();
    }

    // Owner, group and time are left at zero: they would make equal packages differ.
    static void Add(TarWriter tar, ModuleFile file) => tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, file.Path)
    {
        DataStream = new MemoryStream(file.Content.ToArray(), writable: false),
        Mode = file.Executable ? Program : Plain,
        ModificationTime = DateTimeOffset.UnixEpoch,
    });
}
