using System.Reflection;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Hosting;
using GridAppliance.Store;

namespace GridAppliance.Modules;

/// <summary>
/// Puts the modules that come with the appliance into its catalogue, signed with its own key: folders of data under <c>src/Modules</c>, carried as resources; and packages that were built with
/// what they carry of Debian, and the agent itself (<c>make modules</c>), which lie beside the program. They are trusted as the program is, from whose folder they come.
/// </summary>
/// <param name="built">Folder of the packages.</param>
sealed partial class ShippedModules(ModuleCatalog catalog, ApplianceKey key, string built, TimeProvider time, ILogger<ShippedModules> logger) : BackgroundService
{
    const string Prefix = "modules/";

    /// <summary>Packages are tens of MB to read and to hash; the machines of a site that has just got its power back come first. What an earlier start took in is there from the beginning.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>Beside the program, where <c>make lab</c> and <c>make install</c> put them.</summary>
    public static string Beside => Path.Combine(AppContext.BaseDirectory, "modules");

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var folder in Folders())
        {
            var (manifest, files) = Read(folder);
            using var package = new MemoryStream(ModulePackageWriter.Seal(ModulePackageWriter.Archive(manifest, files), key.PublicKey, text => key.Sign(text)));
            await TakeInAsync(folder, () => catalog.ImportOwnAsync(package, "appliance", cancellationToken));
        }
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!Directory.Exists(built)) return;
        await Task.Delay(Pause, time, stoppingToken);
        foreach (var file in Directory.GetFiles(built, "*.gridmod").Order(StringComparer.Ordinal)) await TakeInAsync(Path.GetFileName(file), () => ImportAsync(file, stoppingToken));
    }

    async Task<ModuleImport> ImportAsync(string file, CancellationToken cancellationToken)
    {
        await using var package = new FileStream(file, FileMode.Open, FileAccess.Read);
        return await catalog.ImportOwnAsync(package, "appliance", cancellationToken);
    }

    async Task TakeInAsync(string name, Func<Task<ModuleImport>> import)
    {
        try
        {
            if (await import() is ModuleImport.Refused refused) LogNotImported(name, refused.Reason);
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            // A full disk does not keep nodes from booting; the next start tries again.
            LogNotImported(name, e.Message);
        }
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

    static bool IsProgram(ModuleManifest manifest, string path) => path == manifest.Start?[0] || path == manifest.Setup?[0] || path == manifest.Stop?[0] || path == manifest.Health?.Command?[0] || manifest.Programs?.Contains(path) is true;

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
