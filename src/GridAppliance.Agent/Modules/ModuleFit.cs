using System.Globalization;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Agent.Modules;

/// <summary>Whether a module can be where it is wanted: asked before anything is touched.</summary>
static class ModuleFit
{
    const long MiB = 1 << 20;

    /// <summary>What this node has to offer.</summary>
    /// <param name="TakenPorts">TCP ports on which somebody listens.</param>
    public readonly record struct Room(int Cpus, long MemoryBytes, long DiskBytes, bool Network, IReadOnlySet<int> TakenPorts);

    /// <param name="manifest">What is wanted.</param>
    /// <param name="order">By whose order.</param>
    /// <param name="installed">What is there.</param>
    /// <param name="nodesPackages">Debian packages of the node itself.</param>
    /// <param name="room">What there is room for.</param>
    /// <returns>Why not, as a sentence; null when nothing stands in the way.</returns>
    public static string? Refusal(ModuleManifest manifest, ModuleOrder order, IReadOnlyList<ModuleRecord> installed, IReadOnlySet<string> nodesPackages, Room room)
    {
        if (manifest.Name != order.Name || manifest.Version != order.Version) return $"the package is {manifest.Name} {manifest.Version}, not {order.Name} {order.Version}";
        if (installed.FirstOrDefault(r => r.Class == manifest.Class && r.Name != manifest.Name) is { } rival) return $"{rival.Name} is installed already, and of the same class ({manifest.Class})";
        foreach (var (name, value) in order.Parameters ?? new Dictionary<string, string>())
            if (manifest.Parameters?.GetValueOrDefault(name) is not { } parameter) return $"{manifest.Name} has no parameter {name}";
            else if (!parameter.Accepts(value)) return $"{manifest.Name}'s parameter {name} does not take this value: {Bounds(parameter)}";
        return Needs(manifest, installed, room) ?? Conflict(manifest, Below(manifest, installed), nodesPackages)
            ?? installed.FirstOrDefault(r => r.Name != manifest.Name && r.Manifest.Needs?.Modules?.Contains(manifest.Name) is true && installed.Any(p => p.Name == manifest.Name)) switch
            {
                { } above => $"{above.Name} stands on the version of {manifest.Name} that is there; remove {above.Name} first",
                null => null,
            };
    }

    /// <summary>The modules that this one needs, and those that they need: the nearest first, each once.</summary>
    public static IReadOnlyList<ModuleRecord> Below(ModuleManifest manifest, IReadOnlyList<ModuleRecord> installed)
    {
        var below = new List<ModuleRecord>();
        var next = new Queue<string>(manifest.Needs?.Modules ?? []);
        while (next.TryDequeue(out var name))
        {
            if (installed.FirstOrDefault(record => record.Name == name) is not { } record || below.Contains(record)) continue;
            below.Add(record);
            foreach (var deeper in record.Manifest.Needs?.Modules ?? []) next.Enqueue(deeper);
        }
        return below;
    }

    /// <summary>Every parameter with its value: the order's, else the default.</summary>
    public static IReadOnlyDictionary<string, string> Values(ModuleManifest manifest, ModuleOrder order) =>
        (manifest.Parameters ?? new Dictionary<string, ModuleParameter>()).ToDictionary(pair => pair.Key, pair => order.Parameters?.GetValueOrDefault(pair.Key) ?? pair.Value.Default, StringComparer.Ordinal);

    static string? Needs(ModuleManifest manifest, IReadOnlyList<ModuleRecord> installed, Room room)
    {
        if (manifest.Needs is not { } needs) return null;
        if ((needs.Modules ?? []).FirstOrDefault(need => installed.All(record => record.Name != need)) is { } absent) return $"{manifest.Name} needs the module {absent}, which is not installed";
        if (needs.Cpus > room.Cpus) return string.Create(CultureInfo.InvariantCulture, $"{manifest.Name} needs {needs.Cpus} CPUs, and this node has {room.Cpus}");
        if (needs.MemoryMiB > room.MemoryBytes / MiB) return string.Create(CultureInfo.InvariantCulture, $"{manifest.Name} needs {needs.MemoryMiB} MiB of memory, and {room.MemoryBytes / MiB} MiB are free");
        if (needs.DiskMiB > room.DiskBytes / MiB) return string.Create(CultureInfo.InvariantCulture, $"{manifest.Name} needs {needs.DiskMiB} MiB of disk, and {room.DiskBytes / MiB} MiB are free");
        // One that is there already listens there itself.
        if (installed.All(record => record.Name != manifest.Name) && (needs.Ports ?? []).Where(room.TakenPorts.Contains).Select(static port => port.ToString(CultureInfo.InvariantCulture)).ToList() is { Count: > 0 } taken)
            return $"{manifest.Name} needs the TCP port{(taken.Count > 1 ? "s" : "")} {string.Join(", ", taken)}, and on this node something else listens there";
        if (needs.Network is true && !room.Network) return $"{manifest.Name} needs a network, and none of this node's cards has a link";
        return null;
    }

    static string? Conflict(ModuleManifest manifest, IReadOnlyList<ModuleRecord> below, IReadOnlySet<string> nodesPackages)
    {
        foreach (var package in manifest.Packages ?? [])
        {
            if (package.Conflicts?.FirstOrDefault(nodesPackages.Contains) is { } theirs) return $"{manifest.Name} carries the package {package.Name}, which conflicts with this node's {theirs}";
            foreach (var (record, other) in below.SelectMany(record => (record.Manifest.Packages ?? []).Select(other => (record, other))))
                if (other.Name == package.Name && other.Version != package.Version) return $"{manifest.Name} carries {package.Name} {package.Version}, and {record.Name} below it {other.Version}";
                else if (package.Conflicts?.Contains(other.Name) is true || other.Conflicts?.Contains(package.Name) is true)
                    return $"{manifest.Name} carries the package {package.Name}, which conflicts with {other.Name} of the module {record.Name}";
        }
        return null;
    }

    static string Bounds(ModuleParameter parameter) => parameter.Type switch
    {
        "number" => string.Create(CultureInfo.InvariantCulture, $"a number{(parameter.Minimum is { } least ? $" from {least}" : "")}{(parameter.Maximum is { } most ? $" to {most}" : "")}"),
        "flag" => "true or false",
        _ => "letters, digits, blanks and . , : / _ - + @",
    };
}
