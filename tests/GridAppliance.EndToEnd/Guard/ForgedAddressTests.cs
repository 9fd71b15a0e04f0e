using System.Net.NetworkInformation;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.EndToEnd.Guard;

/// <summary>
/// The whole way: the appliance with its guard on, Open vSwitch, two machines that got their addresses by DHCP, and one of them that lies. The machines are namespaces with a cable
/// into the switch: what they run is somebody else's (busybox's DHCP client, iputils' ping).
/// </summary>
public sealed class ForgedAddressTests : IAsyncLifetime
{
    const string Honest = "honest", Liar = "liar";

    LabInstance lab = null!;

    public async Task InitializeAsync()
    {
        if (Libc.EffectiveUser() != 0) return;
        lab = await LabInstance.BuildAsync("e2egd", ServerFirmware.Bios);
        foreach (var machine in (string[])[Honest, Liar])
        {
            await Namespaces.CreateAsync(Space(machine), default);
            await Namespaces.CableAsync(lab.Plan.Switch.Namespace, PortOf(machine), Space(machine), "eth0", default);
            await lab.Rig.Switch.AddPortAsync(PortOf(machine), default);
        }
        await lab.Rig.Appliance.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        if (lab is not null) await lab.DisposeAsync();
    }

    string Space(string machine) => $"{lab.Plan.Name}-{machine}";

    string PortOf(string machine) => $"{lab.Plan.Name}-p{machine}";

    /// <summary>Takes an address as a machine does that boots, and puts it on the interface.</summary>
    async Task<Ipv4Address> BootAsync(string machine)
    {
        var script = $"{lab.Plan.Paths.Root}/{machine}.sh";
        await File.WriteAllTextAsync(script, $"#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nip address flush dev $interface\nip address add $ip/$mask dev $interface\necho $ip > {lab.Plan.Paths.Root}/{machine}.ip\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Command.RunAsync(Namespaces.Inside(Space(machine), ["/usr/bin/busybox", "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "6", "-T", "2", "-V", "PXEClient:Arch:00000:UNDI:002001", "-s", script]), default);
        return Ipv4Address.Parse((await File.ReadAllTextAsync($"{lab.Plan.Paths.Root}/{machine}.ip")).Trim());
    }

    async Task<bool> PingsAsync(string machine)
    {
        var answer = await Command.TryRunAsync(Namespaces.Inside(Space(machine), ["/usr/bin/busybox", "ping", "-c", "2", "-W", "1", "10.77.0.1"]), default);
        return answer.ExitCode == 0;
    }

    static MacAddress MacOf(LinkInterface link) => link.Mac;

    T In<T>(string machine, Func<LinkInterface, T> work)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var space = File.OpenHandle(Namespaces.PathOf(Space(machine)));
                if (Libc.SetNamespace(space, Libc.CloneNewNet) != 0) throw new InvalidOperationException("setns failed");
                var nic = NetworkInterface.GetAllNetworkInterfaces().Single(n => n.Name == "eth0");
                result = work(new(nic.Name, nic.GetIPProperties().GetIPv4Properties().Index, MacAddress.Read(nic.GetPhysicalAddress().GetAddressBytes())));
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw failure;
    }

    void Forge(string machine, MacAddress mac, Ipv4Address address, int times) => In(machine, link =>
    {
        using var wire = new PacketSocket(link, 0, []);
        var frame = new byte[60];
        UdpFrame.WriteHeaders(frame, 8, new() { SourceMac = mac, DestinationMac = MacAddress.Broadcast, Source = address, Destination = Ipv4Address.Parse("10.77.0.1"), SourcePort = 999, DestinationPort = 69 });
        for (var i = 0; i < times; i++) wire.Send(frame);
        return true;
    });

    Task<GuardDocument> UntilAsync(Func<GuardDocument, bool> wanted, string what) => LabInstance.UntilAsync(() => lab.Rig.Appliance.Client.GetGuard(default), wanted, what);

    [LabFact]
    public async Task Whoever_forges_an_address_is_dropped_counted_and_named_with_his_port_and_his_neighbour_notices_nothing()
    {
        var (honestIp, liarIp) = (await BootAsync(Honest), await BootAsync(Liar));
        var (honestMac, liarMac) = (In(Honest, MacOf), In(Liar, MacOf));
        Assert.True(await PingsAsync(Honest));
        Assert.True(await PingsAsync(Liar));
        await LabInstance.UntilAsync(lab.NodesAsync, nodes => nodes.Count(n => n.Location?.Port is not null) == 2, "both machines' places");

        // A wrong address, with the right NIC.
        Forge(Liar, liarMac, honestIp, 5);
        // A wrong NIC.
        var madeUp = MacAddress.Parse("52:54:00:66:66:66");
        Forge(Liar, madeUp, liarIp, 3);
        var guard = await UntilAsync(g => g.Forged.Count >= 2 && g.Forged.All(f => f.Port is not null), "both forgeries with their port");
        var one = guard.Forged.Single(f => f.Mac == liarMac.ToString());
        Assert.Equal((honestIp.ToString(), 5L, "rack", PortOf(Liar)), (one.Ip, one.Packets, one.Switch, one.Port));
        var other = guard.Forged.Single(f => f.Mac == madeUp.ToString());
        Assert.Equal((liarIp.ToString(), 3L, "rack", PortOf(Liar)), (other.Ip, other.Packets, other.Switch, other.Port));
        Assert.Contains($"a stranger, {madeUp}, sends as {liarIp}", other.Message);
        Assert.Equal(8, guard.Networks.Single().Dropped);
        Assert.True(await PingsAsync(Honest), "the honest machine is heard as before");
        Assert.True(await PingsAsync(Liar), "so is the liar, in his own name");
        Assert.Equal(8, (await lab.Rig.Appliance.Client.GetGuard(default)).Networks.Single().Dropped);
        var victim = (await lab.NodesAsync()).Single(n => n.Mac == honestMac.ToString()).Name;
        await LabInstance.UntilAsync(async () => (await lab.Rig.Appliance.Client.GetTimeline(one.Node!, default)).Events, events => events.Any(e => e.Kind == "guard.forged" && e.Message.Contains($"sends as {honestIp} ({victim}'s)") && e.Message.Contains($"from port {PortOf(Liar)} of switch rack")), "the event");

        // The right address and the right NIC, from the wrong port: the switch sees it there, and its own port still has its machine.
        Forge(Liar, honestMac, honestIp, 2);
        await lab.Rig.Appliance.Client.VerifyFabric(probe: false, default);
        guard = await UntilAsync(g => g.Displaced.Count == 1 && g.Networks.Single().Assigned == 1, "the NIC on the wrong port");
        Assert.Equal((honestMac.ToString(), $"rack/{PortOf(Honest)}", $"rack/{PortOf(Liar)}"), (guard.Displaced[0].Mac, guard.Displaced[0].Own, guard.Displaced[0].Seen));
        Forge(Liar, honestMac, honestIp, 4);
        guard = await UntilAsync(g => g.Forged.Any(f => f.Mac == honestMac.ToString()), "his frames dropped");
        Assert.Equal((4L, PortOf(Liar)), guard.Forged.Where(f => f.Mac == honestMac.ToString()).Select(f => (f.Packets, f.Port!)).Single());
        // He falls silent; the honest machine speaks from its own port again, and is let in.
        await PingsAsync(Honest);
        await lab.Rig.Appliance.Client.VerifyFabric(probe: false, default);
        await UntilAsync(g => g.Displaced.Count == 0 && g.Networks.Single().Assigned == 2, "the NIC back on its port");
        Assert.True(await PingsAsync(Honest));

        // Killed, the appliance leaves nothing behind; back again, it has everybody in before it serves.
        await lab.Rig.Appliance.KillAsync(default);
        // The kernel takes the table away when the last of the process is gone, a moment after it is dead.
        await LabInstance.UntilAsync(() => Command.RunAsync(Namespaces.Inside(lab.Plan.Appliance.Namespace, ["/usr/sbin/nft", "list", "tables"]), default), tables => !tables.Contains("gridappliance"), "the end of its table");
        await lab.Rig.Appliance.StartAsync(default);
        Assert.True(await PingsAsync(Honest));
        Forge(Liar, liarMac, honestIp, 1);
        await UntilAsync(g => g.Forged.Any(f => f.Mac == liarMac.ToString()), "the liar dropped after the restart");
    }
}
