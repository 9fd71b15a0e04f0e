using System.Net;
using GridAppliance.Power.Ipmi;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Power;

/// <summary>The socket and the ways to open a driver on it, for a test.</summary>
sealed class BmcBench : IAsyncDisposable
{
    public IpmiSocket Socket { get; } = new(NullLogger<IpmiSocket>.Instance);

    public IpmiBmc Open(IPEndPoint bmc, string user, byte[] password, TimeProvider? clock = null, IpmiTimings? timings = null, byte[]? deviceKey = null) =>
        new(new($"ipmi://{bmc}"), new BmcOwner(bmc, new() { User = user, Password = password, DeviceKey = deviceKey }, Socket, timings ?? new(), clock ?? TimeProvider.System, NullLogger.Instance));

    public IpmiBmc Open(ScriptedBmc bmc, TimeProvider? clock = null, IpmiTimings? timings = null, byte[]? password = null) =>
        Open(bmc.EndPoint, bmc.User, password ?? bmc.Password, clock, timings, bmc.DeviceKey);

    public ValueTask DisposeAsync() => Socket.DisposeAsync();
}
