using System.Collections.Immutable;
using System.Net;

namespace GridAppliance.San;

/// <summary>Whoever can reach whom on the storage side: a zone of a Fibre Channel fabric, or an iSCSI target with those whom it lets in.</summary>
/// <param name="Name">Unique on the fabric.</param>
/// <param name="Initiators">Port names (<c>50:00:…</c>) or iSCSI qualified names.</param>
/// <param name="Storage">Port names of storage, or what a target serves.</param>
sealed record SanZone(string Name, ImmutableSortedSet<string> Initiators, ImmutableSortedSet<string> Storage)
{
    public bool Equals(SanZone? other) => other is not null && Name == other.Name && Initiators.SetEquals(other.Initiators) && Storage.SetEquals(other.Storage);

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}

enum SanEnding
{
    /// <summary>It is so, and was read back.</summary>
    Done,
    /// <summary>It was so already.</summary>
    Unchanged,
    /// <summary>Nothing was written.</summary>
    Refused,
    /// <summary>Went wrong, and what is in force is as it was before.</summary>
    RolledBack,
    /// <summary>Went wrong, and so did taking it back.</summary>
    Damaged,
}

sealed record SanOutcome(SanEnding Ending, string? Reason)
{
    public static SanOutcome Done { get; } = new(SanEnding.Done, null);

    public static SanOutcome Unchanged { get; } = new(SanEnding.Unchanged, null);

    public static SanOutcome Refused(string reason) => new(SanEnding.Refused, reason);
}

/// <summary>A storage fabric whose zones can be read and written. Only zones whose names begin with our prefix are ever touched. Every method fails with a <see cref="Hosting.DeviceException"/>.</summary>
interface ISanFabric
{
    /// <summary>Scheme and place, without credentials.</summary>
    Uri Address { get; }

    /// <summary>The zones in force: what holds now, not what is only written down.</summary>
    Task<IReadOnlyList<SanZone>> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Makes a zone so and puts it in force; whoever else was in it is out of it afterwards.</summary>
    Task<SanOutcome> ConnectAsync(SanZone zone, CancellationToken cancellationToken);

    /// <summary>Takes a zone out of force and removes it. One that is not there is no error.</summary>
    Task<SanOutcome> DisconnectAsync(string zone, CancellationToken cancellationToken);
}

/// <summary>A fabric that writes down what is under way on it: what was cut off, or what its target has forgotten, is made good when it is looked at.</summary>
interface IRestoringFabric : ISanFabric
{
    /// <summary>Makes good what is not as it was written down.</summary>
    /// <returns>The zones in force afterwards, and the names of those that are as before because of it.</returns>
    /// <exception cref="Hosting.DeviceException">The fabric does not answer: what is written down is kept for the next time.</exception>
    Task<(IReadOnlyList<SanZone> Zones, IReadOnlyList<string> Made)> RestoreAsync(CancellationToken cancellationToken);
}

/// <summary>How an initiator reaches what a zone serves.</summary>
/// <param name="Portal">Null: on every address of this machine.</param>
sealed record IscsiPath(IPEndPoint? Portal, ushort Port, ushort FirstLun, string Target, ChapAccount Account);

/// <summary>A fabric whose zones a machine can boot from over iSCSI. What it serves are files of this machine.</summary>
interface IBootableFabric : ISanFabric
{
    /// <summary>Files outside it are not served.</summary>
    string Directory { get; }

    IscsiPath PathOf(string zone, string initiator);
}

/// <summary>What of a fabric is ours to write: zones by the beginning of their names.</summary>
static class SanNames
{
    public const string Prefix = "grid-";

    /// <summary>Letters, digits, dash, dollar, circumflex and underscore, from 1 to 64 (what every maker takes).</summary>
    public static string? ProblemOf(string zone) =>
        !zone.StartsWith(Prefix, StringComparison.Ordinal) ? $"zone '{zone}' is not ours: our zones' names begin with {Prefix}"
        : zone.Length > 64 || zone.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '$' or '^')) ? $"'{zone}' is no name of a zone"
        : null;
}
