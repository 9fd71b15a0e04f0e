using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Tests.Switches;

/// <summary>A switch that keeps state and enforces the MIB's rules, on a port of loopback, with the lab's kind of user.</summary>
sealed class SwitchBench : IAsyncDisposable
{
    public const string User = "grid", Authentication = "auth passphrase", Privacy = "priv passphrase";

    public SwitchBench(BridgeModel model, string name = "sw") : this(new MemoryBridge(model), name)
    {
    }

    public SwitchBench(MemoryBridge bridge, string name, IBridgeBackend? backend = null)
    {
        Bridge = bridge;
        var users = new[] { new AgentUser(User, AgentAccess.ReadWrite, UsmAuthentication.Sha256, Authentication, UsmPrivacy.Aes128, Privacy) };
        var tree = new BridgeTree(backend ?? bridge, name, TimeProvider.System);
        Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, .. System.Text.Encoding.ASCII.GetBytes(name)], Users = users }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
    }

    public MemoryBridge Bridge { get; }

    public SnmpAgent Agent { get; }

    public string Address => $"snmp+qbridge://127.0.0.1:{Agent.EndPoint.Port}";

    public int Sets => Agent.Served.GetValueOrDefault(SnmpPduType.Set);

    public ValueTask DisposeAsync() => Agent.DisposeAsync();
}
