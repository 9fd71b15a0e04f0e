using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Tests.Switches;

/// <summary>A switch that keeps state and enforces the MIB's rules, on a port of loopback, with the lab's kind of user.</summary>
sealed class SwitchBench : IAsyncDisposable
{
    public const string User = "grid", Authentication = "auth passphrase", Privacy = "priv passphrase", Community = "bench community";

    /// <summary>The user as the switch knows it.</summary>
    public static AgentUser Account { get; } = new(User, AgentAccess.ReadWrite, UsmAuthentication.Sha256, Authentication, UsmPrivacy.Aes128, Privacy);

    /// <summary>The same user as whoever asks the switch knows it.</summary>
    public static SnmpCredentials Credentials { get; } = new SnmpCredentials.User(User, UsmAuthentication.Sha256, Authentication, UsmPrivacy.Aes128, Privacy);

    /// <summary>A file for <c>--secret-file</c>.</summary>
    public static async Task<string> WriteSecretAsync(string directory)
    {
        var file = Path.Combine(directory, "switch.secret");
        await File.WriteAllTextAsync(file, $"{Authentication}\n{Privacy}\n");
        return file;
    }

    public SwitchBench(BridgeModel model, string name = "sw") : this(new MemoryBridge(model), name)
    {
    }

    public SwitchBench(MemoryBridge bridge, string name, IBridgeBackend? backend = null)
    {
        Bridge = bridge;
        var tree = new BridgeTree(backend ?? bridge, name, TimeProvider.System);
        Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, .. System.Text.Encoding.ASCII.GetBytes(name)], Users = [Account], Communities = new Dictionary<string, AgentAccess> { [Community] = AgentAccess.ReadWrite } }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
    }

    public MemoryBridge Bridge { get; }

    public SnmpAgent Agent { get; }

    public string Address => $"snmp+qbridge://127.0.0.1:{Agent.EndPoint.Port}";

    public int Sets => Agent.Served.GetValueOrDefault(SnmpPduType.Set);

    public ValueTask DisposeAsync() => Agent.DisposeAsync();
}
