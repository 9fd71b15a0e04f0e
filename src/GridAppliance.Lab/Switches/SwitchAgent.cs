using System.Net;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Lab.Switches;

/// <summary><c>gridlab switch-agent</c>: the SNMP agent of the lab's switch, which runs in the switch's namespace until it is ended.</summary>
static class SwitchAgent
{
    const int Port = 161;

    public static async Task<int> RunAsync(LabPlan plan, TimeProvider clock, CancellationToken cancellation)
    {
        await using var ear = new LldpEar(clock);
        var bridge = new OvsBridge(plan.Paths, plan.Switch.Bridge, ear, clock);
        var tree = new BridgeTree(bridge, $"{plan.Name}-switch", clock);
        await using var agent = new SnmpAgent(new(IPAddress.Parse(LabSwitch.ManagementAddress), Port), Options(plan.Name, clock), new Dictionary<string, IManagedTree> { [""] = tree }, clock);
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

    static AgentOptions Options(LabName name, TimeProvider clock) => new()
    {
        // The same switch for as long as the lab has its name (RFC 3411, section 5: enterprise, then "octets").
        EngineId = [0x80, 0x00, 0x1F, 0x88, 5, .. SHA256.HashData(Encoding.UTF8.GetBytes(name.ToString())).AsSpan(0, 8)],
        // It keeps no file: minutes since a year that is over go up with every start.
        Boots = (int)(clock.GetUtcNow() - new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalMinutes,
        Users = [new(LabSwitch.SnmpUser, AgentAccess.ReadWrite, UsmAuthentication.Sha256, LabSwitch.SnmpAuthentication, UsmPrivacy.Aes128, LabSwitch.SnmpPrivacy)],
    };
}
