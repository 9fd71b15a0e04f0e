using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Power.Pdu;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Testing;
using GridAppliance.Tests.Switches;

namespace GridAppliance.Tests.Power.Pdu;

/// <summary>Outlets of recorded PDUs, and of one typed by hand where the recording leaves the switching out.</summary>
public sealed class PduOutletTests
{
    static Recording Writable(string name)
    {
        var recording = Recording.Load(SharedCases.PathOf($"snmp/{name}.snmprec"));
        return new(Rows(recording)) { IsWritable = n => n.StartsWith(OutletDialect.Apc.Command) || n.StartsWith(OutletDialect.ApcMasterSwitch.Command) };
    }

    static IEnumerable<Varbind> Rows(Recording recording)
    {
        for (var next = recording.Next(default); next is { } row; next = recording.Next(row.Name)) yield return row;
    }

    static PduOutlet Apc(RecordedAgent agent, int outlet) => new(new($"snmp+apc://192.0.2.9/{outlet}"), agent.Session, OutletDialect.Apc, OutletDialect.ApcMasterSwitch);

    [CaseTheory]
    [InlineData("snmpsim-data/apc-7902b", "rPDUOutletStatusOutletState(1=on,2=off)", "rPDUOutletStatusOutletName", 16)]
    [InlineData("snmpsim-data/apc-8932", "rPDUOutletStatusOutletState(1=on,2=off)", "rPDUOutletStatusOutletName", 24)]
    [InlineData("librenms/apc_ap7900b", "sPDUOutletCtl(1=on,2=off)", "sPDUOutletName", 8)]
    public async Task The_outlets_of_an_apc_are_listed_with_names_and_states(string name, string states, string names, int count)
    {
        var facts = SharedCases.Json($"snmp/{name}.facts.json");
        await using var agent = new RecordedAgent(Writable(name));
        var outlets = await Apc(agent, 1).ListAsync(default);
        Assert.Equal(count, outlets.Count);
        foreach (var outlet in outlets)
        {
            Assert.Equal(facts.GetProperty(names).GetProperty($"{outlet.Number}").GetString(), outlet.Name);
            Assert.Equal(facts.GetProperty(states).GetProperty($"{outlet.Number}").GetString() == "1" ? PowerState.On : PowerState.Off, outlet.State);
            Assert.Equal(outlet.State, await Apc(agent, outlet.Number).GetPowerAsync(default));
        }
    }

    [CaseTheory]
    [InlineData(nameof(PowerAction.On), 2, 1)]
    [InlineData(nameof(PowerAction.Off), 1, 2)]
    [InlineData(nameof(PowerAction.Cycle), 1, 3)]
    [InlineData(nameof(PowerAction.Reset), 1, 3)]
    [InlineData(nameof(PowerAction.Cycle), 2, 1)] // off: a cycle would leave it so
    public async Task An_apc_outlet_is_told_in_its_own_numbers(string action, int state, int command)
    {
        // Outlet 1 of the recording is on, outlet 5 is off.
        var number = state == 1 ? 1 : 5;
        var recording = Writable("snmpsim-data/apc-7902b");
        await using var agent = new RecordedAgent(recording);
        await Apc(agent, number).SetPowerAsync(Enum.Parse<PowerAction>(action), default);
        Assert.Equal([new(OutletDialect.Apc.Command.Append((uint)number), SnmpValue.Integer(command))], recording.Written);
    }

    [CaseFact]
    public async Task What_an_outlet_cannot_do_or_may_not_do_is_told()
    {
        await using var agent = new RecordedAgent(Recording.Load(SharedCases.PathOf("snmp/snmpsim-data/apc-7902b.snmprec")));
        Assert.Equal(DeviceFault.Unsupported, (await Assert.ThrowsAsync<DeviceException>(() => Apc(agent, 1).SetPowerAsync(PowerAction.SoftOff, default))).Fault);
        Assert.Equal(DeviceFault.CredentialsRefused, (await Assert.ThrowsAsync<DeviceException>(() => Apc(agent, 1).SetPowerAsync(PowerAction.Off, default))).Fault);
        Assert.Equal(DeviceFault.Unsupported, (await Assert.ThrowsAsync<DeviceException>(() => Apc(agent, 99).GetPowerAsync(default))).Fault);
        Assert.Throws<NotSupportedException>(() => new PduOutlet(new("snmp+apc://192.0.2.9"), agent.Session, OutletDialect.Apc));
    }

    [CaseFact]
    public async Task The_names_of_a_raritans_outlets_are_read()
    {
        var recording = Recording.Load(SharedCases.PathOf("snmp/librenms/raritan-pdu_px2.snmprec"));
        // The recorder left the switching table out: outlet 1's row of it is typed in.
        await using var agent = new RecordedAgent(new Recording([.. Rows(recording), new(OutletDialect.Raritan.State.Append(1), SnmpValue.Integer(7))]));
        var outlets = await new PduOutlet(new("snmp+raritan://192.0.2.9/1"), agent.Session, OutletDialect.Raritan).ListAsync(default);
        Assert.Equal(12, outlets.Count);
        Assert.Equal(new(2, "OUTLET2", PowerState.Unknown), outlets[1]);
        Assert.Equal(PowerState.On, outlets[0].State);
    }

    [Fact]
    public async Task A_raritan_outlet_is_switched()
    {
        var recording = new Recording([new(OutletDialect.Raritan.State.Append(3), SnmpValue.Integer(8)), new(OutletDialect.Raritan.Command.Append(3), SnmpValue.Integer(0))]) { IsWritable = n => n.StartsWith(OutletDialect.Raritan.Command) };
        await using var agent = new RecordedAgent(recording);
        var outlet = new PduOutlet(new("snmp+raritan://192.0.2.9/3"), agent.Session, OutletDialect.Raritan);
        Assert.Equal(PowerState.Off, await outlet.GetPowerAsync(default));
        await outlet.SetPowerAsync(PowerAction.On, default);
        await outlet.SetPowerAsync(PowerAction.Off, default);
        Assert.Equal([1, 0], recording.Written.Select(w => w.Value.TryGetInt32(out var v) ? v : -1));
    }
}
