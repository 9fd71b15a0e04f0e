using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;

namespace GridAppliance.Tests.Switches;

/// <summary>A switch that tells of one thing twice, over UDP, signed and encrypted: what is meant cannot be known, and nothing is written by guess.</summary>
public sealed class ReportedTwiceTests
{
    static readonly VlanId Idle = new(100), Farm = new(250);

    readonly MemoryBridge bridge = new(BridgeModel.Factory(8).WithAccess(100, [.. Enumerable.Range(1, 8)]));

    static SwitchPolicy Policy { get; } = new() { Ports = [.. Enumerable.Range(1, 8)], Vlans = [Idle, Farm] };

    static VlanIntent Move(int port) => new() { Ports = [new(port) { Vlans = PortVlans.Access(Farm) }] };

    [Fact]
    public async Task A_port_that_is_reported_twice_is_not_written_and_the_others_are()
    {
        // Bridge ports 2 and 5 are the same interface.
        var tree = new EditedTree(new BridgeTree(bridge, "lab", TimeProvider.System), row => row.Name == QBridgeMib.BasePortIfIndex.Append(5) ? row with { Value = SnmpValue.Integer(1002) } : row);
        await using var bench = new DriverBench<QBridgeSwitch>(tree, session => new(new("snmp+qbridge://127.0.0.1"), session));
        await using var actor = bench.Actor(Policy);
        var before = bridge.Model;
        foreach (var port in new[] { 2, 5 })
        {
            var outcome = await actor.ApplyAsync(Move(port), default);
            Assert.Equal(ChangeEnding.Refused, outcome.Ending);
            Assert.Contains("twice, as ports 2 and 5", outcome.Reason);
        }
        Assert.Same(before, bridge.Model);
        Assert.Equal(ChangeEnding.Done, (await actor.ApplyAsync(Move(3), default)).Ending);
    }

    [Fact]
    public async Task A_row_that_is_reported_twice_ends_the_reading_and_nothing_is_written()
    {
        await using var bench = new DriverBench<QBridgeSwitch>(new BridgeTree(bridge, "lab", TimeProvider.System), session => new(new("snmp+qbridge://127.0.0.1"), session));
        var twice = QBridgeMib.Pvid.Append(4);
        bench.Agent.Tamper = (_, response) => response with { Varbinds = [.. response.Varbinds.SelectMany(v => v.Name == twice ? new[] { v, v } : [v])] };
        await using var actor = bench.Actor(Policy);
        var fault = await Assert.ThrowsAsync<DeviceException>(() => actor.ApplyAsync(Move(3), default));
        Assert.Equal(DeviceFault.Nonsense, fault.Fault);
        Assert.Contains($"goes in circles at {twice}", fault.Message);
        Assert.False(bench.Agent.Served.ContainsKey(SnmpPduType.Set));
        Assert.Empty(bench.Journal.Unfinished(bench.Device.Address));
    }

    /// <summary>A tree of which some rows are told otherwise.</summary>
    sealed class EditedTree(IManagedTree tree, Func<Varbind, Varbind> edit) : IManagedTree
    {
        public ValueTask RefreshAsync(CancellationToken cancellationToken) => tree.RefreshAsync(cancellationToken);

        public SnmpValue Get(ObjectIdentifier name) => edit(new(name, tree.Get(name))).Value;

        public Varbind? Next(ObjectIdentifier name) => tree.Next(name) is { } next ? edit(next) : null;

        public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken) => tree.SetAsync(varbinds, cancellationToken);
    }
}
