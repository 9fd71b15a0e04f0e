using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Power.Pdu;

/// <summary>Where a make of PDU has its outlets, and the numbers that it has for things.</summary>
sealed record OutletDialect
{
    /// <summary>.outlet</summary>
    public required ObjectIdentifier State { get; init; }
    public required ObjectIdentifier Command { get; init; }
    public required ObjectIdentifier Name { get; init; }
    public required int StateOn { get; init; }
    public required int StateOff { get; init; }
    public required int SwitchOn { get; init; }
    public required int SwitchOff { get; init; }
    public required int Cycle { get; init; }

    /// <summary>Switched rack PDUs (PowerNet-MIB, rPDU): the state is apart from the command.</summary>
    public static OutletDialect Apc { get; } = new()
    {
        State = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 12, 3, 5, 1, 1, 4),
        Command = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 12, 3, 3, 1, 1, 4),
        Name = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 12, 3, 5, 1, 1, 2),
        StateOn = 1, StateOff = 2, SwitchOn = 1, SwitchOff = 2, Cycle = 3,
    };

    /// <summary>The older MasterSwitch (PowerNet-MIB, sPDU), which newer ones speak too: the command reads as the state.</summary>
    public static OutletDialect ApcMasterSwitch { get; } = new()
    {
        State = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 4, 4, 2, 1, 3),
        Command = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 4, 4, 2, 1, 3),
        Name = new(1, 3, 6, 1, 4, 1, 318, 1, 1, 4, 4, 2, 1, 4),
        StateOn = 1, StateOff = 2, SwitchOn = 1, SwitchOff = 2, Cycle = 3,
    };

    /// <summary>Raritan PX2 and later (PDU2-MIB); outlets are numbered by PDU and outlet, the first PDU is 1.</summary>
    public static OutletDialect Raritan { get; } = new()
    {
        State = new(1, 3, 6, 1, 4, 1, 13742, 6, 4, 1, 2, 1, 3, 1),
        Command = new(1, 3, 6, 1, 4, 1, 13742, 6, 4, 1, 2, 1, 2, 1),
        Name = new(1, 3, 6, 1, 4, 1, 13742, 6, 3, 5, 3, 1, 3, 1),
        StateOn = 7, StateOff = 8, SwitchOn = 1, SwitchOff = 0, Cycle = 2,
    };
}
