using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Tests.Boot;

namespace GridAppliance.Tests.Switches.Snmp;

/// <summary>Net-SNMP's own tools and the lab's agent.</summary>
public sealed class NetSnmpToolsTests : IAsyncLifetime
{
    readonly MemoryBridge bridge = new(BridgeModel.Factory(8).WithAccess(100, 1, 2, 3) with
    {
        Address = MacAddress.Parse("02:00:00:00:aa:01"),
        Addresses = [new(100, MacAddress.Parse("52:54:00:00:00:01"), 2)],
        Neighbours = [new(2, LldpChassisKind.MacAddress, [0x52, 0x54, 0, 0, 0, 1], LldpPortKind.InterfaceName, [.. "eth0"u8]) { SystemName = "n1", PortDescription = "first" }],
    });
    SnmpAgent agent = null!;

    public Task InitializeAsync()
    {
        AgentUser[] users =
        [
            new("grid", AgentAccess.ReadWrite, UsmAuthentication.Sha256, "auth passphrase", UsmPrivacy.Aes128, "priv passphrase"),
            new("strong", AgentAccess.ReadWrite, UsmAuthentication.Sha512, "auth passphrase", UsmPrivacy.Aes256, "priv passphrase"),
            new("looker", AgentAccess.Read, UsmAuthentication.Sha1, "auth passphrase", UsmPrivacy.Aes128, "priv passphrase"),
        ];
        var communities = new Dictionary<string, AgentAccess> { ["public"] = AgentAccess.Read };
        agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0x1F, 0x88, 5, 1, 2, 3], Users = users, Communities = communities },
            new Dictionary<string, IManagedTree> { [""] = new BridgeTree(bridge, "lab-switch", TimeProvider.System) }, TimeProvider.System);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await agent.DisposeAsync();

    Task<RealProgram.Outcome> AsAsync(string user, string program, params string[] arguments)
    {
        var (authentication, privacy) = user switch { "strong" => ("SHA-512", "AES-256"), "looker" => ("SHA", "AES"), _ => ("SHA-256", "AES") };
        return RunAsync(program, ["-v3", "-l", "authPriv", "-u", user, "-a", authentication, "-A", "auth passphrase", "-x", privacy, "-X", "priv passphrase"], arguments);
    }

    Task<RealProgram.Outcome> RunAsync(string program, string[] who, string[] arguments) =>
        RealProgram.RunAsync(Path.GetTempPath(), $"/usr/bin/{program}", [.. who, "-On", "-Ir", "-t", "5", "-r", "1", "-m", "", $"127.0.0.1:{agent.EndPoint.Port}", .. arguments]);

    [Theory]
    [InlineData("grid")]
    [InlineData("strong")]
    [InlineData("looker")]
    public async Task They_walk_it(string user)
    {
        var step = await AsAsync(user, "snmpwalk", ".1.3.6.1.2.1.17");
        var bulk = await AsAsync(user, "snmpbulkwalk", ".1.3.6.1.2.1.17");
        Assert.Equal(0, step.ExitCode);
        Assert.Equal(Lines(step), Lines(bulk));
        Assert.Contains(".1.3.6.1.2.1.17.7.1.4.5.1.1.2 = Gauge32: 100", step.Output);
        Assert.Contains(".1.3.6.1.2.1.17.7.1.4.3.1.2.100 = Hex-STRING: E0", step.Output);
        Assert.Contains(".1.3.6.1.2.1.17.7.1.2.2.1.2.100.82.84.0.0.0.1 = INTEGER: 2", step.Output);
    }

    [Fact]
    public async Task They_read_each_table_row_by_row()
    {
        var directory = Directory.CreateTempSubdirectory("ga-mib-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "TABLES-MIB.txt"), TablesMib.Text);
            Assert.Contains("1001;\"Gi0/1\";up;up\n", await TableAsync("ifTable"));
            Assert.Contains("\n1;1001\n", await TableAsync("dot1dBasePortTable"));
            Assert.Contains("\n2;learned\n", await TableAsync("dot1qTpFdbTable"));
            Assert.Matches("\n\"VLAN100\";\"?E0 ?\"?;\"?E0 ?\"?;active\n", await TableAsync("dot1qVlanStaticTable"));
            Assert.Contains("\n100;admitAll\n", await TableAsync("dot1qPortVlanTable"));
            Assert.Contains("\n\"eth0\";\"first\";\"n1\"\n", await TableAsync("lldpRemTable"));

            async Task<string> TableAsync(string table)
            {
                var outcome = await RealProgram.RunAsync(directory, "/usr/bin/snmptable",
                    ["-v3", "-l", "authPriv", "-u", "grid", "-a", "SHA-256", "-A", "auth passphrase", "-x", "AES", "-X", "priv passphrase", "-M", directory, "-m", "TABLES-MIB", "-t", "5", "-Cf", ";", $"127.0.0.1:{agent.EndPoint.Port}", $"TABLES-MIB::{table}"]);
                Assert.True(outcome.ExitCode == 0, outcome.Output);
                return outcome.Output;
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    static string[] Lines(RealProgram.Outcome outcome) => outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public async Task They_move_a_port_to_a_new_vlan_in_one_pdu()
    {
        var outcome = await AsAsync("grid", "snmpset",
            ".1.3.6.1.2.1.17.7.1.4.3.1.5.250", "i", "4", ".1.3.6.1.2.1.17.7.1.4.3.1.1.250", "s", "farm",
            ".1.3.6.1.2.1.17.7.1.4.3.1.2.250", "x", "80", ".1.3.6.1.2.1.17.7.1.4.3.1.4.250", "x", "80", ".1.3.6.1.2.1.17.7.1.4.5.1.1.1", "u", "250",
            ".1.3.6.1.2.1.17.7.1.4.3.1.4.100", "x", "60", ".1.3.6.1.2.1.17.7.1.4.3.1.2.100", "x", "60");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal([1], bridge.Model.Vlans[250].Untagged.Ports);
        Assert.Equal([2, 3], bridge.Model.Vlans[100].Egress.Ports);
        Assert.Equal(("farm", 250), (bridge.Model.Vlans[250].Name, bridge.Model.Ports[1].Pvid));
    }

    [Theory]
    [InlineData("inconsistentValue", ".1.3.6.1.2.1.17.7.1.4.5.1.1.1", "u", "777")] // no such VLAN
    [InlineData("inconsistentValue", ".1.3.6.1.2.1.17.7.1.4.3.1.4.100", "x", "ff")] // untagged beyond egress
    [InlineData("inconsistentValue", ".1.3.6.1.2.1.17.7.1.4.3.1.5.100", "i", "6")] // destroy what is a PVID
    [InlineData("inconsistentValue", ".1.3.6.1.2.1.17.7.1.4.3.1.5.100", "i", "4")] // make what is there
    [InlineData("inconsistentName", ".1.3.6.1.2.1.17.7.1.4.3.1.2.300", "x", "80")] // a row that is not there
    [InlineData("wrongValue", ".1.3.6.1.2.1.17.7.1.4.3.1.5.300", "i", "5")] // createAndWait
    [InlineData("wrongType", ".1.3.6.1.2.1.17.7.1.4.5.1.1.1", "s", "x")]
    [InlineData("wrongValue", ".1.3.6.1.2.1.17.7.1.4.3.1.2.100", "x", "ffff")] // port 9 of 8
    [InlineData("notWritable", ".1.3.6.1.2.1.17.1.2.0", "i", "5")]
    public async Task The_mibs_rules_are_enforced_and_nothing_of_the_pdu_is_done(string status, string name, string type, string value)
    {
        var before = bridge.Model;
        // A good one in front: it must not be done either.
        var outcome = await AsAsync("grid", "snmpset", ".1.3.6.1.2.1.31.1.1.1.18.1001", "s", "changed", name, type, value);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains(status, outcome.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Same(before, bridge.Model);
    }

    [Fact]
    public async Task Who_may_not_is_told()
    {
        Assert.Contains("noAccess", (await AsAsync("looker", "snmpset", ".1.3.6.1.2.1.17.7.1.4.5.1.1.1", "u", "1")).Output);
        Assert.Contains("noAccess", (await RunAsync("snmpset", ["-v2c", "-c", "public"], [".1.3.6.1.2.1.17.7.1.4.5.1.1.1", "u", "1"])).Output);
        Assert.Contains("Authentication failure", (await RunAsync("snmpget", ["-v3", "-l", "authPriv", "-u", "grid", "-a", "SHA-256", "-A", "wrong passphrase", "-x", "AES", "-X", "priv passphrase"], [".1.3.6.1.2.1.1.5.0"])).Output);
        Assert.Contains("Unknown user name", (await RunAsync("snmpget", ["-v3", "-l", "authNoPriv", "-u", "nobody", "-a", "SHA-256", "-A", "wrong passphrase"], [".1.3.6.1.2.1.1.5.0"])).Output);
        Assert.Contains("Unsupported security level", (await RunAsync("snmpget", ["-v3", "-l", "authNoPriv", "-u", "grid", "-a", "SHA-256", "-A", "auth passphrase"], [".1.3.6.1.2.1.1.5.0"])).Output);
        Assert.Contains("lab-switch", (await RunAsync("snmpget", ["-v1", "-c", "public"], [".1.3.6.1.2.1.1.5.0"])).Output);
    }
}
