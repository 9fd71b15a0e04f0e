namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Get Chassis Status (IPMI 2.0, section 28.2).</summary>
public sealed record GetChassisStatus : IpmiRequest<ChassisStatus>
{
    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x01;

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out ChassisStatus answer)
    {
        answer = default;
        if (data.Length < 3) return false;
        answer = new()
        {
            IsOn = (data[0] & 0x01) != 0,
            Faults = (PowerFaults)(data[0] & 0x1E),
            RestorePolicy = (PowerRestorePolicy)(data[0] >> 5 & 3),
            LastEvent = (LastPowerEvent)(data[1] & 0x1F),
            HasIdentifyState = (data[2] & 0x40) != 0,
            Identify = (IdentifyState)(data[2] >> 4 & 3),
            Intrusion = (data[2] & 0x01) != 0,
            FrontPanelLocked = (data[2] & 0x02) != 0,
            DriveFault = (data[2] & 0x04) != 0,
            FanFault = (data[2] & 0x08) != 0,
        };
        return true;
    }
}

public readonly record struct ChassisStatus
{
    public bool IsOn { get; init; }
    public PowerFaults Faults { get; init; }
    public PowerRestorePolicy RestorePolicy { get; init; }
    public LastPowerEvent LastEvent { get; init; }
    /// <summary>Whether the BMC tells <see cref="Identify"/> at all.</summary>
    public bool HasIdentifyState { get; init; }
    public IdentifyState Identify { get; init; }
    public bool Intrusion { get; init; }
    public bool FrontPanelLocked { get; init; }
    public bool DriveFault { get; init; }
    public bool FanFault { get; init; }
}

[Flags]
public enum PowerFaults : byte { None = 0, Overload = 0x02, Interlock = 0x04, PowerFault = 0x08, ControlFault = 0x10 }

public enum PowerRestorePolicy : byte { StayOff = 0, Previous = 1, TurnOn = 2, Unknown = 3 }

[Flags]
public enum LastPowerEvent : byte { None = 0, AcFailed = 0x01, Overload = 0x02, Interlock = 0x04, Fault = 0x08, OnByCommand = 0x10 }

public enum IdentifyState : byte { Off = 0, Timed = 1, On = 2, Reserved = 3 }

/// <summary>What Chassis Control can do (section 28.3).</summary>
public enum ChassisAction : byte
{
    /// <summary>Hard off, as a button held for four seconds.</summary>
    PowerDown = 0,
    PowerUp = 1,
    /// <summary>Off, at least a second's pause, on. Some BMCs refuse it while the power is off.</summary>
    PowerCycle = 2,
    HardReset = 3,
    /// <summary>A diagnostic interrupt (NMI).</summary>
    Diagnostic = 4,
    /// <summary>Asks the operating system to shut down (ACPI).</summary>
    SoftShutdown = 5,
}

/// <summary>Chassis Control (section 28.3).</summary>
public sealed record ChassisControl(ChassisAction Action) : IpmiOrder
{
    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x02;

    public override bool IsRepeatable => Action switch
    {
        ChassisAction.PowerDown => true,
        ChassisAction.PowerUp => true,
        ChassisAction.PowerCycle => false,
        ChassisAction.HardReset => false,
        ChassisAction.Diagnostic => false,
        ChassisAction.SoftShutdown => true,
    };

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)Action;
        return 1;
    }
}

/// <summary>Chassis Identify (section 28.5): the light on for <paramref name="Seconds"/>, until told otherwise with <paramref name="Forever"/>, off with zero.</summary>
public sealed record ChassisIdentify(byte Seconds, bool Forever) : IpmiOrder
{
    public override NetFunction Function => NetFunction.Chassis;
    public override byte Command => 0x04;

    public override int WriteData(Span<byte> data)
    {
        data[0] = Seconds;
        if (!Forever) return 1;
        // The second octet is optional: BMCs of IPMI 1.5 refuse a request that has it.
        data[1] = 0x01;
        return 2;
    }
}
