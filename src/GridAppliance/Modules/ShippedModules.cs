using System.Reflection;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Packages;
using GridAppliance.Store;

namespace GridAppliance.Modules;

/// <summary>
/// Puts the modules that come with the appliance into its catalogue, signed with its own key: folders of data under <c>src/Modules</c>, carried as resources, and beside the program, in its folder
/// <c>modules</c>, packages that were built with what they carry of Debian (<c>make modules</c>). They are trusted as the program is, from whose folder they come.
/// </summary>
sealed partial class ShippedModules(ModuleCatalog catalog, ApplianceKey key, ILogger<ShippedModules> logger) : IHostedService
{
    const string Prefix = "modules/";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var built = Path.Combine(AppContext.BaseDirectory, "modules");
        foreach (var folder in Folders().Concat(Directory.Exists(built) ? Directory.GetFiles(built, "*.gridmod").Order(StringComparer.Ordinal) : []))
        {
            try
            {
                if (ArchiveOf(folder) is not { } archive)
                {
                    LogNotImported(folder, "it is no module package");
                    continue;
                }
                if (await catalog.ImportAsync(ModulePackageWriter.Seal(archive, key.PublicKey, text => key.Sign(text)), "appliance", cancellationToken) is ModuleImport.Refused refused)
                    LogNotImported(folder, refused.Reason);
            }
            catch (Exception e) when (e is StoreException or IOException)
            {
                // A full disk does not keep nodes from booting; the next start tries again.
                LogNotImported(folder, e.Message);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    static byte[]? ArchiveOf(string folderOrFile)
    {
        if (!Path.IsPathRooted(folderOrFile)) return Read(folderOrFile) is var (manifest, files) ? ModulePackageWriter.Archive(manifest, files) : null;
        var package = File.ReadAllBytes(folderOrFile);
        if (!PackageHeader.TryRead(package.AsSpan(0, Math.Min(package.Length, PackageHeader.MaximumLength)), out var header, out _)) return null;
        // Whose signature it is does not matter here; that it is whole does.
        return PackageReader.Verify(new MemoryStream(package), AgentSignature.Fingerprint(header.Key)) == PackageProblem.None ? package[header.Length..] : null;
    }

    /// <summary>Names of the modules that are carried as they are: those that carry nothing of Debian.</summary>
    public static IEnumerable<string> Folders() => Names().Select(name => name[Prefix.Length..].Split('/')[0]).Distinct(StringComparer.Ordinal)
        .Where(folder => !Names().Contains($"{Prefix}{folder}/{ModuleFolder.DebsFolder}/packages")).Order(StringComparer.Ordinal);

    /// <summary>One of them: its manifest and its files; the program that it starts is executable.</summary>
    public static (ModuleManifest Manifest, IReadOnlyList<ModuleFile> Files) Read(string folder)
    {
        var prefix = $"{Prefix}{folder}/";
        var manifest = JsonSerializer.Deserialize(Content(prefix + ModuleManifest.FileName), ApiJson.Default.ModuleManifest)!;
        var files = Names().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]).Where(path => path != ModuleManifest.FileName)
            .Select(path => new ModuleFile(path, Content(prefix + path), Executable: IsProgram(manifest, path)));
        return (manifest, [.. files]);
    }

    static bool IsProgram(ModuleManifest manifest, string path) => path == manifest.Start?[0] || path == manifest.Setup?[0] || path == manifest.Stop?[0] || path == manifest.Health?.Command?[0];

    static IEnumerable<string> Names() => Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal));

    static byte[] Content(string name)
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"no resource {name}");
        var content = new MemoryStream();
        resource.CopyTo(content);
        return content.ToArray();
    }

    [LoggerMessage(LogLevel.Warning, "the shipped module {Module} is not in the catalogue: {Reason}")]
    partial void LogNotImported(string module, string reason);
}
