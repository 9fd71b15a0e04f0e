namespace GridAppliance.Power;

enum PowerState { Unknown, Off, On }

enum PowerAction
{
    On,
    /// <summary>Cuts the power: the operating system is not asked.</summary>
    Off,
    /// <summary>Asks the operating system to shut down; whether it does shows in the state later.</summary>
    SoftOff,
    /// <summary>Off and on again; plain on, when it is off.</summary>
    Cycle,
    Reset,
    /// <summary>A diagnostic interrupt (NMI), for a crash dump.</summary>
    Interrupt,
}

interface IPowerControl
{
    Task<PowerState> GetPowerAsync(CancellationToken cancellationToken);

    /// <summary>Returns when the device has taken the order, which may be before the state has changed.</summary>
    Task SetPowerAsync(PowerAction action, CancellationToken cancellationToken);
}
