using System.Net;
using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Resources;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;

namespace GridAppliance.EndToEnd.Boots;

[Collection(BootedLabs.Name)]
public sealed class BootTests(BootedLab lab)
{
    LabInstance Instance => lab.Instance;

    [LabFact]
    public async Task Every_server_that_nobody_announced_becomes_an_idle_node()
    {
        var nodes = await Instance.NodesAsync();

        Assert.Equal(3, nodes.Count);
        Assert.Equal(3, nodes.Select(node => node.Name).Distinct().Count());
        Assert.Equal(3, nodes.Select(node => node.Ip).Distinct().Count());
        Assert.All(nodes, node => Assert.Equal(("idle", null), (node.State, node.Problem)));
        Assert.Equal(Instance.Plan.Servers, lab.Idle.Keys.OrderBy(server => server.Name));
    }

    [LabFact]
    public async Task A_nodes_inventory_is_what_stands_in_the_rack()
    {
        foreach (var server in Instance.Plan.Servers)
        {
            var node = await Instance.NodeOfAsync(server);
            var inventory = Assert.IsType<InventoryDocument>(node.Inventory);

            Assert.Equal(server.Firmware is ServerFirmware.Bios ? "bios" : "uefi", node.Firmware);
            Assert.Equal(server.Uuid.ToString(), node.Uuid);
            Assert.Equal((1, "GridLab", server.Serial), (inventory.Cpus, inventory.Vendor, inventory.Serial));
            Assert.InRange(inventory.MemoryMiB, server.MemoryMiB * 3 / 4, server.MemoryMiB);
            var disk = Assert.Single(inventory.Disks);
            Assert.Equal((server.DiskMiB * 1024L * 1024, $"{server.Serial}-0"), (disk.SizeBytes, disk.Serial));
            var nic = Assert.Single(inventory.Nics);
            Assert.Equal((server.Mac.ToString(), "virtio_net", true), (nic.Mac, nic.Driver, nic.Link));
        }
    }

    [LabFact]
    public async Task A_node_has_heard_which_switch_port_it_hangs_on()
    {
        foreach (var server in Instance.Plan.Servers)
        {
            // The switch says it every five seconds, and an agent may have asked in between.
            var node = await LabInstance.UntilAsync(() => Instance.NodeOfAsync(server), n => n.Inventory?.Nics[0].Neighbours.Count > 0, "an LLDP neighbour");
            Assert.Equal(server.Tap, node.Inventory!.Nics[0].Neighbours[0].PortId);
        }
    }

    [LabFact]
    public async Task The_switch_says_where_a_server_is_before_its_kernel_runs()
    {
        foreach (var server in Instance.Plan.Servers)
        {
            var node = await Instance.NodeOfAsync(server);
            Assert.Equal((LabSwitch.Name, server.Tap), (node.Location?.Switch, node.Location?.Port));
            var events = (await Instance.Rig.Appliance.Client.GetTimeline(node.Name, CancellationToken.None)).Events;
            var located = events.First(e => e.Kind == "node.located");
            Assert.Contains("from the switch's forwarding table", located.Message, StringComparison.Ordinal);
            // The loader starts the kernel when it has the initramfs too.
            Assert.True(located.Sequence < events.First(e => e.Kind == "boot.initramfs-fetched").Sequence, string.Join('\n', events.Select(e => $"{e.At:HH:mm:ss.fff} {e.Kind} {e.Message}")));
        }
        var map = await Instance.Rig.Appliance.Client.GetFabricMap(CancellationToken.None);
        var rack = Assert.Single(map.Switches);
        Assert.Equal([Instance.Plan.Switch.Uplink], rack.Ports.Where(port => port.Uplink is not null).Select(port => port.Name));
        Assert.Empty(map.Findings);
    }

    [LabFact]
    public async Task A_cable_in_the_wrong_port_is_found_and_made_good_by_one_command()
    {
        var client = Instance.Rig.Appliance.Client;
        var server = Instance.Plan.Servers[0];
        Assert.Empty((await client.VerifyFabric(probe: false, CancellationToken.None)).Complaints);
        await Instance.Rig.Switch.SetVlanAsync(server.Tap, LabSwitch.WrongVlan, CancellationToken.None);
        // What the switch's agent has read is fresh for a moment.
        var verdict = await LabInstance.UntilAsync(() => client.VerifyFabric(probe: false, CancellationToken.None), v => !v.Good, "a complaint");
        Assert.Contains(verdict.Complaints, c => c.Kind == "drift" && c.Message.Contains($"port {server.Tap} of switch {LabSwitch.Name} is access {LabSwitch.WrongVlan}, and was left access {LabSwitch.ProvisioningVlan}", StringComparison.Ordinal));

        var answer = Assert.Single((await client.AssertDrift(new() { Switch = LabSwitch.Name }, CancellationToken.None)).Switches);
        Assert.True(answer.Accepted, answer.Message);
        var tag = await Command.RunAsync([OpenVswitch.Control, $"--db=unix:{Instance.Plan.Paths.SwitchSocket}", "get", "port", server.Tap, "tag"], CancellationToken.None);
        Assert.Equal($"{LabSwitch.ProvisioningVlan}", tag.Trim());
        Assert.Empty((await client.VerifyFabric(probe: false, CancellationToken.None)).Complaints);
    }

    [LabFact]
    public async Task The_timeline_tells_the_whole_way_in_order_and_the_appliances_own_share_of_it()
    {
        string[] milestones = ["dhcp.discover", "dhcp.ack", "boot.script", "boot.kernel", "boot.initramfs", "state.idle"];
        foreach (var server in Instance.Plan.Servers)
        {
            var node = await Instance.NodeOfAsync(server);
            var timeline = await Instance.Rig.Appliance.Client.GetTimeline(node.Name, CancellationToken.None);
            var first = milestones.Select(kind => timeline.Events.FirstOrDefault(e => e.Kind == kind)?.Sequence ?? -1).ToList();

            Assert.DoesNotContain(-1, first);
            Assert.Equal(first.Order(), first);
            // How small it is, is measured and not asserted: docs/figures.md.
            Assert.InRange(timeline.LastBootApplianceMs, 0.001, LabInstance.Patience.TotalMilliseconds);
            Assert.InRange(timeline.LastBootSeconds ?? 0, 1, LabInstance.Patience.TotalSeconds);
        }
    }

    [LabFact]
    public async Task The_status_page_is_there_for_this_machines_browser()
    {
        using var http = new HttpClient();
        var page = new Uri(Instance.Rig.Appliance.PageAddress!);

        using var answer = await http.GetAsync(page);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        using var health = await http.GetAsync(new Uri(page, "healthz"));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Contains("gridappliance_", await http.GetStringAsync(new Uri(page, "metrics")), StringComparison.Ordinal);
    }

    [LabFact]
    public async Task Gridctl_shows_the_nodes_over_the_unix_socket()
    {
        var programs = LabPrograms.Built();
        var text = await Command.RunAsync(
            ["/usr/bin/env", $"GRIDCTL_URL=unix:{Instance.Plan.Paths.ApiSocket}", programs.Gridctl, "nodes", "-o", "json"], CancellationToken.None);

        Assert.All(Instance.Plan.Servers, server => Assert.Contains(server.Mac.ToString(), text, StringComparison.Ordinal));
    }

    [LabFact]
    public async Task A_module_is_installed_on_a_node_runs_there_and_is_taken_away_again()
    {
        var client = Instance.Rig.Appliance.Client;
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[^1])).Name;
        var request = new ModuleChangeRequest { Range = node, Module = "hello" };

        Assert.Equal("done", await Instance.EndOfAsync(await client.InstallModule(request, CancellationToken.None)));
        var installed = await client.GetNode(node, CancellationToken.None);
        Assert.Equal(("hello", "running"), installed.Modules.Select(module => (module.Name, module.State)).Single());

        Assert.Equal("done", await Instance.EndOfAsync(await client.RemoveModule(request, CancellationToken.None)));
        Assert.Empty((await client.GetNode(node, CancellationToken.None)).Modules);
    }

    [LabFact]
    public async Task An_allocation_is_held_to_its_limits_by_the_nodes_own_kernel_and_freed()
    {
        var client = Instance.Rig.Appliance.Client;
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[0])).Name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Instance.TrustAsync("eater", key.ExportSubjectPublicKeyInfoPem());
        // One buffer of 120 MiB, written over and over.
        var eater = ModulePackageWriter.Write(new ModuleManifest { Name = "eater", Class = "eater", Version = "1.0", Start = ["eat"] },
            [new ModuleFile("eat", "#!/bin/sh\nexec dd if=/dev/zero of=/dev/null bs=125829120\n"u8.ToArray(), Executable: true)], key);
        await client.ImportModule(new MemoryStream(eater), CancellationToken.None);
        HoldRequest Ask(int memory) => new() { Range = node, Owner = "alice", Amounts = new() { Cpus = 1, MemoryMiB = memory }, Seconds = 600, Modules = ["eater"] };

        // On a slow machine it gets past the second that counts as started, and is killed then, each time anew.
        if (await Instance.EndOfAsync(await client.AllocateResources(Ask(60), CancellationToken.None)) is var end && end == "done")
        {
            await LabInstance.UntilAsync(() => client.GetNode(node, CancellationToken.None), latest => latest.Modules.Any(module => module is { Name: "eater", State: "failed" }), "the kernel's end of a program that takes more memory than its owner has");
            Assert.True(Assert.Single(Assert.Single(await client.GetResources(node, CancellationToken.None)).Holdings).Usage is null or { MemoryMiB: <= 60 });
            Assert.Equal("done", await Instance.EndOfAsync(await client.FreeResources(new() { Range = node, Owner = "alice" }, CancellationToken.None)));
        }
        else Assert.Contains("ended with status 137", end);
        Assert.Empty((await client.GetNode(node, CancellationToken.None)).Modules);
        var free = Assert.Single(await client.GetResources(node, CancellationToken.None));
        Assert.Equal((free.Total, 0), (free.Free, free.Holdings.Count));
    }

    [LabFact]
    public async Task Nodes_reach_the_boot_plane_and_not_the_management_plane()
    {
        // As seen from the servers' side of the switch.
        var probe = $"{Instance.Plan.Name}-probe";
        var inside = $"{Instance.Plan.Name}-probe0";
        var outside = $"{Instance.Plan.Name}-probe1";
        await Namespaces.CreateAsync(probe, CancellationToken.None);
        try
        {
            await Namespaces.CableAsync(Instance.Plan.Switch.Namespace, outside, probe, inside, CancellationToken.None);
            await Namespaces.AddAddressAsync(probe, inside, "10.77.0.9/24", CancellationToken.None);
            await Instance.Rig.Switch.AddPortAsync(outside, CancellationToken.None);

            Assert.Equal(0, await ConnectAsync(probe, 8067));
            Assert.NotEqual(0, await ConnectAsync(probe, 8080));
        }
        finally
        {
            await Instance.Rig.Switch.RemovePortAsync(outside, CancellationToken.None);
            await Namespaces.DeleteAsync(probe, CancellationToken.None);
        }
    }

    static async Task<int> ConnectAsync(string space, int port) => (await Command.TryRunAsync(
        Namespaces.Inside(space, ["/bin/bash", "-c", "exec 3<>/dev/tcp/10.77.0.1/$0", port.ToString()]), CancellationToken.None)).ExitCode;
}
