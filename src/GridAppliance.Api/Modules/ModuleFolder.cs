using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Api.Modules;

/// <summary>A module as its author keeps it: a folder with <c>module.json</c> (comments and trailing commas are allowed) and the files beside it.</summary>
public static class ModuleFolder
{
    /// <summary>Where an author puts Debian packages that the module carries; the build unpacks them.</summary>
    public const string DebsFolder = "debs";

    /// <summary>Reads a folder for packing. Links are taken below <see cref="ModuleManifest.RootFolder"/> alone; anywhere else what they point at is not the module's.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static bool TryRead(string folder, [NotNullWhen(true)] out ModuleManifest? manifest, out IReadOnlyList<ModuleFile> files, out string problem)
    {
        (manifest, files, problem) = (null, [], $"there is no {ModuleManifest.FileName} in {folder}");
        var path = Path.Combine(folder, ModuleManifest.FileName);
        if (!File.Exists(path)) return false;
        if (new FileInfo(path).Length > ModuleManifest.MaximumLength || !ManifestReader.TryReadSource(File.ReadAllBytes(path), out var read, out problem))
        {
            problem = $"{ModuleManifest.FileName}: {problem}";
            return false;
        }
        if (!TryFiles(folder, "", out var found, out problem)) return false;
        found.RemoveAll(file => file.Path == ModuleManifest.FileName || file.Path.StartsWith(DebsFolder + "/", StringComparison.Ordinal));
        string[] programs = [.. new[] { read.Start?[0], read.Setup?[0], read.Stop?[0], read.Health?.Command?[0] }.OfType<string>().Where(program => program[0] != '/')];
        foreach (var named in programs.Append(read.Firewall).OfType<string>())
            if (!found.Exists(file => file.Path == named)) problem = $"{ModuleManifest.FileName} names {named}, which is not in the folder";
        if (problem.Length > 0) return false;
        // A program that somebody forgot to mark is meant to run all the same.
        (manifest, files) = (read, [.. found.Select(file => programs.Contains(file.Path) ? file with { Executable = true } : file)]);
        return true;
    }

    /// <summary>Every file below a folder, by its path behind <paramref name="prefix"/>.</summary>
    public static bool TryFiles(string folder, string prefix, out List<ModuleFile> files, out string problem)
    {
        (files, problem) = ([], "");
        long bytes = 0;
        var plain = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, ReturnSpecialDirectories = false };
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", plain).OrderBy(entry => entry.FullName, StringComparer.Ordinal))
        {
            var name = prefix + Path.GetRelativePath(folder, entry.FullName);
            if (!PackageReader.IsSafe(name)) problem = $"{name} is no path that a package takes";
            else if (entry.LinkTarget is { } target && name.StartsWith(ModuleManifest.RootFolder + "/", StringComparison.Ordinal)) files.Add(new(name, default, LinkTarget: Relative(name, target)));
            else if (entry.LinkTarget is { } outside) problem = $"{name} is a link (to {outside}): only below {ModuleManifest.RootFolder}/ does a package hold links";
            else if (entry is not FileInfo file) continue;
            else if (files.Count + 1 >= PackageReader.MaximumEntries || (bytes += file.Length) > PackageReader.MaximumBytes) problem = "it holds more than a package takes";
            else files.Add(new(name, File.ReadAllBytes(file.FullName), Executable: (file.UnixFileMode & UnixFileMode.UserExecute) != 0));
            if (problem.Length > 0) return false;
        }
        return true;
    }

    /// <summary>An absolute target means the module's own root, and is said without leaving it.</summary>
    static string Relative(string name, string target) =>
        target[0] != '/' ? target : string.Concat(Enumerable.Repeat("../", name.Count(c => c == '/') - 1)) + target.TrimStart('/');
}
