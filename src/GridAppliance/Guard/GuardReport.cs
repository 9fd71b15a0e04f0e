using System.Collections.Immutable;
using GridAppliance.Fabric;

namespace GridAppliance.Guard;

/// <summary>A network's guard as it is now.</summary>
/// <param name="Trouble">Why it is not in force; null while it is.</param>
/// <param name="Assigned">NICs that may speak from their addresses.</param>
/// <param name="Dropped">Frames that were dropped since the guard came into force.</param>
sealed record NetworkGuard(string Network, string Interface, string? Trouble, int Assigned, ulong Dropped);

/// <summary>Somebody who sent from an address that is not his, or from a port that is not his.</summary>
sealed record ForgedSource
{
    public required string Network { get; init; }
    public required SourcePair Source { get; init; }
    public required ulong Packets { get; init; }
    public required DateTimeOffset First { get; init; }
    public required DateTimeOffset Last { get; init; }
    /// <summary>Where the frames came from; null while no switch has said.</summary>
    public PortPin? From { get; init; }
}

/// <summary>What the guard does, for whoever asks. One writer, swapped whole.</summary>
sealed class GuardReport
{
    Snapshot current = new([], []);

    public sealed record Snapshot(ImmutableArray<NetworkGuard> Networks, ImmutableArray<ForgedSource> Forged);

    public Snapshot Current
    {
        get => Volatile.Read(ref current);
        set => Volatile.Write(ref current, value);
    }
}
