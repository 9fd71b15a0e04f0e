using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;

namespace GridAppliance.Agents;

/// <summary>
/// What became of a machine's hardware between two inventories, as events. Pure. Disks are known by serial number (by name where they have none) and NICs by MAC, because the
/// kernel's names change from boot to boot. What is gone or has become less is a warning: it is how a dying part shows first.
/// </summary>
static class InventoryChange
{
    /// <summary>An agent's drivers come one by one: a line each for at most so many parts, and one for the rest.</summary>
    const int MostLines = 8;

    public static IEnumerable<NewEvent> Between(Node node, InventoryDocument? before, InventoryDocument now)
    {
        if (before is null) return [];
        var lines = Gone(before, now).Select(text => NewEvent.About(node, "node.hardware", text, EventSeverity.Warning))
            .Concat(Come(before, now).Select(text => NewEvent.About(node, "node.hardware", text))).ToList();
        return lines.Count <= MostLines ? lines
            : lines.Take(MostLines).Append(NewEvent.About(node, "node.hardware", $"and {lines.Count - MostLines} more parts came or went", lines.Max(line => line.Severity)));
    }

    static IEnumerable<string> Gone(InventoryDocument before, InventoryDocument now)
    {
        if (now.MemoryMiB < before.MemoryMiB) yield return $"memory has become less: {before.MemoryMiB} MiB before, {now.MemoryMiB} MiB now";
        if (now.Cpus < before.Cpus) yield return $"processors have become fewer: {before.Cpus} before, {now.Cpus} now";
        foreach (var disk in before.Disks.ExceptBy(now.Disks.Select(Key), Key).Where(disk => !disk.Removable)) yield return $"{Describe(disk)} is gone";
        foreach (var nic in before.Nics.ExceptBy(now.Nics.Select(Key), Key)) yield return $"{Describe(nic)} is gone";
        foreach (var nic in now.Nics.Where(nic => !nic.Link && before.Nics.Any(old => old.Link && Key(old) == Key(nic)))) yield return $"{Describe(nic)} has lost its link";
    }

    static IEnumerable<string> Come(InventoryDocument before, InventoryDocument now)
    {
        if (now.MemoryMiB > before.MemoryMiB) yield return $"memory has become more: {before.MemoryMiB} MiB before, {now.MemoryMiB} MiB now";
        if (now.Cpus > before.Cpus) yield return $"processors have become more: {before.Cpus} before, {now.Cpus} now";
        foreach (var disk in now.Disks.ExceptBy(before.Disks.Select(Key), Key).Where(disk => !disk.Removable)) yield return $"{Describe(disk)} is there";
        foreach (var nic in now.Nics.ExceptBy(before.Nics.Select(Key), Key)) yield return $"{Describe(nic)} is there";
        foreach (var nic in now.Nics.Where(nic => nic.Link && before.Nics.Any(old => !old.Link && Key(old) == Key(nic)))) yield return $"{Describe(nic)} has a link";
    }

    static string Key(DiskDocument disk) => disk.Serial is { Length: > 0 } serial ? $"serial {serial}" : $"name {disk.Name}";

    static string Key(NicDocument nic) => nic.Mac;

    static string Describe(DiskDocument disk) =>
        $"disk {disk.Name} ({disk.SizeBytes / (1024 * 1024)} MiB{(disk.Model is { Length: > 0 } model ? $", {model}" : "")}{(disk.Serial is { Length: > 0 } serial ? $", serial {serial}" : "")})";

    static string Describe(NicDocument nic) => $"NIC {nic.Name} ({nic.Mac}{(nic.Driver is { Length: > 0 } driver ? $", {driver}" : "")})";
}
