using System.Collections.Frozen;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>What a machine needs to boot from its LUN. Printing one never shows the word.</summary>
/// <param name="Node">The node whose LUN it is.</param>
/// <param name="Portal">Where the target listens; null: on the address by which the machine knows the appliance.</param>
/// <param name="Port">TCP.</param>
/// <param name="Lun">Its number.</param>
/// <param name="Target">The target's iSCSI name.</param>
/// <param name="Initiator">The name by which the machine calls itself.</param>
/// <param name="Kernel">Our kernel is loaded, with its root on the LUN; otherwise whatever the LUN's own boot sector or EFI partition loads.</param>
/// <param name="User">With <paramref name="Password"/>, CHAP (RFC 7143, section 12.1.3).</param>
sealed record SanBootTarget(Guid Node, Ipv4Address? Portal, ushort Port, ushort Lun, string Target, string Initiator, bool Kernel, string User, string Password)
{
    public override string ToString() => $"{Target} LUN {Lun}";
}

/// <summary>Which NICs boot from a LUN: a snapshot, swapped whole; one writer, any number of readers.</summary>
sealed class SanBootState
{
    volatile FrozenDictionary<MacAddress, SanBootTarget> current = FrozenDictionary<MacAddress, SanBootTarget>.Empty;

    public FrozenDictionary<MacAddress, SanBootTarget> Current { get => current; set => current = value; }
}
