using GridAppliance.Fabric;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Switches.Fleet;
using GridAppliance.Testing;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Fabric;

/// <summary>What <c>/metrics</c> says of each switch, beside a whole daemon. Figures are the process's: the names are no other test's.</summary>
public sealed class SwitchMetricsTests
{
    [Fact]
    public async Task Each_switch_has_figures_of_its_own_until_it_is_let_go()
    {
        var mac = MacAddress.Parse("52:54:00:00:00:07");
        await using var first = new SwitchBench(BridgeModel.Factory(8).WithAccess(100, [.. Enumerable.Range(1, 8)]) with { Addresses = [new(100, mac, 3)] }, "figures1");
        await using var second = new SwitchBench(BridgeModel.Factory(4), "figures2");
        await using var plane = await ManagementPlaneHost.StartAsync();
        var secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
        foreach (var (name, bench) in new[] { ("figures1", first), ("figures2", second) })
        {
            var added = await plane.Gridctl("switch", "add", name, bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile, "--ports", "Gi0/*", "--vlans", "1,100,250");
            Assert.True(added.Status == 0, added.Error);
            await plane.Get<DriftReconciler>().ReconcileAsync(plane.Get<SwitchFleet>().Find(name)!, default);
        }
        // A port without a link, and one that somebody moved.
        first.Bridge.Model = first.Bridge.Model.WithAccess(250, 5);
        first.Bridge.Model = first.Bridge.Model with { Ports = first.Bridge.Model.Ports.SetItem(8, first.Bridge.Model.Ports[8] with { HasLink = false }) };
        plane.Get<FabricPokes>().Read("figures1");

        using var http = plane.Http();
        string[] wanted =
        [
            "gridappliance_switch_drift{switch=\"figures1\"} 1", "gridappliance_switch_up{switch=\"figures1\"} 1", "gridappliance_switch_up{switch=\"figures2\"} 1", "gridappliance_switch_ports_up{switch=\"figures1\"} 7",
            "gridappliance_switch_ports_up{switch=\"figures2\"} 4", "gridappliance_switch_addresses{switch=\"figures1\"} 1", "gridappliance_switch_addresses{switch=\"figures2\"} 0", "gridappliance_switch_drift{switch=\"figures2\"} 0",
        ];
        // Each is of the latest reading of its own: what a switch says of links is not read in one go with who is behind its ports.
        var text = await Eventually.UntilAsync(() => http.GetStringAsync("/metrics"), t => wanted.All(line => t.Contains($"{line}\n", StringComparison.Ordinal)), "figures of both switches, one port of the first differing");
        Assert.Contains("gridappliance_switch_read_seconds{switch=\"figures1\"} ", text);
        // The mark, and the probe's writes.
        Assert.Contains($"gridappliance_snmp_sets_total{{device=\"{first.Agent.EndPoint}\"}} ", text);

        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", "figures1/Gi0/2", "250")).Status);
        Assert.Matches("""gridappliance_switch_changes_total\{[^}]*switch="figures1"[^}]*\} 1\n""", await http.GetStringAsync("/metrics"));
        Assert.Equal(0, (await plane.Gridctl("switch", "remove", "figures2")).Status);
        Assert.DoesNotContain("{switch=\"figures2\"}", await http.GetStringAsync("/metrics"));
    }
}
