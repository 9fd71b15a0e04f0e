using System.Net;
using System.Net.Http.Json;
using System.Text;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Consoles;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>The ports of nodes through the management plane, with a BMC that answers real datagrams.</summary>
public sealed class NodePortsTests : IAsyncLifetime
{
    static readonly CancellationToken Never = CancellationToken.None;

    readonly ScriptedBmc bmc = new();
    ManagementPlaneHost plane = null!;
    Node node = null!;

    string Address => $"ipmi://{bmc.EndPoint}";

    string Password => Encoding.ASCII.GetString(bmc.Password);

    NodePorts Ports => plane.Get<NodePorts>();

    NodePort Port => Assert.Single(Ports.Current.Of(node.Id));

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        node = await SampleNodes.DiscoverAsync(plane, 1);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bmc.DisposeAsync();
    }

    Task<ManagementPlaneHost.Ran> SetAsync(string? password = null, string name = "n1") => plane.GridctlWith((password ?? Password) + "\n", "port", "set", name, Address, "--user", bmc.User);

    Task<PowerState> PowerAsync() => Ports.UseAsync<IPowerControl, PowerState>(Port, (power, token) => power.GetPowerAsync(token), Never);

    [Fact]
    public async Task A_port_is_set_with_a_password_that_nobody_sees_again()
    {
        var set = await SetAsync();
        Assert.Equal((0, $"n1: {Address} bmc as {bmc.User}, answers\n"), (set.Status, set.Output));

        using var http = plane.Http();
        var everything = await http.GetStringAsync("/api/v1/nodes/n1/ports") + await http.GetStringAsync("/api/v1/ports") + await http.GetStringAsync("/api/v1/nodes/n1/timeline") + (await plane.Gridctl("port", "list")).Output;
        Assert.Contains(Address, everything);
        Assert.DoesNotContain(Password, everything);
        var shown = Assert.Single((await http.GetFromJsonAsync("/api/v1/nodes/n1/ports", ApiJson.Default.IReadOnlyListPortDocument))!);
        Assert.Equal(("bmc", "n1", true, false, "answers"), (shown.Kind, shown.Node, shown.HasPassword, shown.HasDeviceKey, shown.State));
        Assert.Equal(("ipmi", bmc.EndPoint.ToString()), (plane.Nodes.Current.Find("n1")!.ToDocument().Bmc!.Kind, plane.Nodes.Current.Find("n1")!.ToDocument().Bmc!.Address));
        foreach (var file in Directory.EnumerateFiles(plane.DataDir))
        {
            if (Path.GetExtension(file) == ".sock") continue;
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var octets = new MemoryStream();
            await stream.CopyToAsync(octets);
            Assert.Equal(-1, octets.ToArray().AsSpan().IndexOf(bmc.Password));
        }
    }

    [Fact]
    public async Task A_wrong_password_is_said_once_and_not_tried_again_until_it_is_changed()
    {
        var wrong = await SetAsync("not the one");
        Assert.Equal(3, wrong.Status);
        Assert.Contains("refused", wrong.Output);
        var asked = bmc.Count("OpenSession");
        for (var i = 0; i < 5; i++)
        {
            var told = await Assert.ThrowsAsync<DeviceException>(PowerAsync);
            Assert.Equal(DeviceFault.CredentialsRefused, told.Fault);
        }
        Assert.Equal(asked, bmc.Count("OpenSession"));
        Assert.Single(plane.Timeline.ReadNode(node.Id, 100), e => e.Kind == "port.refused");

        Assert.Equal(0, (await SetAsync()).Status);
        Assert.Equal(PowerState.Off, await PowerAsync());
        Assert.Equal(PortHealth.Answers, Ports.StateOf(Port).Health);
    }

    [Fact]
    public async Task A_refused_password_is_not_tried_again_by_a_restart_and_not_told_again()
    {
        Assert.Equal(3, (await SetAsync("not the one")).Status);
        var (port, asked) = (plane.Loopback.Port, bmc.Count("Rakp1"));
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Equal(PortHealth.Refused, Ports.StateOf(Port).Health);
        Assert.Matches("refused.*the password is not the one", (await plane.Gridctl("port", "list")).Output);
        var told = await Assert.ThrowsAsync<DeviceException>(PowerAsync);
        Assert.Equal((DeviceFault.CredentialsRefused, $"{Address}: the password is not the one that the BMC has"), (told.Fault, told.Message));
        await plane.Get<PowerReconciler>().LookOneAsync(plane.Nodes.Current.Find("n1")!, Never);
        await Assert.ThrowsAsync<IOException>(() => new ConsoleFamily(Ports, TimeProvider.System).Of(node.Id)!.OpenAsync(Never));
        Assert.Equal(asked, bmc.Count("Rakp1"));
        Assert.Single(plane.Timeline.ReadNode(node.Id, 100), e => e.Kind == "port.refused");

        // Set anew it is asked again, and what was refused once is forgotten for good.
        Assert.Equal(0, (await SetAsync()).Status);
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Equal(PowerState.Off, await PowerAsync());
    }

    [Fact]
    public async Task What_is_not_said_stays_and_another_account_does_not_get_the_old_ones_password()
    {
        await SetAsync();
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", Address, "--location", "rack 3, unit 7")).Status);
        Assert.Equal(("rack 3, unit 7", bmc.User), (Port.Location, Port.User));
        Assert.Equal(PowerState.Off, await PowerAsync());

        Assert.Equal(3, (await plane.GridctlWith("", "port", "set", "n1", Address, "--user", "other")).Status);
        Assert.Null(Port.Password);
    }

    [Fact]
    public async Task A_bmc_that_is_one_nodes_cannot_be_anothers()
    {
        await SetAsync();
        await SampleNodes.DiscoverAsync(plane, 2);
        var second = await SetAsync(name: "n2");
        Assert.Equal(1, second.Status);
        Assert.Contains("is n1's", second.Error);
        Assert.Empty(Ports.Current.Of(plane.Nodes.Current.Find("n2")!.Id));
    }

    [Fact]
    public async Task All_who_act_on_a_node_share_one_session()
    {
        await SetAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PowerAsync()));
        Assert.Equal(1, bmc.Count("OpenSession"));
    }

    [Fact]
    public async Task The_console_stays_the_same_port_when_the_account_changes()
    {
        await SetAsync();
        var console = new ConsoleFamily(Ports, TimeProvider.System).Of(node.Id);
        Assert.Equal(Address, console!.Name);
        await using (await console.OpenAsync(Never)) Assert.Equal(1, bmc.Count("OpenSession"));
        await SetAsync();
        await using (await console.OpenAsync(Never)) Assert.Equal(2, bmc.Count("OpenSession"));
        await plane.Gridctl("port", "remove", "n1", Address);
        await Assert.ThrowsAsync<IOException>(() => console.OpenAsync(Never));
        Assert.Null(new ConsoleFamily(Ports, TimeProvider.System).Of(node.Id));
    }

    [Fact]
    public async Task A_port_survives_a_restart_and_a_removed_one_does_not()
    {
        await SetAsync();
        var port = plane.Loopback.Port;
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Equal("ipmi", plane.Nodes.Current.Find("n1")!.ToDocument().Bmc?.Kind);
        Assert.Equal(PowerState.Off, await PowerAsync());

        var removed = await plane.Gridctl("port", "remove", "n1", Address);
        Assert.Equal(0, removed.Status);
        Assert.Null(plane.Nodes.Current.Find("n1")!.ToDocument().Bmc);
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Empty(Ports.Current.ByAddress);
    }

    [Fact]
    public async Task A_key_that_was_changed_is_told_as_what_it_is()
    {
        await SetAsync();
        var port = plane.Loopback.Port;
        await plane.StopAsync();
        File.Delete(Path.Combine(plane.DataDir, "secrets.key"));
        await plane.RestartAsync(port);
        var told = await Assert.ThrowsAsync<DeviceException>(PowerAsync);
        Assert.Equal(DeviceFault.CredentialsRefused, told.Fault);
        Assert.Contains("set it again", told.Message);
    }

    [Fact]
    public async Task Bad_requests_change_nothing()
    {
        using var http = plane.Http();
        http.DefaultRequestHeaders.Add(ApplianceClient.ChangeHeader, "1");
        async Task<HttpStatusCode> PutAsync(string name, string address, string password) =>
            (await http.PutAsJsonAsync($"/api/v1/nodes/{name}/ports", new() { Address = address, User = "admin", Password = password }, ApiJson.Default.PortRequest)).StatusCode;

        Assert.Equal(HttpStatusCode.NotFound, await PutAsync("n9", Address, "x"));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync("n1", "ipmi://admin:secret@10.0.0.5", "x"));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync("n1", Address, new('x', 21)));
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync($"/api/v1/nodes/n1/ports?address={Address}")).StatusCode);
        Assert.Empty(Ports.Current.ByAddress);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", Address, "--user", "admin", "--dry-run")).Status);
        Assert.Empty(Ports.Current.ByAddress);
    }
}
