using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.Snmp;

/// <summary>Writes that are done once, whatever is lost on the way.</summary>
static class SnmpWrites
{
    /// <summary>
    /// Writes variables in one PDU, or in their order in as few as a device takes that says tooBig. The answer to a SET that was done may be lost, and when it is sent again, refused for just that: a row
    /// that is there is not made once more (RowStatus, RFC 2579). So what is refused and there all the same is done.
    /// </summary>
    /// <param name="session">The device.</param>
    /// <param name="set">What is written.</param>
    /// <param name="isRowStatus">Which of the variables are orders to a row: they read as what came of the order.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Why it was refused; null when it is done.</returns>
    public static async Task<string?> WriteAsync(this SnmpSession session, ImmutableArray<Varbind> set, Func<ObjectIdentifier, bool> isRowStatus, CancellationToken cancellationToken)
    {
        var outcome = await session.SetAsync(set, cancellationToken);
        if (outcome.IsDone) return null;
        if (outcome.Status != SnmpErrorStatus.TooBig || set.Length == 1) return await HoldsAsync(session, set, isRowStatus, cancellationToken) ? null : outcome.ToString();
        var half = set.Length / 2;
        return await session.WriteAsync(set[..half], isRowStatus, cancellationToken) ?? await session.WriteAsync(set[half..], isRowStatus, cancellationToken);
    }

    static async Task<bool> HoldsAsync(SnmpSession session, ImmutableArray<Varbind> set, Func<ObjectIdentifier, bool> isRowStatus, CancellationToken cancellationToken)
    {
        var now = await session.GetAsync([.. set.Select(v => v.Name)], cancellationToken);
        return set.Zip(now).All(pair => isRowStatus(pair.First.Name) ? CameTrue(pair.First.Value, pair.Second.Value) : AreSame(pair.First.Value, pair.Second.Value));
    }

    static bool CameTrue(SnmpValue order, SnmpValue now) =>
        order.TryGetInt32(out var status) && status switch { RowStatus.Destroy => now.IsException, RowStatus.CreateAndGo => now == SnmpValue.Integer(RowStatus.Active), _ => now == order };

    // Lists of bits come longer or shorter by octets that are zero; numbers come as another kind of number.
    static bool AreSame(SnmpValue written, SnmpValue now) => written.Syntax == SnmpSyntax.OctetString
        ? now.Syntax == SnmpSyntax.OctetString && written.AsOctets.TrimEnd((byte)0).SequenceEqual(now.AsOctets.TrimEnd((byte)0))
        : written.TryGetUInt32(out var number) ? now.TryGetUInt32(out var other) && other == number : now == written;
}
