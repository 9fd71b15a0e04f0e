using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.QBridge;

/// <summary>The tables of a switch as they came, before anything is made of them.</summary>
sealed record QBridgeRows
{
    public required ObjectIdentifier SysObjectId { get; init; }
    public required IReadOnlyList<Varbind> BasePorts { get; init; }
    public required IReadOnlyList<Varbind> Pvids { get; init; }
    public required IReadOnlyList<Varbind> Static { get; init; }
    public required IReadOnlyList<Varbind> Current { get; init; }
    public IReadOnlyList<Varbind> InterfaceNames { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceDescriptions { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceAliases { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceAdminStatus { get; init; } = [];
    public IReadOnlyList<Varbind> InterfaceOperStatus { get; init; } = [];
}
