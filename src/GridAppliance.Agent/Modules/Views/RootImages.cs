using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Modules.Views;

/// <summary>
/// Root images (squashfs) that modules stand on in place of the node's own root: <c>roots/DIGEST.squashfs</c>, and where it is mounted, <c>roots/DIGEST</c>. An image is there as long as a module is that was
/// installed on it. A file has its name from the moment it is known to have that digest.
/// </summary>
sealed class RootImages(AgentPaths paths, ApplianceCalls calls)
{
    const string Suffix = ".squashfs", Coming = ".coming";
    const long MiB = 1 << 20, Largest = 4096 * MiB, Margin = 64 * MiB;
    static readonly TimeSpan MountLimit = TimeSpan.FromSeconds(30);

    public string PlaceOf(string digest) => Path.Combine(paths.Roots, digest);

    string FileOf(string digest) => PlaceOf(digest) + Suffix;

    /// <summary>A host's name is one plain word, and the digest becomes a part of a path.</summary>
    public static bool IsAcceptable(ModuleRootOrder order) => order.Digest.Length == 64 && order.Digest.All(char.IsAsciiHexDigitLower) && order.SizeBytes is > 0 and <= Largest
        && order.HostName.Length is > 0 and <= 63 && order.HostName[0] != '-' && order.HostName.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <returns>Why the image is not there; null once it is, and is what was ordered.</returns>
    public async Task<string?> FetchAsync(ModuleRootOrder order, CancellationToken cancellationToken)
    {
        if (File.Exists(FileOf(order.Digest))) return null;
        Directory.CreateDirectory(paths.Roots, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (new DriveInfo(paths.Roots).AvailableFreeSpace is var free && free < order.SizeBytes + Margin) return $"needs {(order.SizeBytes + Margin) / MiB} MiB in {paths.Roots}, and {free / MiB} MiB are free";
        var coming = PlaceOf(order.Digest) + Coming;
        try
        {
            await using (var file = new FileStream(coming, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                var answer = await calls.DownloadImageAsync(order.Digest, order.SizeBytes, file, cancellationToken);
                if (!answer.Succeeded) return $"could not be fetched: {answer.Problem}";
                file.Flush(flushToDisk: true);
            }
            File.Move(coming, FileOf(order.Digest), overwrite: true);
            return null;
        }
        finally
        {
            DurableFile.Delete(coming);
        }
    }

    /// <summary>By the system's own mount, which knows of loop devices; the kernel lets go of the device with the mount.</summary>
    /// <exception cref="IOException">It is not there, or the kernel refuses it.</exception>
    public void Mount(string digest)
    {
        var place = Directory.CreateDirectory(PlaceOf(digest)).FullName;
        if (!MountTable.IsMounted(place) && NodeTool.Run(MountLimit, out var said, "mount", "-t", "squashfs", "-o", "loop,ro", FileOf(digest), place) != 0) throw new IOException($"the root image cannot be mounted: {said}");
    }

    /// <summary>
    /// Takes down and deletes the images that no module is installed on. Not those that the kernel lets go of: an overlay goes on without the mount below it, and what its module has changed could not be told any more.
    /// </summary>
    public void Keep(IEnumerable<ModuleRecord> installed)
    {
        if (!Directory.Exists(paths.Roots)) return;
        var wanted = installed.Select(record => record.Root?.Digest).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var place in MountTable.Below(paths.Roots).Where(place => !wanted.Contains(Path.GetFileName(place)))) MountTable.Unmount(place);
        foreach (var file in Directory.GetFiles(paths.Roots).Where(file => !wanted.Contains(Path.GetFileNameWithoutExtension(file)))) File.Delete(file);
        foreach (var folder in Directory.GetDirectories(paths.Roots).Where(folder => !wanted.Contains(Path.GetFileName(folder)))) Directory.Delete(folder);
        if (!Directory.EnumerateFileSystemEntries(paths.Roots).Any()) Directory.Delete(paths.Roots);
    }
}
