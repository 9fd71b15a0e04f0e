using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Consoles;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>Ports that are known by a name or by an IPv6 address.</summary>
public sealed class PortHostTests : IAsyncLifetime
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    ManagementPlaneHost plane = null!;
    Node node = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        node = await SampleNodes.DiscoverAsync(plane, 1);
    }

    public async Task DisposeAsync() => await plane.DisposeAsync();

    Task<ManagementPlaneHost.Ran> SetAsync(string address, string user, string password) => plane.GridctlWith(password + "\n", "port", "set", "n1", address, "--user", user);

    [Fact]
    public async Task A_bmc_with_a_name_is_signed_in_to()
    {
        await using var bmc = new ScriptedBmc();
        var set = await SetAsync($"ipmi://localhost:{bmc.EndPoint.Port}", bmc.User, Encoding.ASCII.GetString(bmc.Password));
        Assert.Equal((0, $"n1: ipmi://localhost:{bmc.EndPoint.Port} bmc as {bmc.User}, answers\n"), (set.Status, set.Output));
        Assert.Equal("n1: off\n", (await plane.Gridctl("power", "status", "n1")).Output);
    }

    [Fact]
    public async Task A_bmc_with_an_ipv6_address_is_signed_in_to_beside_one_with_an_ipv4_address()
    {
        using var six = IpmiSimulator.Start(at: new(IPAddress.IPv6Loopback, 0));
        await using var four = new ScriptedBmc();
        await SampleNodes.DiscoverAsync(plane, 2);
        Assert.Equal(0, (await plane.GridctlWith(Encoding.ASCII.GetString(four.Password) + "\n", "port", "set", "n2", four.Uri.OriginalString, "--user", four.User)).Status);
        var set = await SetAsync($"ipmi://[::1]:{six.EndPoint.Port}", IpmiSimulator.User, IpmiSimulator.Password);
        Assert.Equal((0, $"n1: ipmi://[::1]:{six.EndPoint.Port} bmc as {IpmiSimulator.User}, answers\n"), (set.Status, set.Output));
        Assert.Equal("n1: is on\nn2: is on\n", (await plane.Gridctl("power", "on", "n[1-2]")).Output);
    }

    [Fact]
    public async Task A_redfish_service_is_found_by_its_name()
    {
        await using var bmc = await RedfishSimulator.StartAsync();
        Assert.Equal(0, (await SetAsync($"redfish+https://localhost:{bmc.Address.Port}", RedfishSimulator.User, RedfishSimulator.Password)).Status);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_said_and_costs_no_more()
    {
        var set = await SetAsync("ipmi://no-such-bmc.invalid", "admin", "secret");
        Assert.Equal(3, set.Status);
        Assert.Contains("nobody knows the name no-such-bmc.invalid", set.Output);
    }

    [Fact]
    public async Task Two_names_of_one_bmc_are_not_two_owners_of_it()
    {
        await using var bmc = new ScriptedBmc();
        await SampleNodes.DiscoverAsync(plane, 2);
        Assert.Equal(0, (await SetAsync($"ipmi://localhost:{bmc.EndPoint.Port}", bmc.User, Encoding.ASCII.GetString(bmc.Password))).Status);
        var second = await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n2", $"ipmi://127.0.0.1:{bmc.EndPoint.Port}", "--user", bmc.User);
        Assert.Equal(3, second.Status);
        Assert.Contains("same device as another port", second.Output);
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("[::1]", "::1")]
    public async Task A_console_server_has_either(string host, string listensAt)
    {
        using var server = new TcpListener(IPAddress.Parse(listensAt), 0);
        server.Start();
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"tcp://{host}:{((IPEndPoint)server.LocalEndpoint).Port}")).Status);
        await using var console = await new ConsoleFamily(plane.Get<NodePorts>(), TimeProvider.System).Of(node.Id)!.OpenAsync(Patience);
        // The recorder of the plane has one of its own.
        for (var line = 0; line < 2; line++) await (await server.AcceptTcpClientAsync(Patience)).GetStream().WriteAsync("login: "u8.ToArray(), Patience);
        var buffer = new byte[7];
        for (var at = 0; at < buffer.Length;) at += await console.ReadAsync(buffer.AsMemory(at), Patience);
        Assert.Equal("login: ", Encoding.ASCII.GetString(buffer));
    }
}
