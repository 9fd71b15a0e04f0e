using System.Net;
using System.Net.Sockets;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Power.Pdu;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Nodes;

/// <summary>Machines without a BMC, switched by gridctl: by an outlet (over real SNMP), or woken up.</summary>
public sealed class WeakPowerTests : IAsyncLifetime
{
    const string Community = "outlets";

    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
    }

    public async Task DisposeAsync() => await plane.DisposeAsync();

    /// <summary>A PDU whose outlet 3 does what it is told: a command of "off" reads as off afterwards.</summary>
    static (Recording Tree, SnmpAgent Agent) Pdu(OutletDialect dialect, int state, int command, IPAddress at)
    {
        Recording tree = null!;
        tree = new([new(dialect.State.Append(3), SnmpValue.Integer(state)), new(dialect.Command.Append(3), SnmpValue.Integer(command)), new(dialect.Name.Append(3), SnmpValue.Text("web 3"))])
        {
            IsWritable = name => name.StartsWith(dialect.Command),
        };
        return (tree, new(new(at, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 1, 2, 3, 4], Communities = new Dictionary<string, AgentAccess> { [Community] = AgentAccess.ReadWrite } },
            new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System));
    }

    [Theory]
    [InlineData("snmp+apc", "127.0.0.1", "127.0.0.1", 1, 1, 2)]
    [InlineData("snmp+raritan", "[::1]", "::1", 7, 1, 0)]
    [InlineData("snmp+apc", "localhost", "127.0.0.1", 1, 1, 2)]
    public async Task A_machine_behind_an_outlet_is_switched_and_its_power_is_told(string scheme, string host, string listensAt, int on, int commandOn, int commandOff)
    {
        var dialect = scheme == "snmp+apc" ? OutletDialect.Apc : OutletDialect.Raritan;
        var (tree, agent) = Pdu(dialect, on, commandOn, IPAddress.Parse(listensAt));
        await using var _ = agent;
        var set = await plane.GridctlWith(Community + "\n", "port", "set", "n1", $"{scheme}://{host}:{agent.EndPoint.Port}/3", "--password");
        Assert.True(set.Status == 0, set.Output + set.Error);
        Assert.Equal((0, "n1: on\n"), Outcome(await plane.Gridctl("power", "status", "n1")));

        Assert.Equal(0, (await plane.Gridctl("power", "off", "n1")).Status);
        Assert.Equal([new(dialect.Command.Append(3), SnmpValue.Integer(commandOff))], tree.Written);
        // An outlet asks nobody to shut down, and boots from nothing.
        var soft = await plane.Gridctl("power", "soft", "n1");
        Assert.Equal(3, soft.Status);
        Assert.Contains("an outlet has no", soft.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await plane.Gridctl("boot", "n1", "--once", "net")).Status);
    }

    [Fact]
    public async Task A_machine_that_can_only_be_woken_is_woken_and_nothing_is_claimed()
    {
        using var network = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        network.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var mac = TestStore.Mac(1);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"wol://{network.LocalEndPoint}/{mac}")).Status);
        var woken = await plane.Gridctl("power", "on", "n1");
        Assert.True(woken.Status == 0, woken.Output + woken.Error);
        var buffer = new byte[2048];
        var length = await network.ReceiveAsync(buffer, new CancellationTokenSource(30_000).Token);
        Assert.True(MagicPacket.TryRead(buffer.AsSpan(0, length), out MacAddress heard));
        Assert.Equal(mac, heard);
        Assert.Equal((0, "n1: unknown (on was asked for)\n"), Outcome(await plane.Gridctl("power", "status", "n1")));
        Assert.Equal(3, (await plane.Gridctl("power", "off", "n1")).Status);
    }

    static (int, string) Outcome(ManagementPlaneHost.Ran ran) => (ran.Status, ran.Output);
}
