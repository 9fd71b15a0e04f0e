using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Switches;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>A driver, its journal, and the agent that it talks to over UDP, signed and encrypted.</summary>
sealed class DriverBench<TDevice> : IAsyncDisposable where TDevice : IVlanWriter, IDisposable
{
    readonly TestStore store = new();

    /// <param name="tree">What the agent answers from.</param>
    /// <param name="open">Makes the driver.</param>
    /// <param name="timings">How patient it is, and how much it puts into one request.</param>
    public DriverBench(IManagedTree tree, Func<SnmpSession, TDevice> open, SnmpTimings? timings = null)
    {
        Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 9, 9, 9], Users = [SwitchBench.Account] }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
        Device = open(new(Socket, Agent.EndPoint, SwitchBench.Credentials, timings ?? new() { FirstWait = TimeSpan.FromMilliseconds(500), Attempts = 4 }, TimeProvider.System));
        Journal = new(store.Database, store.Clock);
    }

    public SnmpSocket Socket { get; } = new(NullLogger<SnmpSocket>.Instance);

    public SnmpAgent Agent { get; }

    public TDevice Device { get; }

    public SwitchJournal Journal { get; private set; }

    public SwitchActor Actor(SwitchPolicy policy) => new(Device, policy, Journal, NullLogger<SwitchActor>.Instance);

    /// <summary>What a killed daemon leaves to its next life: the journal on the disk, and the switch as it is.</summary>
    public async Task RestartAsync()
    {
        await store.ReopenAsync();
        Journal = new(store.Database, store.Clock);
    }

    public async ValueTask DisposeAsync()
    {
        Device.Dispose();
        await Agent.DisposeAsync();
        await Socket.DisposeAsync();
        await store.DisposeAsync();
    }
}
