namespace GridAppliance.Agent.Native;

/// <summary>The machine as a whole.</summary>
static class Machine
{
    /// <summary>Asks the operating system that the machine has of its own: it has more to end than the agent's work.</summary>
    public static async Task RestartByItsSystemAsync()
    {
        using var systemctl = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("systemctl") { ArgumentList = { "reboot" } });
        if (systemctl is not null) await systemctl.WaitForExitAsync();
    }

    /// <summary>Writes out what is in memory and restarts. The appliance decides what it boots next.</summary>
    public static void Reboot() => Restart(Libc.RebootAutoboot);

    /// <summary>As <see cref="Reboot"/>, but into the kernel that has been loaded, and not through the firmware.</summary>
    public static void BootLoadedKernel() => Restart(Libc.RebootKexec);

    static void Restart(int how)
    {
        Libc.Sync();
        if (Libc.Reboot(how) != 0) throw new IOException($"reboot(2) failed with errno {System.Runtime.InteropServices.Marshal.GetLastPInvokeError()}");
    }
}
