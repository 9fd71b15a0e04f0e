using GridAppliance.Api.Client;
using GridAppliance.Api.Ports;
using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Servers;

/// <summary>Puts a BMC beside each server.</summary>
sealed class BmcRig(LabPlan plan, LabPrograms programs, LabProcesses processes)
{
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public async Task StartAsync(CancellationToken cancellation)
    {
        foreach (var server in plan.Servers)
        {
            Write(server);
            await Namespaces.AddAddressAsync(plan.Switch.Namespace, plan.Switch.Management, $"{server.Bmc.Address}/24", cancellation);
            await StartAsync(server, cancellation);
        }
    }

    public async Task StartAsync(LabServer server, CancellationToken cancellation)
    {
        await processes.StartAsync(server.Bmc.Process, plan.Switch.Namespace, [LabBmc.Program, "-n", "-c", server.Bmc.Lan, "-f", server.Bmc.Emulation, "-s", server.Bmc.State], cancellation);
        if (server.Bmc.SpeaksRedfish) await processes.StartAsync(server.Bmc.RedfishProcess, plan.Switch.Namespace, [programs.Gridlab, "redfish", server.Name, "--name", plan.Name.ToString()], cancellation);
    }

    public async Task KillAsync(LabServer server, CancellationToken cancellation)
    {
        foreach (var name in (string[])[server.Bmc.Process, server.Bmc.RedfishProcess])
            if (processes.Find(name) is { } process) await processes.KillAsync(process, cancellation);
    }

    /// <summary>Waits until the Redfish services listen, which have a runtime to start first.</summary>
    public async Task ListeningAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(StartPatience);
        try
        {
            while (plan.Servers.Any(server => server.Bmc.SpeaksRedfish && !File.Exists(server.Bmc.RedfishState))) await Task.Delay(Look, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The appliance asks again by itself.
        }
    }

    /// <summary>Hands the appliance the list of BMCs that an administrator would hand it; whose each is, it finds out by itself.</summary>
    public Task<PortImportDocument> TellAsync(ApplianceClient appliance, CancellationToken cancellation) => appliance.ImportPorts(new()
    {
        Ports = [.. plan.Servers.SelectMany(server => AddressesOf(server.Bmc).Select(address => new PortRequest { Address = address, User = LabBmc.User, Password = server.Bmc.Password, Location = $"rack 1, unit {server.Name}" }))],
    }, cancellation);

    static IEnumerable<string> AddressesOf(LabBmc bmc) => bmc.SpeaksRedfish ? [$"ipmi://{bmc.Address}", $"redfish+https://{bmc.Address}"] : [$"ipmi://{bmc.Address}"];

    void Write(LabServer server)
    {
        var bmc = server.Bmc;
        ServerRig.Rack(server);
        Directory.CreateDirectory(bmc.State);
        File.WriteAllText(bmc.Lan, BmcConfiguration.Lan(server));
        File.WriteAllText(bmc.Emulation, BmcConfiguration.Emulation);
        File.WriteAllText(bmc.Chassis, BmcConfiguration.Chassis(server, plan.Paths.Pid(server.Name), Start(server, diskFirst: false), Start(server, diskFirst: true),
            [programs.Gridlab, "power", server.Name, "soft", "--name", plan.Name.ToString()]));
        File.SetUnixFileMode(bmc.Chassis, Executable);
        File.WriteAllText(bmc.LanSettings, BmcConfiguration.LanSettings(server));
        File.WriteAllText(bmc.LanProgram, BmcConfiguration.LanProgram(bmc.LanSettings));
        File.SetUnixFileMode(bmc.LanProgram, Executable);
    }

    /// <summary>The BMC lives in the switch's namespace, and so does what it starts.</summary>
    IReadOnlyList<string> Start(LabServer server, bool diskFirst) =>
        LabProcesses.StartArguments(plan.Paths, server.Name, networkNamespace: null, QemuArguments.For(plan.Name, server, diskFirst));
}
