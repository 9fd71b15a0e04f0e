namespace GridAppliance.Agent.Native;

/// <summary>The machine as a whole.</summary>
static class Machine
{
    /// <summary>Writes out what is in memory and restarts. The appliance decides what it boots next.</summary>
    public static void Reboot()
    {
        Libc.Sync();
        if (Libc.Reboot(Libc.RebootAutoboot) != 0) throw new IOException($"reboot(2) failed with errno {System.Runtime.InteropServices.Marshal.GetLastPInvokeError()}");
    }
}
