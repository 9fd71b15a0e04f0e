using System.Net;
using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Servers.Redfish;

/// <summary><c>gridlab redfish SERVER</c>: the Redfish side of a server's BMC, which runs in the switch's namespace until it is ended.</summary>
static class RedfishAgent
{
    public static async Task<int> RunAsync(LabServer server, TimeProvider clock, CancellationToken cancellation)
    {
        var options = new RedfishSimulatorOptions
        {
            Listen = new(IPAddress.Parse(server.Bmc.Address), 443), User = LabBmc.User, Password = server.Bmc.Password, Uuid = server.Uuid, Mac = server.Mac.ToString(), Maker = "GridLab",
            Model = QemuArguments.ProductOf(server.Firmware), Serial = server.Serial, StateFile = server.Bmc.RedfishState, Chassis = new Chassis(server), Clock = clock,
        };
        await using var bmc = await RedfishSimulator.StartAsync(options);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // It was told to end.
        }
        return 0;
    }

    /// <summary>The machine, by way of the program that its IPMI side uses too.</summary>
    sealed class Chassis(LabServer server) : IRedfishChassis
    {
        public async Task<bool> IsOnAsync(CancellationToken cancellation) => (await Command.RunAsync([server.Bmc.Chassis, "get", "power"], cancellation)).Trim() == "power:1";

        public async Task ResetAsync(string type, string bootTarget, CancellationToken cancellation)
        {
            // UEFI HTTP boot is what the network comes to on a server whose firmware does that.
            string[] boot = bootTarget switch { "Pxe" or "UefiHttp" => ["boot", "pxe"], "Hdd" => ["boot", "default"], _ => ["boot", "none"] };
            string[] action = type switch
            {
                "ForceOff" => ["power", "0"],
                "GracefulShutdown" => ["shutdown", "1"],
                "ForceRestart" or "PowerCycle" => [.. boot, "reset", "1"],
                "Nmi" => [],
                _ => [.. boot, "power", "1"],
            };
            if (action.Length > 0) await Command.RunAsync([server.Bmc.Chassis, "set", .. action], cancellation);
        }
    }
}
