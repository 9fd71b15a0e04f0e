using System.Collections.Frozen;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>
/// What each known NIC boots: an immutable snapshot, swapped whole (see <see cref="BootDirectoryState"/>). The boot path reads it and nothing else:
/// no database, no control plane, no lock.
/// </summary>
sealed record BootDirectory
{
    public static BootDirectory Empty { get; } = new();

    public FrozenDictionary<MacAddress, BootEntry> ByMac { get; init; } = FrozenDictionary<MacAddress, BootEntry>.Empty;

    /// <summary>What a NIC that nobody knows gets.</summary>
    public BootAction Unknown { get; init; } = BootAction.NodeImage;

    public BootAction ActionFor(MacAddress mac) => ByMac.TryGetValue(mac, out var entry) ? entry.Action : Unknown;
}

/// <param name="NodeId">The node that the NIC belongs to.</param>
/// <param name="Name">Its name, for host name option 12 and for logs.</param>
sealed record BootEntry(Guid NodeId, string Name, BootAction Action)
{
    /// <summary>The node image starts for a person at the console, not for the agent.</summary>
    public bool Recover { get; init; }
    /// <summary>What the timeline calls the script of such a boot.</summary>
    public const string RecoveryScript = "recovery";

    /// <summary>The root image in which it goes on; null: the tiny image is all.</summary>
    public string? Image { get; init; }
}

enum BootAction
{
    /// <summary>Kernel and node image over the network.</summary>
    NodeImage,
    /// <summary>Leave the network and boot the first disk.</summary>
    LocalDisk,
    /// <summary>An address but no boot file: a retired node, or one on hold. iPXE gets a script that says so.</summary>
    None,
}

/// <summary>Holds the current <see cref="BootDirectory"/>; one writer, any number of readers.</summary>
sealed class BootDirectoryState
{
    volatile BootDirectory current = BootDirectory.Empty;

    public BootDirectory Current { get => current; set => current = value; }
}
