using System.Text.Json;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>
/// Modules on disk: <c>NAME/VERSION/</c> holds the files, <c>NAME.json</c> the record. The record is written last and taken away first but one, so that the end of the agent
/// at any moment leaves a module wholly installed or (after <see cref="Recover"/>) wholly absent.
/// </summary>
sealed class ModuleStore(AgentPaths paths)
{
    const string RecordSuffix = ".json";
    const string StagingPrefix = ".staging-";

    /// <summary>Records, by name; a file that cannot be read as one counts as absent.</summary>
    public IReadOnlyList<ModuleRecord> Records() =>
        !Directory.Exists(paths.Modules) ? [] :
        [.. Directory.GetFiles(paths.Modules, "*" + RecordSuffix).Order(StringComparer.Ordinal).Select(ReadRecord).OfType<ModuleRecord>()];

    public ModuleRecord? Find(string name) => ModuleManifest.IsName(name) ? ReadRecord(RecordFile(name)) : null;

    public string FolderOf(ModuleRecord record) => Path.Combine(paths.Modules, record.Name, record.Version);

    /// <summary>An empty folder to unpack into, on the same file system as the modules.</summary>
    public string Stage(string digest)
    {
        var staging = Path.Combine(paths.Modules, StagingPrefix + digest);
        DeleteFolder(staging);
        Directory.CreateDirectory(staging);
        return staging;
    }

    public void Unstage(string digest) => DeleteFolder(Path.Combine(paths.Modules, StagingPrefix + digest));

    /// <summary>Puts what was staged in its place and makes it the installed version. The files of a previous version stay until <see cref="DropOtherVersions"/>.</summary>
    public void Commit(string staging, ModuleRecord record)
    {
        var folder = FolderOf(record);
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        DeleteFolder(folder);
        Directory.Move(staging, folder);
        Write(record);
    }

    public void Write(ModuleRecord record) => DurableFile.Write(RecordFile(record.Name), JsonSerializer.SerializeToUtf8Bytes(record, WrittenJson.Default.ModuleRecord));

    public void DropOtherVersions(ModuleRecord record)
    {
        foreach (var folder in Directory.GetDirectories(Path.Combine(paths.Modules, record.Name)))
            if (Path.GetFileName(folder) != record.Version) DeleteFolder(folder);
    }

    /// <summary>Takes the files, the log and at last the record away. May be called again after an interruption.</summary>
    public void Remove(ModuleRecord record)
    {
        Write(record with { Removing = true });
        DeleteFolder(Path.Combine(paths.Modules, record.Name));
        DurableFile.Delete(LogFile(record.Name));
        DurableFile.Delete(RecordFile(record.Name));
    }

    public string LogFile(string name) => Path.Combine(paths.ModuleLogs, name + ".log");

    /// <summary>Throws away what interrupted orders left, and returns the removals that have yet to be finished.</summary>
    public IReadOnlyList<ModuleRecord> Recover()
    {
        DeleteFolder(paths.Incoming);
        if (!Directory.Exists(paths.Modules)) return [];
        foreach (var half in Directory.GetFiles(paths.Modules, "*.new")) File.Delete(half);
        var records = Records();
        foreach (var folder in Directory.GetDirectories(paths.Modules))
            if (records.FirstOrDefault(r => r.Name == Path.GetFileName(folder)) is { } record) DropOtherVersions(record);
            else DeleteFolder(folder);
        return [.. records.Where(r => r.Removing)];
    }

    string RecordFile(string name) => Path.Combine(paths.Modules, name + RecordSuffix);

    static ModuleRecord? ReadRecord(string path)
    {
        try
        {
            var record = DurableFile.Read(path) is { } content ? JsonSerializer.Deserialize(content, ReadJson.Default.ModuleRecord) : null;
            return record is not null && ModuleManifest.IsName(record.Name) && ModuleManifest.IsVersion(record.Version) && record.Start.Count > 0 ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }
}
