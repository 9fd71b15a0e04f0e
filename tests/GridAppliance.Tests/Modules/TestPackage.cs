using System.Formats.Tar;
using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Hosting;

namespace GridAppliance.Tests.Modules;

/// <summary>Packages, good and bad.</summary>
static class TestPackage
{
    public static ApplianceOptions Options(string directory) => new() { Name = "test", DataDir = directory, BootFiles = directory, ManagementListen = [], Networks = [] };

    public static ModuleManifest Manifest(string name, string version = "1.0", string? moduleClass = null) => new() { Name = name, Version = version, Class = moduleClass ?? name, Start = ["run"] };

    public static byte[] Archive(ModuleManifest manifest) => ModulePackageWriter.Archive(manifest, [new("run", "#!/bin/sh\n"u8.ToArray(), Executable: true), new("data/file", new byte[1000])]);

    public static byte[] Signed(ApplianceKey key, ModuleManifest manifest) => Signed(key, Archive(manifest));

    public static byte[] Signed(ApplianceKey key, byte[] archive) => ModulePackageWriter.Seal(archive, key.PublicKey, text => key.Sign(text));

    public static byte[] Signed(ECDsa key, byte[] archive) => ModulePackageWriter.Seal(archive, key.ExportSubjectPublicKeyInfo(), text => key.SignData(text, HashAlgorithmName.SHA256));

    /// <summary>An archive with a good manifest and program, and then whatever entries a test adds.</summary>
    public static byte[] ArchiveWith(params TarEntry[] entries)
    {
        var buffer = new MemoryStream();
        using (var reader = new TarReader(new MemoryStream(Archive(Manifest("bad")))))
        using (var writer = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            while (reader.GetNextEntry(copyData: true) is { } entry) writer.WriteEntry(entry);
            foreach (var entry in entries) writer.WriteEntry(entry);
        }
        return buffer.ToArray();
    }

    public static TarEntry File(string path, int size = 10) => new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(new byte[size]) };

    public static TarEntry Link(TarEntryType kind, string path, string target) => new PaxTarEntry(kind, path) { LinkName = target };
}
