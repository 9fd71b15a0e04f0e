using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>A recording that answers over real UDP, and a session with it.</summary>
sealed class RecordedAgent : IAsyncDisposable
{
    public const string Community = "recorded";

    readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);

    public RecordedAgent(IManagedTree tree, IReadOnlyDictionary<string, IManagedTree>? contexts = null, SnmpTimings? timings = null)
    {
        var all = new Dictionary<string, IManagedTree>(contexts ?? new Dictionary<string, IManagedTree>()) { [""] = tree };
        Agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 1, 2, 3, 4], Communities = new Dictionary<string, AgentAccess> { [Community] = AgentAccess.ReadWrite } }, all, TimeProvider.System);
        Session = new(socket, Agent.EndPoint, new SnmpCredentials.Community(Community), timings ?? new(), TimeProvider.System);
    }

    /// <summary>By the name of a recording, such as <c>librenms/junos_qfx5100.snmprec</c>.</summary>
    public static RecordedAgent Of(string name) => new(Recording.Load(SharedCases.PathOf($"snmp/{name}")));

    public SnmpAgent Agent { get; }

    public SnmpSession Session { get; }

    public async ValueTask DisposeAsync()
    {
        Session.Dispose();
        await Agent.DisposeAsync();
        await socket.DisposeAsync();
    }
}
