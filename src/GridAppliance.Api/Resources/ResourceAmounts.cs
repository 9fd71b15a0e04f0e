namespace GridAppliance.Api.Resources;

/// <summary>An amount of a node's resources: what there is, what is free, what somebody wants. Agent and appliance count with this one arithmetic.</summary>
public sealed record ResourceAmounts
{
    /// <summary>Whole logical processors.</summary>
    public int Cpus { get; init; }
    public long MemoryMiB { get; init; }
    public long DiskMiB { get; init; }
    public int Accelerators { get; init; }
    /// <summary>Units of what modules provide, by name.</summary>
    public IReadOnlyDictionary<string, int> Named { get; init; } = Nothing;

    static readonly Dictionary<string, int> Nothing = [];

    public static ResourceAmounts operator +(ResourceAmounts left, ResourceAmounts right) => Combine(left, right, 1);

    public static ResourceAmounts operator -(ResourceAmounts left, ResourceAmounts right) => Combine(left, right, -1);

    /// <summary>The first thing of which <paramref name="free"/> has less than this, in one sentence; null when all of it fits.</summary>
    public string? LackIn(ResourceAmounts free)
    {
        if (Cpus > free.Cpus) return Say(Cpus, free.Cpus, Cpus == 1 ? "CPU" : "CPUs");
        if (MemoryMiB > free.MemoryMiB) return Say(MemoryMiB, free.MemoryMiB, "MiB of memory");
        if (DiskMiB > free.DiskMiB) return Say(DiskMiB, free.DiskMiB, "MiB of disk");
        if (Accelerators > free.Accelerators) return Say(Accelerators, free.Accelerators, Accelerators == 1 ? "accelerator" : "accelerators");
        foreach (var (name, units) in Named.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (units > free.Named.GetValueOrDefault(name)) return Say(units, free.Named.GetValueOrDefault(name), name);
        return null;
    }

    /// <summary>Whether every amount is one that may be asked for.</summary>
    public bool IsSound => Cpus is >= 0 and <= 4096 && MemoryMiB is >= 0 and <= 1L << 32 && DiskMiB is >= 0 and <= 1L << 40 && Accelerators is >= 0 and <= 1024
        && Named is { Count: <= 16 } && Named.All(pair => Modules.ModuleManifest.IsName(pair.Key) && pair.Value is > 0 and <= 1_000_000);

    public bool Equals(ResourceAmounts? other) => other is not null && (Cpus, MemoryMiB, DiskMiB, Accelerators) == (other.Cpus, other.MemoryMiB, other.DiskMiB, other.Accelerators)
        && Named.Count == other.Named.Count && Named.All(pair => other.Named.TryGetValue(pair.Key, out var units) && units == pair.Value);

    public override int GetHashCode() => HashCode.Combine(Cpus, MemoryMiB, DiskMiB, Accelerators, Named.Count);

    /// <summary>"2 CPUs, 512 MiB of memory, 3 render-slot".</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        if (Cpus > 0) parts.Add(Cpus == 1 ? "1 CPU" : $"{Cpus} CPUs");
        if (MemoryMiB > 0) parts.Add($"{MemoryMiB} MiB of memory");
        if (DiskMiB > 0) parts.Add($"{DiskMiB} MiB of disk");
        if (Accelerators > 0) parts.Add(Accelerators == 1 ? "1 accelerator" : $"{Accelerators} accelerators");
        parts.AddRange(Named.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value} {pair.Key}"));
        return parts.Count == 0 ? "nothing" : string.Join(", ", parts);
    }

    static ResourceAmounts Combine(ResourceAmounts left, ResourceAmounts right, int sign)
    {
        var named = left.Named;
        if (right.Named.Count > 0)
        {
            var sum = new Dictionary<string, int>(left.Named, StringComparer.Ordinal);
            foreach (var (name, units) in right.Named) sum[name] = sum.GetValueOrDefault(name) + sign * units;
            named = sum;
        }
        return new()
        {
            Cpus = left.Cpus + sign * right.Cpus, MemoryMiB = left.MemoryMiB + sign * right.MemoryMiB, DiskMiB = left.DiskMiB + sign * right.DiskMiB,
            Accelerators = left.Accelerators + sign * right.Accelerators, Named = named,
        };
    }

    static string Say(long wanted, long free, string what) => $"{wanted} {what} {(wanted == 1 ? "is" : "are")} asked for and {Math.Max(0, free)} {(free == 1 ? "is" : "are")} free";
}
