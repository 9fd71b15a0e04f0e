using System.Buffers.Binary;
using System.Net.Sockets;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.EndToEnd.Switches;

/// <summary>The lab's switch and its agent, without servers.</summary>
public sealed class LabSwitchRig : IAsyncLifetime
{
    internal static LabPlan Plan { get; } = LabPlan.For(LabName.Parse("e2esw"), [ServerFirmware.Bios, ServerFirmware.Bios, ServerFirmware.Bios]);

    internal LabRig Rig { get; } = new(Plan, LabPrograms.Built(), TimeProvider.System);

    public async Task InitializeAsync()
    {
        if (Libc.EffectiveUser() != 0) return;
        await Rig.TearDownAsync(CancellationToken.None);
        await Rig.BuildAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        if (Libc.EffectiveUser() == 0) await Rig.TearDownAsync(CancellationToken.None);
        Rig.Dispose();
    }
}

/// <summary>The appliance's driver, net-snmp's own tools, and the lab's switch: Open vSwitch does the switching, the agent in front of it speaks the MIBs.</summary>
public sealed class LabSwitchTests(LabSwitchRig lab) : IClassFixture<LabSwitchRig>
{
    static readonly VlanId Provisioning = new(LabSwitch.ProvisioningVlan), Farm = new(250);

    static LabPlan Plan => LabSwitchRig.Plan;

    static SnmpCredentials Credentials => new SnmpCredentials.User(LabSwitch.SnmpUser, UsmAuthentication.Sha256, LabSwitch.SnmpAuthentication, UsmPrivacy.Aes128, LabSwitch.SnmpPrivacy);

    static QBridgeSwitch Open(SnmpSocket socket) => (QBridgeSwitch)new SwitchFamily(socket, TimeProvider.System).Open(new($"snmp+qbridge://{LabSwitch.ManagementAddress}"), Credentials);

    [LabFact]
    public async Task A_port_is_moved_through_snmp_and_open_vswitch_follows()
    {
        await using var socket = InNamespace(Plan.Appliance.Namespace, () => new SnmpSocket(NullLogger<SnmpSocket>.Instance));
        using var device = Open(socket);
        var before = await device.ReadAsync(CancellationToken.None);
        var uplink = before.Port(Plan.Switch.Uplink)!;
        var port = before.Port(Plan.Servers[0].Tap)!;
        var other = before.Port(Plan.Servers[1].Tap)!;
        Assert.All([uplink, port, other], p => Assert.Equal(PortVlans.Access(Provisioning), p.Vlans));

        var policy = new SwitchPolicy { Ports = [uplink.Number, port.Number, other.Number], Vlans = [Provisioning, Farm], Uplinks = [uplink.Number] };
        await using var actor = new SwitchActor(device, policy, new NoJournal(), NullLogger<SwitchActor>.Instance);
        var outcome = await actor.ApplyAsync(new() { Ports = [new(port.Number) { Vlans = PortVlans.Access(Farm) }] }, CancellationToken.None);
        Assert.Equal((ChangeEnding.Done, null), (outcome.Ending, outcome.Reason));
        Assert.Equal("250", await TagAsync(Plan.Servers[0].Tap));
        Assert.Equal("100", await TagAsync(Plan.Servers[1].Tap));

        var trunk = PortVlans.Trunk(Provisioning, [Farm]);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(new() { Ports = [new(port.Number) { Vlans = trunk }] }, CancellationToken.None)).Ending);
        Assert.Equal("[250]", await GetAsync(Plan.Servers[0].Tap, "trunks"));
        Assert.Equal("native-untagged", await GetAsync(Plan.Servers[0].Tap, "vlan_mode"));

        Assert.Equal(ChangeEnding.Refused, (await actor.ApplyAsync(new() { Ports = [new(uplink.Number) { Vlans = PortVlans.Access(Farm) }] }, CancellationToken.None)).Ending);
        Assert.Equal("100", await TagAsync(Plan.Switch.Uplink));
    }

    [LabFact]
    public async Task A_cable_that_somebody_plugs_elsewhere_is_seen()
    {
        await using var socket = InNamespace(Plan.Appliance.Namespace, () => new SnmpSocket(NullLogger<SnmpSocket>.Instance));
        using var device = Open(socket);
        await device.ReadAsync(CancellationToken.None);
        await lab.Rig.Switch.SetVlanAsync(Plan.Servers[2].Tap, LabSwitch.WrongVlan, CancellationToken.None);
        // What the agent has read is fresh for a moment.
        PortVlans? now = null;
        for (var i = 0; i < 100 && now?.Pvid?.Value != LabSwitch.WrongVlan; i++)
        {
            now = (await device.ReadAsync(CancellationToken.None)).Port(Plan.Servers[2].Tap)!.Vlans;
            await Task.Delay(20);
        }
        Assert.Equal(PortVlans.Access(new(LabSwitch.WrongVlan)), now);
    }

    [LabFact]
    public async Task What_a_neighbour_says_of_itself_is_in_the_lldp_table_for_our_driver_and_for_net_snmps_own_tools()
    {
        var (space, port) = ($"{Plan.Name}-speaks", $"{Plan.Name}-speaks0");
        await Namespaces.CreateAsync(space, CancellationToken.None);
        try
        {
            await Namespaces.CableAsync(Plan.Switch.Namespace, port, space, "eth0", CancellationToken.None);
            await lab.Rig.Switch.AddPortAsync(port, CancellationToken.None);
            using var speaker = InNamespace(space, () => new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(LldpMessage.EtherType)));
            var nic = MacAddress.Parse((await Command.RunAsync(Namespaces.Inside(space, ["/usr/bin/cat", "/sys/class/net/eth0/address"]), CancellationToken.None)).Trim());
            var number = int.Parse(await Command.RunAsync(Namespaces.Inside(space, ["/usr/bin/cat", "/sys/class/net/eth0/ifindex"]), CancellationToken.None));
            await using var socket = InNamespace(Plan.Appliance.Namespace, () => new SnmpSocket(NullLogger<SnmpSocket>.Instance));
            using var device = Open(socket);

            SwitchNeighbour? heard = null;
            for (var i = 0; i < 300 && heard is null; i++)
            {
                // The cable may not carry anything yet.
                await speaker.SendToAsync(Introduction(nic), SocketFlags.None, new PacketEndPoint(LldpMessage.EtherType, number));
                await Task.Delay(100);
                var ports = await device.ReadAsync(CancellationToken.None);
                heard = (await device.ReadNeighboursAsync(ports, CancellationToken.None)).FirstOrDefault(n => n.Port is not null && n.Port == ports.Port(port)?.Number);
            }
            Assert.NotNull(heard);
            Assert.Equal(("server-1", "eth0"), (heard.SystemName, heard.PortDescription));
            Assert.Equal(nic, heard.PortMac);
            Assert.NotNull((await device.ReadIdentityAsync(CancellationToken.None)).BridgeAddress);

            var remote = await ToolAsync("snmpbulkwalk", ".1.0.8802.1.1.2.1.4.1.1");
            Assert.Contains("STRING: \"server-1\"", remote);
            Assert.Contains($"Hex-STRING: {nic.ToString().Replace(':', ' ').ToUpperInvariant()}", remote);
            // And the other tables: interfaces, bridge ports, VLANs, PVIDs, the LLDP ports.
            Assert.Contains($"STRING: \"{port}\"", await ToolAsync("snmpwalk", ".1.3.6.1.2.1.31.1.1.1.1"));
            Assert.Contains("INTEGER: ", await ToolAsync("snmpwalk", ".1.3.6.1.2.1.17.1.4.1.2"));
            Assert.Contains($"STRING: \"VLAN{LabSwitch.ProvisioningVlan}\"", await ToolAsync("snmpwalk", ".1.3.6.1.2.1.17.7.1.4.3.1"));
            Assert.Contains($"Gauge32: {LabSwitch.ProvisioningVlan}", await ToolAsync("snmpwalk", ".1.3.6.1.2.1.17.7.1.4.5.1.1"));
            Assert.Contains($"STRING: \"{port}\"", await ToolAsync("snmpwalk", ".1.0.8802.1.1.2.1.3.7.1"));
        }
        finally
        {
            await lab.Rig.Switch.RemovePortAsync(port, CancellationToken.None);
            await Namespaces.DeleteAsync(space, CancellationToken.None);
        }
    }

    // Ethernet, then LLDP: chassis by name, port by address.
    static byte[] Introduction(MacAddress nic)
    {
        var frame = new byte[512];
        LldpMessage.NearestBridge.Write(frame);
        nic.Write(frame.AsSpan(MacAddress.Length));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), LldpMessage.EtherType);
        var address = new byte[MacAddress.Length];
        nic.Write(address);
        var message = new LldpMessage
        {
            ChassisKind = LldpChassisKind.Local, ChassisId = "chassis 1"u8, PortKind = LldpPortKind.MacAddress, PortId = address, TimeToLiveSeconds = 120, PortDescription = "eth0"u8, SystemName = "server-1"u8,
        };
        return frame[..(14 + message.Write(frame.AsSpan(14)))];
    }

    static Task<string> ToolAsync(string program, string below) => Command.RunAsync(Namespaces.Inside(Plan.Appliance.Namespace,
    [
        $"/usr/bin/{program}", "-v3", "-l", "authPriv", "-u", LabSwitch.SnmpUser, "-a", "SHA-256", "-A", LabSwitch.SnmpAuthentication, "-x", "AES", "-X", LabSwitch.SnmpPrivacy,
        "-On", "-t", "5", "-r", "2", "-m", "", LabSwitch.ManagementAddress, below,
    ]), CancellationToken.None);

    static Task<string> TagAsync(string port) => GetAsync(port, "tag");

    static async Task<string> GetAsync(string port, string column) =>
        (await Command.RunAsync([OpenVswitch.Control, $"--db=unix:{Plan.Paths.SwitchSocket}", "get", "port", port, column], CancellationToken.None)).Trim();

    // A socket belongs to the namespace that the thread which opened it was in.
    static T InNamespace<T>(string networkNamespace, Func<T> open) where T : class
    {
        T? opened = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle(Namespaces.PathOf(networkNamespace));
                if (Libc.SetNamespace(handle, Libc.CloneNewNet) == 0) opened = open();
                else failure = new LabException($"{networkNamespace} cannot be entered");
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return opened ?? throw failure!;
    }

    sealed class NoJournal : ISwitchJournal
    {
        public Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken) => Task.FromResult(0L);

        public Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<UnfinishedChange> Unfinished(Uri device) => [];
    }
}
