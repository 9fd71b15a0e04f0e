using System.Collections.Immutable;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Snmp;

/// <summary>The trap of SNMP version 1 (RFC 1157, section 4.1.6), which old devices still send. Read only.</summary>
public sealed record TrapV1
{
    //  [4] SEQUENCE {
    //      enterprise OBJECT IDENTIFIER, agent-addr IpAddress, generic-trap INTEGER, specific-trap INTEGER, time-stamp TimeTicks, variable-bindings
    //  }

    internal const byte Tag = 0xA4;

    const int EnterpriseSpecific = 6;

    public required ObjectIdentifier Enterprise { get; init; }
    public required Ipv4Address Agent { get; init; }
    /// <summary>0 coldStart, 1 warmStart, 2 linkDown, 3 linkUp, 4 authenticationFailure, 5 egpNeighborLoss, 6 enterpriseSpecific.</summary>
    public required int Generic { get; init; }
    public required int Specific { get; init; }
    /// <summary>The agent's uptime in hundredths of a second.</summary>
    public required uint Uptime { get; init; }
    public ImmutableArray<Varbind> Varbinds { get; init; } = [];

    /// <summary>What it would be called in version 2 (RFC 3584, section 3.1).</summary>
    public ObjectIdentifier Name => Generic == EnterpriseSpecific
        ? Enterprise.Append(0, (uint)Specific)
        : new ObjectIdentifier(1, 3, 6, 1, 6, 3, 1, 1, 5).Append((uint)Generic + 1);

    internal static bool TryRead(ReadOnlySpan<byte> source, out TrapV1? trap, out ReadOnlySpan<byte> rest, out SnmpDefect defect)
    {
        trap = null;
        rest = source;
        if (!BerReader.TryTake(ref rest, Tag, out var body, out defect)
            || !BerReader.TryTake(ref body, (byte)SnmpSyntax.ObjectIdentifier, out var enterprise, out defect)
            || !BerReader.TryTake(ref body, (byte)SnmpSyntax.IpAddress, out var agent, out defect)
            || !BerReader.TryTakeInt32(ref body, out var generic, out defect)
            || !BerReader.TryTakeInt32(ref body, out var specific, out defect)
            || !BerReader.TryTake(ref body, (byte)SnmpSyntax.TimeTicks, out var uptime, out defect)
            || !SnmpPdu.TryReadVarbinds(ref body, out var varbinds, out defect)) return false;
        // Two sub-identifiers are appended to make its version 2 name.
        if (!ObjectIdentifier.TryReadContents(enterprise, out var identifier) || identifier.Length > ObjectIdentifier.MaximumLength - 2)
        {
            defect = SnmpDefect.BadObjectIdentifier;
            return false;
        }
        if (agent.Length != 4 || generic is < 0 or > EnterpriseSpecific) { defect = SnmpDefect.BadValue; return false; }
        if (!BerReader.TryDecodeUnsigned(uptime, 4, out var ticks)) { defect = SnmpDefect.BadInteger; return false; }
        if (!body.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        trap = new() { Enterprise = identifier, Agent = Ipv4Address.Read(agent), Generic = generic, Specific = specific, Uptime = (uint)ticks, Varbinds = varbinds };
        return true;
    }
}
