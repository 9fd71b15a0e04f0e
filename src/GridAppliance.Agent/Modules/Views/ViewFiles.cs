using System.Globalization;
using System.Text;
using System.ComponentModel;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules.Views;

/// <summary>Puts into a module's view what its package and manifest bring. Nothing runs there yet, so nobody moves a link under the agent's hands.</summary>
/// <param name="view">Where it is mounted.</param>
/// <param name="reached">Told at every point at which the agent might end. For tests.</param>
sealed class ViewFiles(string view, Action<string>? reached)
{
    /// <param name="own">The package's own files, unpacked.</param>
    /// <param name="root">Its files for the root, unpacked.</param>
    /// <param name="manifest">What it says.</param>
    /// <exception cref="IOException">A clash with what the node has, or no room.</exception>
    public void Lay(string own, string root, ModuleManifest manifest)
    {
        Move(own, ModuleManifest.FolderOf(manifest.Name));
        if (Directory.Exists(root)) Move(root, "");
        foreach (var user in manifest.Users ?? [])
        {
            AddLine("/etc/passwd", user.Name, $"{user.Name}:x:{user.Id}:{user.Id}::/:/bin/false");
            AddLine("/etc/group", user.Name, $"{user.Name}:x:{user.Id}:");
        }
        foreach (var host in manifest.Hosts ?? []) AddLine("/etc/hosts", null, $"{host.Address}\t{string.Join(' ', host.Names)}");
        foreach (var file in manifest.Files ?? []) Dress(file);
    }

    void Move(string from, string to)
    {
        var target = to.Length == 0 ? view : ViewPath.ResolveWhole(view, to);
        Directory.CreateDirectory(target);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var path = $"{to}/{entry.Name}";
            if (entry.LinkTarget is null && entry is DirectoryInfo)
            {
                Move(entry.FullName, path);
                continue;
            }
            var place = ViewPath.Resolve(view, path);
            if (Directory.Exists(place) && new FileInfo(place).LinkTarget is null) throw new IOException($"{path} is a folder on this node, and a file of the module");
            File.Delete(place);
            if (entry.LinkTarget is { } link) File.CreateSymbolicLink(place, link);
            else File.Copy(entry.FullName, place);
            reached?.Invoke($"{path} laid");
        }
    }

    /// <summary>Adds a line of the module's own. One that says the same of the same name is enough; one that says otherwise is a clash.</summary>
    void AddLine(string path, string? key, string line)
    {
        var place = ViewPath.ResolveWhole(view, path);
        var text = File.Exists(place) ? File.ReadAllText(place, Encoding.Latin1) : "";
        var lines = text.Split('\n');
        if (lines.Contains(line, StringComparer.Ordinal)) return;
        if (key is not null && lines.FirstOrDefault(there => there.StartsWith(key + ":", StringComparison.Ordinal)) is { } other)
        {
            if (other.Split(':')[2] == line.Split(':')[2]) return;
            throw new IOException($"{path} has {key} already, with another number ({other.Split(':')[2]})");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        File.WriteAllText(place, (text.Length == 0 || text.EndsWith('\n') ? text : text + "\n") + line + "\n", Encoding.Latin1);
        reached?.Invoke($"{path} written");
    }

    void Dress(ModuleFileRule file)
    {
        var place = ViewPath.Resolve(view, file.Path);
        if (!Path.Exists(place)) Directory.CreateDirectory(place);
        Check(Libc.ChangeOwner(place, (uint)file.Owner, (uint)file.Group), file.Path);
        if (file.Mode is { } text && ManifestReader.TryMode(text, out var mode) && new FileInfo(place).LinkTarget is null) Check(Libc.ChangeMode(place, (uint)mode), file.Path);
        reached?.Invoke($"{file.Path} dressed");
    }

    static void Check(int result, string path)
    {
        if (result != 0) throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{path} cannot be given its owner and mode: {new Win32Exception().Message}"));
    }
}
