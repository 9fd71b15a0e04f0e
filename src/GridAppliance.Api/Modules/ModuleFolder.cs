using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace GridAppliance.Api.Modules;

/// <summary>A module as its author keeps it: a folder with <c>module.json</c> (comments and trailing commas are allowed) and the files beside it.</summary>
public static class ModuleFolder
{
    static readonly JsonDocumentOptions forPeople = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 16 };

    /// <summary>Reads a folder for packing. Links are refused: what they point at is not the module's, and no node would take them.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static bool TryRead(string folder, [NotNullWhen(true)] out ModuleManifest? manifest, out IReadOnlyList<ModuleFile> files, out string problem)
    {
        (manifest, files, problem) = (null, [], $"there is no {ModuleManifest.FileName} in {folder}");
        var path = Path.Combine(folder, ModuleManifest.FileName);
        if (!File.Exists(path)) return false;
        if (!TryManifest(path, out var read, out problem))
        {
            problem = $"{ModuleManifest.FileName}: {problem}";
            return false;
        }
        var found = new List<ModuleFile>();
        long bytes = 0;
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).OrderBy(entry => entry.FullName, StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(folder, entry.FullName);
            if (entry.LinkTarget is { } target) problem = $"{name} is a link (to {target}): a package holds plain files only";
            else if (entry is not FileInfo file || name == ModuleManifest.FileName) continue;
            else if (!PackageReader.IsSafe(name)) problem = $"{name} is no path that a package takes";
            else if (found.Count + 1 >= PackageReader.MaximumEntries || (bytes += file.Length) > PackageReader.MaximumBytes) problem = "it holds more than a package takes";
            else found.Add(new(name, File.ReadAllBytes(file.FullName), Executable: (file.UnixFileMode & UnixFileMode.UserExecute) != 0));
            if (problem.Length > 0) return false;
        }
        problem = found.Exists(file => file.Path == read.Start[0]) ? "" : $"{ModuleManifest.FileName} names {read.Start[0]}, which is not in the folder";
        if (problem.Length > 0) return false;
        // A program that somebody forgot to mark is meant to run all the same.
        (manifest, files) = (read, [.. found.Select(file => file.Path == read.Start[0] ? file with { Executable = true } : file)]);
        return true;
    }

    static bool TryManifest(string path, [NotNullWhen(true)] out ModuleManifest? manifest, out string problem)
    {
        (manifest, problem) = (null, $"it is longer than {ModuleManifest.MaximumLength} octets");
        if (new FileInfo(path).Length > ModuleManifest.MaximumLength) return false;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), forPeople);
            manifest = document.Deserialize(ApiJson.Default.ModuleManifest);
            problem = manifest is null ? "it is empty" : manifest.Start is not [{ Length: > 0 }, ..] ? "start names no program" : "";
            return problem.Length == 0 && manifest is not null;
        }
        catch (JsonException e)
        {
            problem = $"line {(e.LineNumber ?? 0) + 1}: {e.Message.Split('.', '\n')[0]}";
            return false;
        }
    }
}
