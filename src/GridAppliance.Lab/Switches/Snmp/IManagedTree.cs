using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>What an agent answers from: the objects of a device, in the order of their names.</summary>
interface IManagedTree
{
    /// <summary>Called once for each request, before it is answered: brings what is to be read up to date.</summary>
    ValueTask RefreshAsync(CancellationToken cancellationToken);

    /// <summary>The value, or noSuchObject or noSuchInstance.</summary>
    SnmpValue Get(ObjectIdentifier name);

    /// <summary>The first object behind <paramref name="name"/>; null at the end.</summary>
    Varbind? Next(ObjectIdentifier name);

    /// <summary>Does all or nothing.</summary>
    ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken);
}

/// <param name="Status">None when everything was done.</param>
/// <param name="Index">The varbind that is at fault, from 1.</param>
readonly record struct SetVerdict(SnmpErrorStatus Status, int Index)
{
    public static SetVerdict Done { get; } = new(SnmpErrorStatus.None, 0);
}
