using System.Net;
using System.Text;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Ports;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Power.Discovery;

/// <summary><c>gridctl discover bmc</c> on IPMI's own port, from a range of addresses to a node with its BMC.</summary>
public sealed class DiscoverBmcTests
{
    [Fact]
    public async Task A_bmc_that_is_found_in_a_range_is_taken_in_asked_who_it_is_and_tied_to_the_node_that_boots()
    {
        var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
        using var simulator = IpmiSimulator.Start(at: new(IPAddress.Parse("127.0.9.5"), 623));
        await using var plane = await ManagementPlaneHost.StartAsync();
        var ports = plane.Get<NodePorts>();

        var looked = await plane.Gridctl("discover", "bmc", "127.0.9.4-127.0.9.6", "--user", IpmiSimulator.User, "--dry-run");
        Assert.Equal(0, looked.Status);
        Assert.Contains("127.0.9.5", looked.Output, StringComparison.Ordinal);
        Assert.Empty(ports.Current.ByAddress);

        var found = await plane.GridctlWith(IpmiSimulator.Password + "\n", "discover", "bmc", "127.0.9.4-127.0.9.6", "--user", IpmiSimulator.User);
        Assert.True(found.Status == 0, found.Error);
        Assert.DoesNotContain(IpmiSimulator.Password, found.Output, StringComparison.Ordinal);
        Assert.Equal("ipmi://127.0.9.5", Assert.Single(ports.Current.ByAddress.Values).Address.OriginalString);

        var claims = new PortClaims(ports, plane.Nodes, TimeProvider.System, NullLogger<PortClaims>.Instance);
        await claims.LookAsync(patience);
        var identity = Assert.Single(ports.Current.ByAddress.Values).Identity!;
        Assert.Equal("52:54:00:01:02:03", identity.Mac!.Value.ToString());
        var machine = Guid.Parse("a1234567-89ab-cdef-a123-456789abcdef");
        Assert.Contains(machine, identity.Uuids);

        var stranger = await SampleNodes.DiscoverAsync(plane, 1);
        var node = await plane.Nodes.DiscoverAsync(TestStore.Mac(2), "provisioning", n => n with { Uuid = machine }, "seen", patience);
        await claims.LookAsync(patience);
        Assert.Equal(node.Id, Assert.Single(ports.Current.ByAddress.Values).NodeId);
        Assert.Empty(ports.Current.Of(stranger.Id));
        Assert.Equal($"{node.Name}: off\n", (await plane.Gridctl("power", "status", node.Name)).Output);
    }

    /// <summary>One owner for each BMC: a scan of its network waits for its turn like everybody else, and says whose it is.</summary>
    [Fact]
    public async Task A_bmc_that_has_an_owner_hears_of_a_scan_from_that_owner_alone()
    {
        await using var bmc = new ScriptedBmc(new(IPAddress.Parse("127.0.9.21"), 623));
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n1", "ipmi://127.0.9.21", "--user", bmc.User)).Status);
        var scanned = await plane.Gridctl("discover", "bmc", "127.0.9.21-127.0.9.22", "-o", "json");
        var found = Assert.Single(JsonSerializer.Deserialize(scanned.Output, ApiJson.Default.BmcScanDocument)!.Found);
        Assert.Equal(("127.0.9.21", "2.0", "ipmi://127.0.9.21", "n1"), (found.Ip, found.Ipmi, found.Address, found.Node));
        // By its owner: the scan itself would have pinged it first.
        Assert.Equal(0, bmc.Count(ScriptedBmc.Ping));
    }

    [Fact]
    public async Task A_redfish_service_that_has_an_owner_is_asked_in_its_session_and_one_that_is_gone_is_not_found()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        // On a port that no scan looks at.
        await using (var redfish = await RedfishSimulator.StartAsync())
        {
            Assert.Equal(0, (await plane.GridctlWith(RedfishSimulator.Password + "\n", "port", "set", "n1", redfish.Address.OriginalString, "--user", RedfishSimulator.User)).Status);
            var found = await plane.Gridctl("discover", "bmc", "127.0.0.1-127.0.0.1");
            Assert.Matches(@"127\.0\.0\.1 .*1\.15\.0 .*redfish\+https://127\.0\.0\.1:\d+ .*n1", found.Output);
        }
        Assert.Equal(3, (await plane.Gridctl("discover", "bmc", "127.0.0.1-127.0.0.1")).Status);
    }

    [Fact]
    public async Task An_empty_range_and_nonsense_are_told_apart()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        Assert.Equal(3, (await plane.Gridctl("discover", "bmc", "127.0.9.40-127.0.9.41")).Status);
        Assert.Equal(1, (await plane.Gridctl("discover", "bmc", "10.0.0.0/8")).Status);
        Assert.Equal(1, (await plane.Gridctl("discover", "bmc", "rack3")).Status);
    }
}
