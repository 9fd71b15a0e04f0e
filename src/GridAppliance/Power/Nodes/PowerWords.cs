using System.Collections.Frozen;

namespace GridAppliance.Power.Nodes;

/// <summary>The words of the API for what can be done to a machine.</summary>
static class PowerWords
{
    public static FrozenDictionary<string, PowerAction> Actions { get; } = new Dictionary<string, PowerAction>
    {
        ["on"] = PowerAction.On, ["off"] = PowerAction.Off, ["soft"] = PowerAction.SoftOff, ["cycle"] = PowerAction.Cycle, ["reset"] = PowerAction.Reset, ["interrupt"] = PowerAction.Interrupt,
    }.ToFrozenDictionary();

    public static FrozenDictionary<string, BootDevice> Devices { get; } = new Dictionary<string, BootDevice>
    {
        ["net"] = BootDevice.Network, ["disk"] = BootDevice.Disk, ["cd"] = BootDevice.Cd, ["setup"] = BootDevice.Setup, ["diag"] = BootDevice.Diagnostic, ["removable"] = BootDevice.Removable, ["none"] = BootDevice.None,
    }.ToFrozenDictionary();

    /// <summary>To finish "was …" and "would be …".</summary>
    public static string Done(PowerAction action) => action switch
    {
        PowerAction.On => "switched on",
        PowerAction.Off => "switched off",
        PowerAction.SoftOff => "asked to shut down",
        PowerAction.Cycle => "power-cycled",
        PowerAction.Reset => "reset",
        PowerAction.Interrupt => "interrupted (NMI)",
    };

    public static string Device(BootDevice device) => device switch
    {
        BootDevice.None => "what its firmware is set to",
        BootDevice.Network => "the network",
        BootDevice.Disk => "its disk",
        BootDevice.Cd => "its CD",
        BootDevice.Setup => "its set-up screens",
        BootDevice.Diagnostic => "its diagnostics",
        BootDevice.Removable => "removable media",
    };

    public static string Kind(PowerAction action) => $"power.{action.ToString().ToLowerInvariant()}";

    /// <summary>What a machine is to be after an action; unknown for one that leaves it as it is.</summary>
    public static PowerState Desired(PowerAction action) => action switch
    {
        PowerAction.On or PowerAction.Cycle or PowerAction.Reset => PowerState.On,
        PowerAction.Off or PowerAction.SoftOff => PowerState.Off,
        PowerAction.Interrupt => PowerState.Unknown,
    };
}
