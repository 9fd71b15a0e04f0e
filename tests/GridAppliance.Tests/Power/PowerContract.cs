using GridAppliance.Hosting;
using GridAppliance.Power;

namespace GridAppliance.Tests.Power;

/// <summary>What every driver of the power family does, whatever is behind it. A driver's tests derive this class and say where its device is.</summary>
public abstract class PowerContract : IAsyncLifetime
{
    /// <summary>A device that is reachable, with the right account, and is off.</summary>
    private protected abstract Task<IPrivilegedPort> OpenAsync();

    /// <summary>The same device with a wrong password.</summary>
    private protected abstract Task<IPrivilegedPort> OpenWithWrongPasswordAsync();

    /// <summary>Takes a device away that was opened with one of these.</summary>
    public abstract Task DisposeAsync();

    public virtual Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Fails when the device has not taken the boot device.</summary>
    private protected virtual async Task IsSetAsync(IBootOverride boot, BootOverride wanted) => Assert.Equal(wanted, await boot.GetBootAsync(Patience));

    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task Power_goes_on_and_off_and_shows()
    {
        await using var port = await OpenAsync();
        var power = Assert.IsAssignableFrom<IPowerControl>(port);
        Assert.Equal(PowerState.Off, await power.GetPowerAsync(Patience));
        await power.SetPowerAsync(PowerAction.On, Patience);
        Assert.Equal(PowerState.On, await power.GetPowerAsync(Patience));
        await power.SetPowerAsync(PowerAction.On, Patience);
        Assert.Equal(PowerState.On, await power.GetPowerAsync(Patience));
        await power.SetPowerAsync(PowerAction.Off, Patience);
        Assert.Equal(PowerState.Off, await power.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task A_cycle_of_a_machine_that_is_off_turns_it_on()
    {
        await using var port = await OpenAsync();
        var power = (IPowerControl)port;
        await power.SetPowerAsync(PowerAction.Cycle, Patience);
        Assert.Equal(PowerState.On, await power.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task A_machine_that_is_on_is_reset()
    {
        await using var port = await OpenAsync();
        var power = (IPowerControl)port;
        await power.SetPowerAsync(PowerAction.On, Patience);
        await power.SetPowerAsync(PowerAction.Reset, Patience);
        Assert.Equal(PowerState.On, await power.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task A_boot_device_is_taken()
    {
        await using var port = await OpenAsync();
        var boot = Assert.IsAssignableFrom<IBootOverride>(port);
        foreach (var wanted in (BootOverride[])[new(BootDevice.Network, BootFirmware.Uefi, IsPersistent: false), new(BootDevice.Disk, BootFirmware.Bios, IsPersistent: true)])
        {
            await boot.SetBootAsync(wanted, Patience);
            await IsSetAsync(boot, wanted);
        }
    }

    [Fact]
    public async Task Many_callers_at_once_all_get_their_answer()
    {
        await using var port = await OpenAsync();
        var power = (IPowerControl)port;
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => power.GetPowerAsync(Patience))), state => Assert.Equal(PowerState.Off, state));
    }

    [Fact]
    public async Task A_wrong_password_is_told_apart_from_a_dead_device_and_is_not_transient()
    {
        await using var port = await OpenWithWrongPasswordAsync();
        var power = (IPowerControl)port;
        var told = await Assert.ThrowsAsync<DeviceException>(() => power.GetPowerAsync(Patience));
        Assert.Equal(DeviceFault.CredentialsRefused, told.Fault);
        Assert.False(told.IsTransient);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_disturb_the_next()
    {
        await using var port = await OpenAsync();
        var power = (IPowerControl)port;
        using var gaveUp = new CancellationTokenSource();
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => power.GetPowerAsync(gaveUp.Token));
        Assert.Equal(PowerState.Off, await power.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task After_it_is_closed_it_says_so()
    {
        var port = await OpenAsync();
        await port.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ((IPowerControl)port).GetPowerAsync(Patience));
    }
}
