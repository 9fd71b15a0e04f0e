using System.Text.Json;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// Records of installed modules: <c>NAME.json</c>, and <c>NAME.leaving</c> once a removal has begun. Both steps are one rename each, so that the end of the agent at any moment leaves a
/// module wholly installed or wholly on its way out; and a rename needs no room, so that a full disk keeps no module from being removed.
/// </summary>
sealed class ModuleStore(AgentPaths paths)
{
    const string Installed = ".json", Leaving = ".leaving", Staging = ".staging-";

    /// <summary>Installed modules, by name; a file that cannot be read as a record counts as absent.</summary>
    public IReadOnlyList<ModuleRecord> Records() => Read(Installed);

    /// <summary>Removals that have begun and not ended.</summary>
    public IReadOnlyList<ModuleRecord> LeavingRecords() => Read(Leaving);

    public ModuleRecord? Find(string name) => ModuleManifest.IsName(name) ? Read(paths.Modules, name + Installed) : null;

    /// <summary>Whether a module is there for somebody else than those who hold resources.</summary>
    public bool IsNeededOutside(string name) => Find(name)?.Owners.Any(owner => owner != ModuleOrder.Holdings) is true;

    /// <summary>An empty folder to unpack into.</summary>
    public string Stage(string digest)
    {
        Unstage(digest);
        return Directory.CreateDirectory(Path.Combine(paths.Modules, Staging + digest)).FullName;
    }

    public void Unstage(string digest) => DeleteFolder(Path.Combine(paths.Modules, Staging + digest));

    public void Write(ModuleRecord record) => DurableFile.Write(FileOf(record, Installed), JsonSerializer.SerializeToUtf8Bytes(record, WrittenJson.Default.ModuleRecord));

    /// <summary>Marks the beginning of a removal.</summary>
    public void Leave(ModuleRecord record)
    {
        if (File.Exists(FileOf(record, Installed))) File.Move(FileOf(record, Installed), FileOf(record, Leaving), overwrite: true);
    }

    /// <summary>The end of a removal.</summary>
    public void Forget(ModuleRecord record)
    {
        DurableFile.Delete(LogFile(record.Name));
        DurableFile.Delete(FileOf(record, Leaving));
        Tidy();
    }

    /// <summary>Leaves no folder behind when no module is left, and none for packages after an order.</summary>
    public void Tidy()
    {
        DeleteIfEmpty(paths.Incoming);
        if (Records().Count > 0 || LeavingRecords().Count > 0) return;
        foreach (var folder in (string[])[paths.Modules, paths.ModuleLogs, paths.Processes]) DeleteIfEmpty(folder);
    }

    public string LogFile(string name) => Path.Combine(paths.ModuleLogs, name + ".log");

    /// <summary>Throws away what interrupted orders left here.</summary>
    public void Recover()
    {
        DeleteFolder(paths.Incoming);
        if (Directory.Exists(paths.Modules))
        {
            foreach (var half in Directory.GetFiles(paths.Modules, "*.new")) File.Delete(half);
            foreach (var folder in Directory.GetDirectories(paths.Modules)) DeleteFolder(folder);
        }
        if (Directory.Exists(paths.ModuleLogs))
            foreach (var log in Directory.GetFiles(paths.ModuleLogs, "*.log"))
                if (Find(Path.GetFileNameWithoutExtension(log)) is null && Read(paths.Modules, Path.GetFileNameWithoutExtension(log) + Leaving) is null) File.Delete(log);
        Tidy();
    }

    string FileOf(ModuleRecord record, string suffix) => Path.Combine(paths.Modules, record.Name + suffix);

    IReadOnlyList<ModuleRecord> Read(string suffix) =>
        !Directory.Exists(paths.Modules) ? [] :
        [.. Directory.GetFiles(paths.Modules, "*" + suffix).Order(StringComparer.Ordinal).Select(file => Read(paths.Modules, Path.GetFileName(file))).OfType<ModuleRecord>()];

    static ModuleRecord? Read(string folder, string file)
    {
        try
        {
            var record = DurableFile.Read(Path.Combine(folder, file)) is { } content ? JsonSerializer.Deserialize(content, ReadJson.Default.ModuleRecord) : null;
            return record is { Digest.Length: 64 } && ModuleManifest.IsName(record.Name) && ModuleManifest.IsVersion(record.Version) ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static void DeleteIfEmpty(string path)
    {
        if (Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any()) Directory.Delete(path);
    }

    static void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }
}
