using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Switches;

/// <summary>Switches of a whole daemon, steered as people steer it.</summary>
public sealed class SwitchFleetTests : IAsyncLifetime
{
    const int Ports = 12;

    readonly SwitchBench bench = new(BridgeModel.Factory(Ports).WithAccess(999, 12).WithAccess(100, [.. Enumerable.Range(1, 11)]), "leaf1");
    ManagementPlaneHost plane = null!;
    string secretFile = "";

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bench.DisposeAsync();
    }

    Task<ManagementPlaneHost.Ran> Add(string name = "leaf1", string ports = "Gi0/*", string vlans = "100,250-259", ManagementPlaneHost? to = null) => (to ?? plane).Gridctl(
        "switch", "add", name, bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile, "--ports", ports, "--vlans", vlans, "--uplinks", "Gi0/11");

    [Fact]
    public async Task A_switch_is_taken_in_and_says_what_it_can_do()
    {
        var added = await Add();
        Assert.True(added.Status == 0, added.Error);
        Assert.Contains("It takes a PVID for port 1.", added.Output);
        Assert.Contains("ours", added.Output);
        Assert.Contains("[gridappliance rack12 ", bench.Bridge.Model.Contact);

        var listed = await plane.Gridctl("switch", "list");
        Assert.Contains("leaf1", listed.Output);
        var ports = JsonSerializer.Deserialize((await plane.Gridctl("switch", "ports", "leaf1", "-o", "json")).Output, ApiJson.Default.IReadOnlyListSwitchPortDocument)!;
        Assert.Equal(Ports, ports.Count);
        Assert.Equal((true, "access", 100), (ports[0].Ours, ports[0].Mode, ports[0].Pvid));
        Assert.Equal((false, "said to be one"), (ports[10].Ours, ports[10].Uplink));
    }

    [Fact]
    public async Task A_switch_of_which_nothing_is_ours_is_never_written_to()
    {
        var added = await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile);
        Assert.True(added.Status == 0, added.Error);
        Assert.Contains("No port of it is ours to write", added.Output);
        Assert.Equal(0, bench.Sets);
        var refused = await plane.Gridctl("switch", "vlan", "leaf1/Gi0/1", "250");
        Assert.Equal(3, refused.Status);
        Assert.Contains("not ours", refused.Output);
        Assert.DoesNotContain(250, bench.Bridge.Model.Vlans.Keys);
    }

    [Fact]
    public async Task A_port_is_put_into_a_vlan_and_a_dry_run_does_nothing()
    {
        await Add();
        var before = bench.Bridge.Model;
        var planned = await plane.Gridctl("switch", "vlan", "leaf1/Gi0/3,leaf1/Gi0/4", "250", "--dry-run");
        Assert.True(planned.Status == 0, planned.Output + planned.Error);
        Assert.Contains("access 100 → access 250, planned", planned.Output);
        Assert.Same(before, bench.Bridge.Model);

        var done = await plane.Gridctl("switch", "vlan", "leaf1/Gi0/3,leaf1/Gi0/4", "250");
        Assert.True(done.Status == 0, done.Output + done.Error);
        Assert.Equal([3, 4], bench.Bridge.Model.Vlans[250].Untagged.Ports);
        Assert.Equal(250, bench.Bridge.Model.Ports[3].Pvid);

        var trunk = await plane.Gridctl("switch", "vlan", "leaf1/Gi0/5", "100", "--tagged", "250,251");
        Assert.True(trunk.Status == 0, trunk.Output + trunk.Error);
        Assert.Equal([3, 4, 5], bench.Bridge.Model.Vlans[250].Egress.Ports);
    }

    [Theory]
    [InlineData("leaf1/Gi0/11", "250", "is an uplink")]
    [InlineData("leaf1/Gi0/12", "250", "VLAN 999, which is not ours")]
    [InlineData("leaf1/Gi0/1", "300", "VLAN 300 is not ours")]
    [InlineData("leaf1/Gi9/1", "250", "has no port 'Gi9/1'")]
    [InlineData("leaf7/Gi0/1", "250", "no switch 'leaf7'")]
    [InlineData("n77", "250", "no such node")]
    public async Task What_is_not_allowed_is_refused_with_the_reason(string target, string vlan, string reason)
    {
        await Add();
        var before = bench.Bridge.Model;
        var refused = await plane.Gridctl("switch", "vlan", target, vlan);
        Assert.Equal(3, refused.Status);
        Assert.Contains(reason, refused.Output);
        Assert.Same(before, bench.Bridge.Model);
    }

    [Fact]
    public async Task A_port_is_shut_opened_and_described_and_one_that_is_not_ours_is_not()
    {
        await Add();
        var planned = await plane.Gridctl("switch", "port", "leaf1/Gi0/3", "--disable", "--dry-run");
        Assert.Contains("shut, planned", planned.Output);
        Assert.True(bench.Bridge.Model.Ports[3].IsEnabled);
        var shut = await plane.Gridctl("switch", "port", "leaf1/Gi0/3,leaf1/Gi0/4", "--disable", "--describe", "spare, rack 2");
        Assert.True(shut.Status == 0, shut.Output + shut.Error);
        Assert.Equal((false, "spare, rack 2", 100), (bench.Bridge.Model.Ports[3].IsEnabled, bench.Bridge.Model.Ports[4].Alias, bench.Bridge.Model.Ports[4].Pvid));
        Assert.Equal(0, (await plane.Gridctl("switch", "port", "leaf1/Gi0/3", "--enable")).Status);
        Assert.True(bench.Bridge.Model.Ports[3].IsEnabled);
        Assert.Equal(3, (await plane.Gridctl("switch", "port", "leaf1/Gi0/11", "--disable")).Status);
        Assert.Contains("nothing is asked for", (await plane.Gridctl("switch", "port", "leaf1/Gi0/3")).Error);
        Assert.Contains(await plane.Client().GetEvents(null, default), e => e.Kind == "switch.port" && e.Message.Contains("port Gi0/4 of switch leaf1 is shut, described as 'spare, rack 2' now"));
    }

    [Fact]
    public async Task A_second_appliance_refuses_until_it_is_told_to_take_the_switch_over()
    {
        await Add();
        await using var second = await ManagementPlaneHost.StartAsync(name: "rack13");
        var added = await Add(to: second);
        Assert.True(added.Status == 0, added.Error);
        Assert.Contains("belongs to the appliance 'rack12'", added.Output);

        var before = bench.Bridge.Model;
        var refused = await second.Gridctl("switch", "vlan", "leaf1/Gi0/1", "250");
        Assert.Equal(3, refused.Status);
        Assert.Contains("belongs to the appliance 'rack12'", refused.Output);
        Assert.Same(before, bench.Bridge.Model);

        Assert.Equal(0, (await second.Gridctl("switch", "take", "leaf1")).Status);
        Assert.Equal(0, (await second.Gridctl("switch", "vlan", "leaf1/Gi0/1", "250")).Status);
        // The first one finds out before it writes, not after.
        var late = await plane.Gridctl("switch", "vlan", "leaf1/Gi0/2", "250");
        Assert.Contains("belongs to the appliance 'rack13'", late.Output);
        Assert.Equal([1], bench.Bridge.Model.Vlans[250].Egress.Ports);
    }

    [Fact]
    public async Task A_restart_keeps_the_switch_and_its_sealed_secret_and_shows_it_to_nobody()
    {
        await Add();
        await plane.StopAsync();
        await plane.RestartAsync(0);
        var known = await plane.Client().GetSwitch("leaf1", default);
        Assert.Equal(("user grid (sha256, aes128)", true), (known.Account, known.CanWrite));
        for (var i = 0; i < 200 && known.State == "unread"; i++)
        {
            await Task.Delay(50);
            known = await plane.Client().GetSwitch("leaf1", default);
        }
        Assert.Equal(("ok", "ours"), (known.State, known.Ownership));
        foreach (var file in Directory.EnumerateFiles(plane.DataDir, "gridappliance.db*"))
            Assert.DoesNotContain(SwitchBench.Privacy, System.Text.Encoding.Latin1.GetString(await ReadShared(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_secret_is_told_at_once_and_nothing_is_kept()
    {
        await File.WriteAllTextAsync(secretFile, "another passphrase\n");
        var refused = await Add();
        Assert.Equal(1, refused.Status);
        Assert.Contains("does not accept the authentication passphrase", refused.Error);
        Assert.Empty(await plane.Client().GetSwitches(default));
    }

    [Fact]
    public async Task A_switch_that_is_let_go_bears_no_mark_and_keeps_what_people_wrote()
    {
        bench.Bridge.Model = bench.Bridge.Model with { Contact = "noc@example.net" };
        await Add();
        Assert.StartsWith("noc@example.net [gridappliance", bench.Bridge.Model.Contact, StringComparison.Ordinal);
        foreach (var change in (string[][])[["remove", "leaf1"], ["probe", "leaf1"], ["take", "leaf1"], ["allow", "leaf1", "--ports", "Gi0/1"]])
        {
            var planned = await plane.Gridctl(["switch", .. change, "--dry-run"]);
            Assert.True(planned.Status == 0, planned.Output + planned.Error);
            Assert.StartsWith("leaf1: ", planned.Output);
        }
        Assert.Equal(3, (await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--dry-run")).Status);
        Assert.Equal(0, (await plane.Gridctl("switch", "remove", "leaf1")).Status);
        Assert.Equal("noc@example.net", bench.Bridge.Model.Contact);
        var gone = await Assert.ThrowsAsync<ApplianceException>(() => plane.Client().GetSwitch("leaf1", default));
        Assert.Contains("no switch", gone.Message);
    }

    static async Task<byte[]> ReadShared(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
