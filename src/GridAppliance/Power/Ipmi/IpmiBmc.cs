using GridAppliance.Protocols.Ipmi.Commands;

namespace GridAppliance.Power.Ipmi;

/// <summary>A BMC that speaks IPMI 2.0 over LAN, in the words of the power family. Who talks to it is <see cref="BmcOwner"/>.</summary>
sealed partial class IpmiBmc(Uri address, BmcOwner owner) : IPrivilegedPort, IPowerControl, IBootOverride, IIdentifyLight, ISensorSource, IEventLog, IInventorySource, IManagementLan, IDeviceAccounts, ISecurityAudit
{
    public Uri Address { get; } = address;

    /// <summary>For what the capabilities do not say.</summary>
    public BmcOwner Owner => owner;

    public async Task<PowerState> GetPowerAsync(CancellationToken cancellationToken) =>
        (await owner.AskAsync(new GetChassisStatus(), cancellationToken)).IsOn ? PowerState.On : PowerState.Off;

    public async Task SetPowerAsync(PowerAction action, CancellationToken cancellationToken)
    {
        // Many BMCs refuse to cycle a machine that is off, though what is meant is clear.
        if (action == PowerAction.Cycle && await GetPowerAsync(cancellationToken) == PowerState.Off) action = PowerAction.On;
        await owner.AskAsync(new ChassisControl(action switch
        {
            PowerAction.On => ChassisAction.PowerUp,
            PowerAction.Off => ChassisAction.PowerDown,
            PowerAction.SoftOff => ChassisAction.SoftShutdown,
            PowerAction.Cycle => ChassisAction.PowerCycle,
            PowerAction.Reset => ChassisAction.HardReset,
            PowerAction.Interrupt => ChassisAction.Diagnostic,
        }), cancellationToken);
    }

    public async Task SetBootAsync(BootOverride boot, CancellationToken cancellationToken)
    {
        // Optional in BMCs, and without it the flags are forgotten sixty seconds later: asked for, not insisted on.
        await owner.TryAskAsync(new KeepBootFlags(), cancellationToken);
        await owner.AskAsync(new SetBootFlags(new()
        {
            IsValid = true,
            IsPersistent = boot.IsPersistent,
            IsUefi = boot.Firmware == BootFirmware.Uefi,
            Device = boot.Device switch
            {
                BootDevice.None => BootDeviceSelector.None,
                BootDevice.Network => BootDeviceSelector.Pxe,
                BootDevice.Disk => BootDeviceSelector.HardDisk,
                BootDevice.Cd => BootDeviceSelector.Cd,
                BootDevice.Setup => BootDeviceSelector.Setup,
                BootDevice.Diagnostic => BootDeviceSelector.Diagnostic,
                BootDevice.Removable => BootDeviceSelector.Floppy,
            },
        }), cancellationToken);
    }

    public async Task<BootOverride?> GetBootAsync(CancellationToken cancellationToken)
    {
        var flags = await owner.AskAsync(new GetBootFlags(), cancellationToken);
        if (!flags.IsValid || flags.Device == BootDeviceSelector.None) return null;
        var device = flags.Device switch
        {
            BootDeviceSelector.None => BootDevice.None,
            BootDeviceSelector.Pxe => BootDevice.Network,
            BootDeviceSelector.HardDisk or BootDeviceSelector.HardDiskSafeMode or BootDeviceSelector.RemoteHardDisk => BootDevice.Disk,
            BootDeviceSelector.Diagnostic => BootDevice.Diagnostic,
            BootDeviceSelector.Cd or BootDeviceSelector.RemoteCd => BootDevice.Cd,
            BootDeviceSelector.Setup => BootDevice.Setup,
            BootDeviceSelector.RemoteFloppy or BootDeviceSelector.PrimaryRemoteMedia or BootDeviceSelector.Floppy => BootDevice.Removable,
        };
        return new(device, flags.IsUefi ? BootFirmware.Uefi : BootFirmware.Bios, flags.IsPersistent);
    }

    public async Task<IdentifyLight> GetIdentifyAsync(CancellationToken cancellationToken)
    {
        var status = await owner.AskAsync(new GetChassisStatus(), cancellationToken);
        if (!status.HasIdentifyState) return IdentifyLight.Unknown;
        return status.Identify switch
        {
            IdentifyState.Off => IdentifyLight.Off,
            IdentifyState.Timed => IdentifyLight.Blinking,
            IdentifyState.On => IdentifyLight.On,
            IdentifyState.Reserved => IdentifyLight.Unknown,
        };
    }

    public Task IdentifyAsync(TimeSpan? duration, CancellationToken cancellationToken) =>
        owner.AskAsync(new ChassisIdentify((byte)Math.Clamp(duration?.TotalSeconds ?? 0, 0, byte.MaxValue), Forever: duration is null), cancellationToken);

    public Task<IReadOnlyList<SecurityFinding>> AuditAsync(CancellationToken cancellationToken) => owner.EnqueueAsync(new AuditErrand(), cancellationToken);

    /// <summary>What the BMC says to whoever asks, without an account; null when that makes no sense.</summary>
    public Task<AuthenticationCapabilities?> AskForCapabilitiesAsync(CancellationToken cancellationToken) => owner.EnqueueAsync(new CapabilitiesErrand(), cancellationToken);

    public ValueTask DisposeAsync() => owner.DisposeAsync();
}
