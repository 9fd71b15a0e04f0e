using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Testing;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.San;

/// <summary>Storage fabrics of a whole daemon, steered as people steer them.</summary>
public sealed class SanCommandTests : IAsyncLifetime
{
    const string Host = "10:00:00:00:c9:00:00:01", Disk = "50:06:01:60:00:00:00:01";

    readonly ZoneTree tree = new(20);
    SnmpAgent agent = null!;
    ManagementPlaneHost plane = null!;
    string secret = "";

    public async Task InitializeAsync()
    {
        agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 7, 7, 8], Users = [SwitchBench.Account] }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
        plane = await ManagementPlaneHost.StartAsync();
        secret = await SwitchBench.WriteSecretAsync(plane.DataDir);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await agent.DisposeAsync();
    }

    Task<ManagementPlaneHost.Ran> AddAsync() => plane.Gridctl("san", "add", "fab1", $"snmp+mds://127.0.0.1:{agent.EndPoint.Port}/20", "--user", "grid", "--secret-file", secret);

    [Fact]
    public async Task A_zone_is_put_in_force_shown_and_taken_away_also_after_a_restart()
    {
        var added = await AddAsync();
        Assert.True(added.Status == 0, added.Error);
        var planned = await plane.Gridctl("san", "connect", "fab1", "grid-n1", "--initiators", Host, "--storage", Disk, "--dry-run");
        Assert.Contains("planned: would be in force; it is not there now", planned.Output);
        Assert.Null(tree.Model.InForce);

        var connected = await plane.Gridctl("san", "connect", "fab1", "grid-n1", "--initiators", Host, "--storage", Disk);
        Assert.True(connected.Status == 0, connected.Output + connected.Error);
        Assert.Contains("grid-n1", (await plane.Gridctl("san", "zones", "fab1")).Output);
        Assert.Equal(["grid-n1"], tree.Model.InForce!.Value.Zones.Keys);

        await plane.StopAsync();
        await plane.RestartAsync(0);
        Assert.Contains("fab1", (await plane.Gridctl("san", "list")).Output);
        Assert.Equal(0, (await plane.Gridctl("san", "disconnect", "fab1", "grid-n1")).Status);
        Assert.Null(tree.Model.InForce);
        Assert.StartsWith("fab1: would be", (await plane.Gridctl("san", "remove", "fab1", "--dry-run")).Output);
        Assert.Equal(0, (await plane.Gridctl("san", "remove", "fab1")).Status);
        Assert.Equal("[]", (await plane.Gridctl("san", "list", "-o", "json")).Output.Trim());
    }

    [Fact]
    public async Task Each_fabric_has_figures_of_its_own_until_it_is_let_go()
    {
        Assert.Equal(0, (await plane.Gridctl("san", "add", "figures", $"snmp+mds://127.0.0.1:{agent.EndPoint.Port}/20", "--user", "grid", "--secret-file", secret)).Status);
        Assert.Equal(0, (await plane.Gridctl("san", "connect", "figures", "grid-n1", "--initiators", Host, "--storage", Disk)).Status);
        using var http = plane.Http();
        var text = await Eventually.UntilAsync(() => http.GetStringAsync("/metrics"), t => t.Contains("gridappliance_san_zones{fabric=\"figures\"} 1\n"), "a figure of one zone");
        Assert.Contains("gridappliance_san_up{fabric=\"figures\"} 1\n", text);
        Assert.Equal(0, (await plane.Gridctl("san", "remove", "figures")).Status);
        await Eventually.UntilAsync(() => http.GetStringAsync("/metrics"), t => !t.Contains("fabric=\"figures\""), "the end of its figures");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        await AddAsync();
        var foreign = await plane.Gridctl("san", "connect", "fab1", "backup", "--initiators", Host, "--storage", Disk);
        Assert.Equal(3, foreign.Status);
        Assert.Contains("is not ours", foreign.Output);
        Assert.Contains("already", (await AddAsync()).Error);
        Assert.Contains("no driver for ftp", (await plane.Gridctl("san", "add", "fab2", "ftp://10.0.0.1", "--secret-file", secret)).Error);
        Assert.Contains("no storage fabric", (await plane.Gridctl("san", "zones", "fab9")).Error);
        Assert.Contains("does not listen", (await plane.Gridctl("san", "add", "fab3", "tgt+unix:///nowhere/socket.0")).Error);
    }
}
