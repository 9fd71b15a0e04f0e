using System.Globalization;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules.Views;

/// <summary>
/// What a module sees as the node's root, and all that it and its programs ever write there: an overlay, below it the modules that it needs and the node itself, which nobody
/// writes; on top a folder of the module's own. Deleting that folder is taking back every write.
/// <para><c>layers/INSTANCE/upper</c> holds the writes, <c>work</c> is the overlay's own, on <c>view</c> the whole is mounted.</para>
/// </summary>
/// <param name="paths">The node.</param>
/// <param name="images">What stands in place of the node's root where an order says so.</param>
/// <param name="spaceOf">How many MiB a module's owners have allocated for what it writes; null for as much as there is.</param>
sealed class ModuleView(AgentPaths paths, RootImages images, Func<string, long?>? spaceOf = null)
{
    public string Of(ModuleRecord record) => Path.Combine(FolderOf(record.Instance), "view");

    public string UpperOf(ModuleRecord record) => Path.Combine(FolderOf(record.Instance), "upper");

    /// <summary>What lies below everything: the node itself, or an image.</summary>
    public string RootOf(ModuleRecord record) => record.Root is { } root ? images.PlaceOf(root.Digest) : paths.Root;

    /// <summary>What it has made below <c>/dev</c>.</summary>
    public string DevicesOf(ModuleRecord record) => Path.Combine(FolderOf(record.Instance), "dev");

    /// <summary>Installations that have a layer.</summary>
    public IReadOnlyList<string> Instances() => Directory.Exists(paths.Layers) ? [.. Directory.GetDirectories(paths.Layers).Select(folder => Path.GetFileName(folder)!)] : [];

    /// <summary>Whether a module's layer is there. After a restart of the machine it is not, where memory held it.</summary>
    public bool Has(ModuleRecord record) => Directory.Exists(UpperOf(record));

    /// <summary>Octets that modules may still write.</summary>
    public long FreeBytes()
    {
        Prepare();
        return new DriveInfo(paths.Layers).AvailableFreeSpace;
    }

    /// <summary>Mounts a module's view, if it is not there already.</summary>
    /// <param name="record">The module.</param>
    /// <param name="below">What it needs, the nearest first.</param>
    /// <exception cref="IOException">The kernel refuses; what was mounted until then is taken down by <see cref="Drop"/>.</exception>
    public void Mount(ModuleRecord record, IReadOnlyList<ModuleRecord> below)
    {
        var view = Of(record);
        // The last of its mounts tells that all are there.
        if (MountTable.Read().Any(mount => record.Root is null ? mount.Place == Path.Combine(view, "dev") && mount.Type == "overlay" : mount.Place == Path.Combine(view, "sys"))) return;
        Prepare();
        MountTable.Unmount(view);
        if (record.Root is { } root) images.Mount(root.Digest);
        Bound(record);
        foreach (var folder in (string[])["upper", "work", "view"]) Directory.CreateDirectory(Path.Combine(FolderOf(record.Instance), folder));
        var lowers = string.Join(':', below.Select(UpperOf).Append(RootOf(record)));
        MountTable.Mount("grid", view, "overlay", 0, $"lowerdir={lowers},upperdir={UpperOf(record)},workdir={Path.Combine(FolderOf(record.Instance), "work")},redirect_dir=off,metacopy=off");
        foreach (var folder in (string[])["proc", "sys", "dev", "run", "tmp"]) Directory.CreateDirectory(Path.Combine(view, folder));
        MountOwn(record, view);
        if (record.Root is not null)
        {
            // Devices are the image's few; the processes that it sees are its own, which the launcher sees to. Nothing else of the machine is there.
            MountTable.Mount("sysfs", Path.Combine(view, "sys"), "sysfs", Libc.MountReadOnly | Libc.MountNoSetId | Libc.MountNoDevices | Libc.MountNoPrograms, null);
            return;
        }
        MountOthers(view);
        MountTable.Mount("proc", Path.Combine(view, "proc"), "proc", Libc.MountNoSetId | Libc.MountNoDevices | Libc.MountNoPrograms, null);
        // The kernel's settings are the node's: a module says in its manifest what it wants of them.
        ReadOnly(Path.Combine(view, "proc/sys"));
        MountTable.Mount("sysfs", Path.Combine(view, "sys"), "sysfs", Libc.MountNoSetId | Libc.MountNoDevices | Libc.MountNoPrograms, null);
        ReadOnly(Path.Combine(view, "sys"));
        MountDevices(record, Path.Combine(view, "dev"));
    }

    /// <summary>The node's devices, and above them a layer for what the module makes there: shared memory, links, nodes. The two mounts lie over each other; the upper is the last of all.</summary>
    void MountDevices(ModuleRecord record, string place)
    {
        var (upper, work) = (DevicesOf(record), DevicesOf(record) + "-work");
        foreach (var folder in (string[])[upper, work]) Directory.CreateDirectory(folder);
        MountTable.Mount("devtmpfs", place, "devtmpfs", Libc.MountNoSetId, null);
        MountTable.Mount("grid-dev", place, "overlay", Libc.MountNoSetId, $"lowerdir={place},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off");
    }

    /// <summary>Why the space of a module that is there cannot be bounded, or null.</summary>
    public string? Unbounded(ModuleRecord record) =>
        !IsOurs ? "modules' layers lie on a disk of this node's own, where their space is not bounded"
        : MountTable.IsMounted(FolderOf(record.Instance)) ? null : $"{record.Name} is on this node already, and was not installed with a bound on its disk space; remove it first";

    /// <summary>Gives a module that is there the space that its owners have by now.</summary>
    public void Rebound(ModuleRecord record)
    {
        var folder = FolderOf(record.Instance);
        if (spaceOf?.Invoke(record.Name) is { } space && MountTable.IsMounted(folder)) MountTable.Mount("grid", folder, "tmpfs", Libc.MountAgain | Libc.MountNoDevices, SizeOf(space));
    }

    /// <summary>Takes a view down; what was written to it stays until <see cref="Drop"/>.</summary>
    public void Unmount(string instance) => MountTable.Unmount(Path.Combine(FolderOf(instance), "view"));

    /// <summary>Takes a layer away with all that was written to it.</summary>
    public void Drop(string instance)
    {
        var folder = FolderOf(instance);
        if (!Directory.Exists(folder)) return;
        var view = Path.Combine(folder, "view");
        Unmount(instance);
        MountTable.Unmount(folder);
        // What is below here is about to be deleted, and must be the module's alone.
        if (MountTable.Below(folder) is [var still, ..]) throw new IOException($"{still} is still mounted");
        if (Directory.Exists(view)) Directory.Delete(view, recursive: false);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Leaves nothing behind when no module is left.</summary>
    public void Close()
    {
        if (!Directory.Exists(paths.Layers) || Directory.EnumerateFileSystemEntries(paths.Layers).Any()) return;
        // What an administrator has mounted stays.
        if (!IsOurs) return;
        MountTable.Unmount(paths.Layers);
        Directory.Delete(paths.Layers, recursive: false);
    }

    /// <summary>A layer whose space is bounded is a file system of its own, so that the kernel keeps it to that.</summary>
    void Bound(ModuleRecord record)
    {
        var folder = Directory.CreateDirectory(FolderOf(record.Instance)).FullName;
        if (spaceOf?.Invoke(record.Name) is { } space && IsOurs && !Has(record)) MountTable.Mount("grid", folder, "tmpfs", Libc.MountNoDevices, SizeOf(space));
    }

    static string SizeOf(long mebibytes) => string.Create(CultureInfo.InvariantCulture, $"size={mebibytes}m,mode=0755");

    /// <summary>Whether layers lie in memory, and not where an administrator has mounted something.</summary>
    bool IsOurs => MountTable.Read().LastOrDefault(mount => mount.Place == paths.Layers) is null or { Source: "grid" };

    string FolderOf(string instance) => Path.Combine(paths.Layers, instance);

    /// <summary>
    /// The folder of layers: a file system of its own, since a layer may not lie within what is below another, and shared with what modules' programs see, so that a view that is taken
    /// down is gone there too. Memory, which ends with the boot as the programs do; or what an administrator has mounted there.
    /// </summary>
    void Prepare()
    {
        if (!MountTable.IsMounted(paths.Layers))
        {
            Directory.CreateDirectory(paths.Layers);
            MountTable.Mount("grid", paths.Layers, "tmpfs", Libc.MountNoDevices, "mode=0700");
        }
        MountTable.Mount("none", paths.Layers, null, Libc.MountPrivate, null);
        MountTable.Mount("none", paths.Layers, null, Libc.MountShared, null);
    }

    static void MountOwn(ModuleRecord record, string view)
    {
        foreach (var mount in record.Manifest.Mounts ?? [])
        {
            var place = ViewPath.ResolveWhole(view, mount.Path);
            Directory.CreateDirectory(place);
            if (mount.Source is { } source)
            {
                // Through the view: what a needed module brings is there as well.
                var from = ViewPath.ResolveWhole(view, source);
                if (!Directory.Exists(from)) throw new IOException($"the module wants {source} at {mount.Path}, and this node has no such folder");
                MountTable.Mount(from, place, null, Libc.MountBind, null);
                MountTable.Mount("none", place, null, Libc.MountBind | Libc.MountAgain | Libc.MountReadOnly, null);
            }
            else MountTable.Mount("grid", place, "tmpfs", Libc.MountNoSetId | Libc.MountNoDevices, string.Create(CultureInfo.InvariantCulture, $"size={mount.SizeMiB}m,mode=0755"));
        }
    }

    /// <summary>The node's other disks: an overlay is of one file system, and what a program wrote to these would not be captured. So they are there to read.</summary>
    void MountOthers(string view)
    {
        if (paths.Root != "/") return;
        foreach (var mount in MountTable.Read().Where(mount => mount.Place != "/" && mount.Source.StartsWith("/dev/", StringComparison.Ordinal) && !mount.Place.StartsWith(paths.Layers, StringComparison.Ordinal)
                     && !ManifestReader.IsReserved(mount.Place)))
        {
            var place = ViewPath.ResolveWhole(view, mount.Place);
            if (!Directory.Exists(place)) continue;
            MountTable.Mount(mount.Place, place, null, Libc.MountBind, null);
            MountTable.Mount("none", place, null, Libc.MountBind | Libc.MountAgain | Libc.MountReadOnly, null);
        }
    }

    static void ReadOnly(string place)
    {
        MountTable.Mount(place, place, null, Libc.MountBind, null);
        MountTable.Mount("none", place, null, Libc.MountBind | Libc.MountAgain | Libc.MountReadOnly | Libc.MountNoSetId | Libc.MountNoDevices | Libc.MountNoPrograms, null);
    }
}
