using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;
using GridAppliance.Lab.Troubles;

namespace GridAppliance.EndToEnd.Fabric;

/// <summary>Three nodes with real agents on a real switch: two farms on their second NICs, and a leak that no table of the switch shows.</summary>
public sealed class IsolationTests : IAsyncLifetime
{
    const int Red = 250, Blue = 251;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    LabInstance lab = null!;
    ApplianceClient client = null!;
    NamespaceNode[] nodes = [];
    readonly List<string> names = [];

    public async Task InitializeAsync()
    {
        if (Libc.EffectiveUser() != 0) return;
        lab = await LabInstance.BuildAsync("e2eiso", ServerFirmware.Bios);
        client = new(new ApplianceAddress.Unix(lab.Plan.Paths.ApiSocket)) { Timeout = Patience };
        nodes = [new(lab, "a"), new(lab, "b"), new(lab, "c")];
        foreach (var (node, farm) in nodes.Zip([Red, Red, Blue]))
        {
            await node.CableAsync("eth0", LabSwitch.ProvisioningVlan);
            await node.CableAsync("eth1", farm);
        }
        await lab.Rig.Appliance.StartAsync(default);
        foreach (var node in nodes) await node.BootAsync();
    }

    public async Task DisposeAsync()
    {
        client?.Dispose();
        if (lab is not null) await lab.DisposeAsync();
    }

    [LabFact]
    public async Task Between_farms_nothing_gets_through_and_a_leak_that_no_table_shows_is_found_and_named()
    {
        var known = await LabInstance.UntilAsync(lab.NodesAsync, all => all.Count(n => n.Agent?.LastSeen is not null) == nodes.Length, "three agents");
        foreach (var node in nodes)
        {
            var mac = (await node.MacAsync("eth0")).ToString();
            names.Add(known.Single(n => n.Mac == mac).Name);
        }
        var good = await client.VerifyFabric(probe: true, default);
        Assert.Empty(Told(good));
        // Three NICs and the appliance in the provisioning VLAN hear each other (12 ways), two in red (2); all others are apart: 7 x 6 - 14.
        Assert.Equal((7, 28, 14, 0), (good.Probes!.Stations, good.Probes.Apart, good.Probes.Together, good.Probes.Leaks));

        // What red's first node sends goes to blue's port as well.
        var leak = new VlanLeak();
        await VlanLeak.MakeAsync(lab.Rig, nodes[0].Port("eth1"), nodes[2].Port("eth1"), default);
        var bad = await client.VerifyFabric(probe: true, default);
        var told = Assert.Single(Told(bad), c => c.Kind == "leak");
        // Every kind of frame that is sent is heard, and told by its name.
        Assert.Equal($"frames of {Nic(0, Red)} reach {Nic(2, Blue)}: broadcast, unicast, ARP, IPv6 neighbour discovery, tagged by itself, tagged twice", told.Message);
        Assert.Equal(1, bad.Probes!.Leaks);

        await leak.UndoAsync(lab.Rig, "", default);
        Assert.Empty(Told(await client.VerifyFabric(probe: true, default)));
    }

    string Nic(int node, int vlan) => $"{names[node]} on rack/{nodes[node].Port("eth1")} (VLAN {vlan})";

    static IEnumerable<FabricComplaintDocument> Told(FabricVerdictDocument verdict) => verdict.Complaints;
}
