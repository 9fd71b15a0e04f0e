using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Native;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.EndToEnd.Switches;

/// <summary>The appliance's driver and the lab's switch: Open vSwitch does the switching, the agent in front of it speaks the MIBs.</summary>
public sealed class LabSwitchTests : IAsyncLifetime
{
    static readonly LabPlan Plan = LabPlan.For(LabName.Parse("e2esw"), [ServerFirmware.Bios, ServerFirmware.Bios]);
    static readonly VlanId Provisioning = new(LabSwitch.ProvisioningVlan), Farm = new(250);

    readonly LabRig rig = new(Plan, LabPrograms.Built(), TimeProvider.System);

    public async Task InitializeAsync()
    {
        if (Libc.EffectiveUser() != 0) return;
        await rig.TearDownAsync(CancellationToken.None);
        await rig.BuildAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        if (Libc.EffectiveUser() == 0) await rig.TearDownAsync(CancellationToken.None);
        rig.Dispose();
    }

    [LabFact]
    public async Task A_port_is_moved_through_snmp_and_open_vswitch_follows()
    {
        await using var socket = SocketIn(Plan.Appliance.Namespace);
        var credentials = new SnmpCredentials.User(LabSwitch.SnmpUser, UsmAuthentication.Sha256, LabSwitch.SnmpAuthentication, UsmPrivacy.Aes128, LabSwitch.SnmpPrivacy);
        var device = new SwitchFamily(socket, TimeProvider.System).Open(new($"snmp+qbridge://{LabSwitch.ManagementAddress}"), credentials);
        var before = await device.ReadAsync(CancellationToken.None);
        var uplink = before.Port(Plan.Switch.Uplink)!;
        var port = before.Port(Plan.Servers[0].Tap)!;
        var other = before.Port(Plan.Servers[1].Tap)!;
        Assert.All([uplink, port, other], p => Assert.Equal(PortVlans.Access(Provisioning), p.Vlans));

        var policy = new SwitchPolicy { Ports = [uplink.Number, port.Number, other.Number], Vlans = [Provisioning, Farm], Uplinks = [uplink.Number] };
        await using var actor = new SwitchActor((IVlanWriter)device, policy, new NoJournal(), NullLogger<SwitchActor>.Instance);
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
        await using var socket = SocketIn(Plan.Appliance.Namespace);
        var credentials = new SnmpCredentials.User(LabSwitch.SnmpUser, UsmAuthentication.Sha256, LabSwitch.SnmpAuthentication, UsmPrivacy.Aes128, LabSwitch.SnmpPrivacy);
        var device = new SwitchFamily(socket, TimeProvider.System).Open(new($"snmp+qbridge://{LabSwitch.ManagementAddress}"), credentials);
        await device.ReadAsync(CancellationToken.None);
        await rig.Switch.SetVlanAsync(Plan.Servers[1].Tap, LabSwitch.WrongVlan, CancellationToken.None);
        // What the agent has read is fresh for a moment.
        PortVlans? now = null;
        for (var i = 0; i < 100 && now?.Pvid?.Value != LabSwitch.WrongVlan; i++)
        {
            now = (await device.ReadAsync(CancellationToken.None)).Port(Plan.Servers[1].Tap)!.Vlans;
            await Task.Delay(20);
        }
        Assert.Equal(PortVlans.Access(new(LabSwitch.WrongVlan)), now);
    }

    static Task<string> TagAsync(string port) => GetAsync(port, "tag");

    static async Task<string> GetAsync(string port, string column) =>
        (await Command.RunAsync([OpenVswitch.Control, $"--db=unix:{Plan.Paths.SwitchSocket}", "get", "port", port, column], CancellationToken.None)).Trim();

    // A socket belongs to the namespace that the thread which opened it was in.
    static SnmpSocket SocketIn(string networkNamespace)
    {
        SnmpSocket? socket = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            using var handle = File.OpenHandle(Namespaces.PathOf(networkNamespace));
            if (Libc.SetNamespace(handle, Libc.CloneNewNet) == 0) socket = new(NullLogger<SnmpSocket>.Instance);
            else failure = new LabException($"{networkNamespace} cannot be entered");
        });
        thread.Start();
        thread.Join();
        return socket ?? throw failure!;
    }

    sealed class NoJournal : ISwitchJournal
    {
        public Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken) => Task.FromResult(0L);

        public Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<UnfinishedChange> Unfinished(Uri device) => [];
    }
}
