namespace GridAppliance.Power;

enum BootDevice
{
    /// <summary>No override: what the firmware is set to.</summary>
    None,
    Network,
    Disk,
    Cd,
    /// <summary>The firmware's set-up screens.</summary>
    Setup,
    Diagnostic,
    Removable,
}

enum BootFirmware { Bios, Uefi }

/// <param name="Device">What to boot from.</param>
/// <param name="Firmware">How.</param>
/// <param name="IsPersistent">For every boot from now on; otherwise for the next one.</param>
sealed record BootOverride(BootDevice Device, BootFirmware Firmware, bool IsPersistent);

interface IBootOverride
{
    Task SetBootAsync(BootOverride boot, CancellationToken cancellationToken);

    /// <summary>What is set; null when nothing is in force.</summary>
    Task<BootOverride?> GetBootAsync(CancellationToken cancellationToken);
}
