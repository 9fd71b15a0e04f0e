using System.Collections.Concurrent;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules.Changes;

/// <summary>What a module has changed, for people: what it holds in the kernel, what its manifest brought, and its layer against what lies below it.</summary>
sealed class ChangeReport(ModuleView views)
{
    const int LongestText = 300;
    const int MostRemembered = 4096;
    const string Opaque = "trusted.overlay.opaque";

    /// <summary>Digests of what programs wrote, by path, for as long as size and time stay: a heartbeat does not read every file again.</summary>
    readonly ConcurrentDictionary<string, (ulong Size, long Seconds, uint Nanoseconds, string? Digest)> digests = new(StringComparer.Ordinal);

    public ModuleChangesDocument Of(ModuleRecord record, IReadOnlyList<ModuleRecord> below, IReadOnlyList<ChangeRecord> held, int modules)
    {
        var most = ModuleChangesDocument.MostListed / Math.Max(1, modules);
        var upper = views.UpperOf(record);
        string[] lowers = [.. below.Select(views.UpperOf), views.RootOf(record)];
        var all = held.Select(Global).OfType<ModuleChangeEntry>().Concat(Declared(record)).Concat(Directory.Exists(upper) ? Layer("", upper, lowers) : []).Concat(Below("/dev", views.DevicesOf(record), [Path.Combine(views.RootOf(record), "dev")])).Concat(InMemory(record));
        var listed = new List<ModuleChangeEntry>();
        var omitted = 0;
        foreach (var entry in all)
            if (listed.Count < most) listed.Add(entry with { Target = entry.Target.Length <= LongestText ? entry.Target : entry.Target[..LongestText] + "…" });
            else omitted++;
        return new() { Module = record.Name, Version = record.Version, Owners = record.Owners, Changes = listed, Omitted = omitted };
    }

    static ModuleChangeEntry? Global(ChangeRecord change) => change.Kind switch
    {
        ChangeKind.Sysctl => new() { What = "sysctl", Action = "changed", Target = change.Target, Global = true, Value = $"{change.Before} → {change.After}" },
        ChangeKind.KernelModule => change.Before is null ? new() { What = "kernel-module", Action = "added", Target = change.Target, Global = true } : null,
        ChangeKind.FirewallTable => new() { What = "firewall", Action = "added", Target = $"inet {change.Target}", Global = true },
        ChangeKind.FirewallModules => null,
    };

    static IEnumerable<ModuleChangeEntry> Declared(ModuleRecord record) =>
    [
        .. record.Manifest.Start is { } start ? [new() { What = "service", Action = "added", Target = record.Name, Global = true, Value = string.Join(' ', start) }] : Array.Empty<ModuleChangeEntry>(),
        .. (record.Manifest.Users ?? []).Select(user => new ModuleChangeEntry { What = "user", Action = "added", Target = user.Name, Global = false, Value = $"{user.Id}" }),
        .. (record.Manifest.Hosts ?? []).Select(host => new ModuleChangeEntry { What = "hosts", Action = "added", Target = $"{host.Address} {string.Join(' ', host.Names)}", Global = false }),
        .. (record.Manifest.Mounts ?? []).Select(mount => new ModuleChangeEntry
        {
            What = "mount", Action = "added", Target = mount.Path, Global = false, Value = mount.Source is { } source ? $"{source}, read-only" : $"tmpfs, {mount.SizeMiB} MiB",
        }),
    ];

    /// <summary>What lies in file systems of memory that the module asked for: they were empty, and no layer sees what is written there.</summary>
    IEnumerable<ModuleChangeEntry> InMemory(ModuleRecord record)
    {
        var view = views.Of(record);
        foreach (var mount in record.Manifest.Mounts ?? [])
            if (mount.Source is null && ViewPath.ResolveWhole(view, mount.Path) is var place && MountTable.IsMounted(place))
                foreach (var entry in Below(mount.Path, place, [])) yield return entry;
    }

    IEnumerable<ModuleChangeEntry> Below(string path, string upper, string[] lowers) => Layer("", upper, lowers).Select(entry => entry with { Target = path + entry.Target });

    /// <summary>An overlay's upper folder: a character device 0/0 says that what lies below it is deleted, and an opaque folder that all below it is.</summary>
    IEnumerable<ModuleChangeEntry> Layer(string folder, string upper, string[] lowers)
    {
        var names = NamesIn(upper + folder);
        if (IsOpaque(upper + folder))
            foreach (var gone in lowers.SelectMany(lower => NamesIn(lower + folder)).Distinct().Except(names))
                yield return new() { What = "file", Action = "removed", Target = $"{folder}/{gone}", Global = false };
        foreach (var name in names)
        {
            var target = $"{folder}/{name}";
            if (Libc.Statx(Libc.CurrentFolder, upper + target, Libc.NoFollow, Libc.BasicStatus, out var status) != 0) continue;   // a program has deleted it meanwhile
            var lies = lowers.Select(lower => Look(lower + target)).FirstOrDefault(found => found is not null);
            var action = lies is null ? "added" : "changed";
            switch (status.Mode & Libc.TypeMask)
            {
                case Libc.TypeDevice when status is { DeviceMajor: 0, DeviceMinor: 0 }:
                    yield return new() { What = "file", Action = "removed", Target = target, Global = false };
                    break;
                case Libc.TypeFolder:
                    // A folder that is only on the way to something is no change.
                    if (lies is null || lies.Value.Mode != status.Mode || lies.Value.User != status.User || lies.Value.Group != status.Group) yield return new() { What = "folder", Action = action, Target = target, Global = false };
                    foreach (var below in Layer(target, upper, lowers)) yield return below;
                    break;
                case Libc.TypeLink:
                    yield return new() { What = "link", Action = action, Target = target, Global = false, Value = new FileInfo(upper + target).LinkTarget };
                    break;
                case Libc.TypeFile:
                    yield return new() { What = "file", Action = action, Target = target, Global = false, SizeBytes = (long)status.Size, Digest = DigestOf(upper + target, status) };
                    break;
                default:
                    yield return new() { What = "device", Action = action, Target = target, Global = false };
                    break;
            }
        }
    }

    /// <summary>In their order. A folder that is not there has none: programs write while this is read, and another order may be taking the whole layer away.</summary>
    static IReadOnlyList<string> NamesIn(string folder)
    {
        try { return Directory.Exists(folder) ? [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)] : []; }
        catch (IOException) { return []; }
    }

    static Libc.FileStatus? Look(string path) => Libc.Statx(Libc.CurrentFolder, path, Libc.NoFollow, Libc.BasicStatus, out var status) == 0 ? status : null;

    static bool IsOpaque(string folder)
    {
        Span<byte> value = stackalloc byte[4];
        return Libc.GetAttribute(folder, Opaque, value, (nuint)value.Length) == 1 && value[0] == 'y';
    }

    string? DigestOf(string path, Libc.FileStatus status)
    {
        if (digests.TryGetValue(path, out var known) && (known.Size, known.Seconds, known.Nanoseconds) == (status.Size, status.ModifiedSeconds, status.ModifiedNanoseconds)) return known.Digest;
        // Bounded by beginning anew: programs may write more files than anybody wants to remember.
        if (digests.Count >= MostRemembered) digests.Clear();
        var digest = TryDigest(path);
        digests[path] = (status.Size, status.ModifiedSeconds, status.ModifiedNanoseconds, digest);
        return digest;
    }

    static string? TryDigest(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
