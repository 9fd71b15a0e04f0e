using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Servers;

/// <summary>Racks servers and presses their power buttons.</summary>
sealed class ServerRig(LabPlan plan, LabProcesses processes)
{
    public LabServer Named(string name) => plan.Servers.FirstOrDefault(server => server.Name == name)
        ?? throw new LabException($"No server is called '{name}': this lab has {string.Join(", ", plan.Servers.Select(server => server.Name))}.");

    public ProcessIdentity? Running(LabServer server) => processes.Find(server.Name);

    public async Task PowerOnAsync(LabServer server, CancellationToken cancellation)
    {
        Rack(server);
        await processes.StartAsync(server.Name, plan.Switch.Namespace, QemuArguments.For(plan.Name, server), cancellation);
    }

    /// <summary>As when the plug is pulled.</summary>
    public async Task PowerOffAsync(LabServer server, CancellationToken cancellation)
    {
        if (Running(server) is { } process) await processes.KillAsync(process, cancellation);
    }

    public async Task PowerCycleAsync(LabServer server, CancellationToken cancellation)
    {
        await PowerOffAsync(server, cancellation);
        await PowerOnAsync(server, cancellation);
    }

    /// <summary>Presses the button for a moment: the operating system is asked to shut down (ACPI).</summary>
    public static Task ShutDownAsync(LabServer server, CancellationToken cancellation) => QmpClient.SendAsync(server, "system_powerdown", [], cancellation);

    public string ConsoleEnd(LabServer server) => LogTail.Of(server.ConsoleLog, 15);

    /// <summary>A blank disk, and firmware settings of its own as the factory left them.</summary>
    public static void Rack(LabServer server)
    {
        Directory.CreateDirectory(server.Directory);
        if (!File.Exists(server.Disk))
        {
            using var disk = File.Create(server.Disk);
            disk.SetLength(server.DiskMiB * 1024L * 1024);
        }
        if (server.Firmware is ServerFirmware.Bios) return;
        if (!File.Exists(server.FirmwareVariables)) File.Copy(QemuArguments.UefiVariables, server.FirmwareVariables);
        Directory.CreateDirectory(server.RetryStick);
        File.WriteAllText($"{server.RetryStick}/startup.nsh", "reset -c\r\n");
    }
}
