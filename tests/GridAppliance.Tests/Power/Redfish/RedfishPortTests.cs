using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Redfish;

/// <summary>A Redfish BMC as a node's port: gridctl to the management plane to a service over real TLS.</summary>
public sealed class RedfishPortTests : IAsyncLifetime
{
    RedfishSimulator bmc = null!;
    ManagementPlaneHost plane = null!;
    Node node = null!;

    public async Task InitializeAsync()
    {
        bmc = await RedfishSimulator.StartAsync();
        plane = await ManagementPlaneHost.StartAsync();
        node = await SampleNodes.DiscoverAsync(plane, 1, "uefi");
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bmc.DisposeAsync();
    }

    NodePort Port => Assert.Single(plane.Get<NodePorts>().Current.Of(node.Id));

    Task<ManagementPlaneHost.Ran> SetAsync(params string[] more) => plane.GridctlWith(RedfishSimulator.Password + "\n", ["port", "set", "n1", bmc.Address.OriginalString, "--user", RedfishSimulator.User, .. more]);

    [Fact]
    public async Task The_certificate_is_pinned_with_the_first_answer_shown_and_kept()
    {
        var set = await SetAsync();
        Assert.Equal(0, set.Status);
        Assert.Contains(bmc.Fingerprint, set.Output);
        Assert.Contains(plane.Timeline.ReadNode(node.Id, 50), e => e.Kind == "port.pinned" && e.Message.Contains(bmc.Fingerprint));
        var pinned = bmc.Fingerprint;
        var port = plane.Loopback.Port;
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.Equal(pinned, Port.Fingerprint);

        await bmc.RestartAsync(newCertificate: true);
        var asked = await plane.Gridctl("power", "status", "n1");
        Assert.Equal(3, asked.Status);
        Assert.Contains("another certificate", asked.Output);
        // The same account set again is no reason to believe a stranger; a person's word is.
        Assert.Equal(3, (await SetAsync()).Status);
        Assert.Equal(0, (await SetAsync("--new-certificate")).Status);
        Assert.Equal(bmc.Fingerprint, Port.Fingerprint);
    }

    [Fact]
    public async Task A_node_behind_redfish_is_switched_booted_by_http_and_given_an_image()
    {
        await SetAsync();
        Assert.Equal("n1: is on\n", (await plane.Gridctl("power", "on", "n1")).Output);
        Assert.Equal(["On"], bmc.Resets);
        var booted = await plane.Gridctl("boot", "n1", "--once", "http", "--uri", "http://10.77.0.1:8067/boot/ipxe.efi", "--power");
        Assert.Equal(0, booted.Status);
        Assert.Equal(("UefiHttp", "http://10.77.0.1:8067/boot/ipxe.efi"), ((string?)bmc.Boot["BootSourceOverrideTarget"], (string?)bmc.Boot["HttpBootUri"]));
        Assert.Equal(["On", "PowerCycle"], bmc.Resets);
        Assert.Equal(0, (await plane.Gridctl("media", "n1", "--insert", "http://10.77.0.1/rescue.iso")).Status);
        Assert.Equal("http://10.77.0.1/rescue.iso", bmc.Image);
        Assert.Equal("n1: Virtual CD (CD): empty\n", (await plane.Gridctl("media", "n1", "--eject")).Output);
        Assert.Contains("Example R1", (await plane.Gridctl("bmc", "n1")).Output);

        Assert.Equal(1, (await plane.Gridctl("boot", "n1", "--once", "http", "--uri", "file:///etc/passwd")).Status);
        Assert.Equal(1, (await plane.Gridctl("boot", "n1", "--once", "disk", "--uri", "http://10.77.0.1/x")).Status);
        Assert.Equal(1, (await plane.Gridctl("media", "n1", "--insert", "http://user:secret@10.77.0.1/x.iso")).Status);
    }
}
