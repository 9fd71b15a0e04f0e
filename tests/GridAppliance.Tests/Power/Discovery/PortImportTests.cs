using System.Text;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Ports;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Power.Discovery;

/// <summary>An administrator's list of BMCs, and how each finds its node.</summary>
public sealed class PortImportTests : IAsyncLifetime
{
    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    readonly ScriptedBmc bmc = new();
    ManagementPlaneHost plane = null!;

    NodePorts Ports => plane.Get<NodePorts>();

    string Line => $"{bmc.Uri.OriginalString},{bmc.User},{Encoding.ASCII.GetString(bmc.Password)},\"rack 3, unit 7\"\n";

    public async Task InitializeAsync() => plane = await ManagementPlaneHost.StartAsync();

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bmc.DisposeAsync();
    }

    Task LookAsync() => new PortClaims(Ports, plane.Nodes, TimeProvider.System, NullLogger<PortClaims>.Instance).LookAsync(Patience);

    NodePort Port => Assert.Single(Ports.Current.ByAddress.Values);

    [Fact]
    public async Task A_bmc_of_the_list_is_tied_to_its_node_when_that_boots()
    {
        var imported = await plane.GridctlWith(Line, "port", "import", "-");
        Assert.Equal((0, $"{bmc.Uri.OriginalString}: added\n"), (imported.Status, imported.Output));
        Assert.Equal(("rack 3, unit 7", (Guid?)null), (Port.Location, Port.NodeId));
        await LookAsync();
        Assert.NotEmpty(Port.Identity!.Uuids);
        Assert.Equal("52:54:00:01:02:03", Port.Identity.Mac!.Value.ToString());

        var uuid = Port.Identity.Uuids[0];
        var node = await plane.Nodes.DiscoverAsync(TestStore.Mac(1), "provisioning", n => n with { Uuid = uuid }, "seen", Patience);
        await LookAsync();
        Assert.Equal(node.Id, Port.NodeId);
        Assert.Equal("ipmi", plane.Nodes.Current.Find(node.Id)!.ToDocument().Bmc!.Kind);
        Assert.Single(plane.Timeline.ReadNode(node.Id, 50), e => e.Kind == "port.claimed");
        Assert.Equal(1, bmc.Count("OpenSession"));

        // The same list once more changes no owner.
        Assert.Contains("it is n1's", (await plane.GridctlWith(Line, "port", "import", "-")).Output);
        Assert.Equal(node.Id, Port.NodeId);
    }

    [Fact]
    public async Task The_ports_of_a_node_that_was_removed_are_nobodys_and_find_the_next_one()
    {
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User);
        await plane.Nodes.RemoveAsync(node.Id, static _ => true, "removed", "root", Patience);
        Assert.Null(Ports.NodeOf(Port));
        await LookAsync();
        Assert.NotNull(Port.Identity);
        Assert.Equal(0, (await plane.GridctlWith(Line, "port", "import", "-")).Status);
        var uuid = Port.Identity.Uuids[0];
        var next = await plane.Nodes.DiscoverAsync(TestStore.Mac(2), "provisioning", n => n with { Uuid = uuid }, "seen", Patience);
        await LookAsync();
        Assert.Equal(next.Id, Port.NodeId);
    }

    [Fact]
    public async Task A_list_is_taken_line_by_line()
    {
        var list = "# rack 3\naddress,password,user\n\n10.0.0.5,secret,admin\nftp://10.0.0.6,x,y\nipmi://10.0.0.7,this password is far too long,admin\n";
        var imported = await plane.GridctlWith(list, "port", "import", "-");
        Assert.Equal(2, imported.Status);
        Assert.Equal(["ipmi://10.0.0.5: added", "ftp://10.0.0.6: no driver for 'ftp': there are " + string.Join(", ", PortScheme.All.Select(s => s.Name).Order())], imported.Output.Split('\n')[..2]);
        Assert.Contains("at most 20 octets", imported.Output);
        Assert.Equal(("ipmi://10.0.0.5", "admin"), (Port.Address.OriginalString, Port.User));
        Assert.DoesNotContain("secret", imported.Output + imported.Error);

        Assert.Equal(1, (await plane.GridctlWith("address,colour\n10.0.0.5,red\n", "port", "import", "-")).Status);
        Assert.Equal(1, (await plane.GridctlWith("10.0.0.5,admin,\"open\n", "port", "import", "-")).Status);
        Assert.Equal(1, (await plane.GridctlWith("", "port", "import", "-")).Status);
        Assert.Equal(0, (await plane.GridctlWith("10.0.0.9,admin,x\n", "port", "import", "-", "--dry-run")).Status);
        Assert.Single(Ports.Current.ByAddress);
    }

    [Fact]
    public async Task A_machine_that_is_no_node_yet_is_booted_from_the_network_unless_it_is_on()
    {
        await plane.GridctlWith(Line, "port", "import", "-");
        bmc.State.IsOn = true;
        var refused = await plane.Gridctl("discover", "boot", "--all");
        Assert.Equal(3, refused.Status);
        Assert.Contains("is on, and somebody may be using it", refused.Output);
        Assert.Empty(bmc.State.Actions);

        bmc.State.IsOn = false;
        Assert.Equal(0, (await plane.Gridctl("discover", "boot", bmc.Uri.OriginalString, "--dry-run")).Status);
        Assert.Empty(bmc.State.Actions);
        Assert.Equal(0, (await plane.Gridctl("discover", "boot", bmc.Uri.OriginalString)).Status);
        Assert.Equal((byte)0x04, bmc.State.BootFlags[1]);
        Assert.True(bmc.State.IsOn);
        Assert.Equal(1, (await plane.Gridctl("discover", "boot")).Status);
    }
}
