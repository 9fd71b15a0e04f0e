using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Agent.Modules;

/// <summary>Whether a module does what it is there for: its port answers, or its own program says so.</summary>
sealed class ModuleHealthCheck(ModuleRecord record, ModuleLauncher launcher, ModuleStore store, TimeProvider clock)
{
    static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(20);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan OneLook = TimeSpan.FromSeconds(5);

    public bool Exists => record.Manifest.Health is not null;

    /// <summary>How long what a module's author wrote may take.</summary>
    public static TimeSpan LimitOf(ModuleRecord record) => record.Manifest.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultLimit;

    /// <summary>No trouble as soon as it is healthy; when the limit is over, why it is not.</summary>
    public async Task<Trouble> WaitAsync(CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (await LookAsync(cancellationToken) is { Reason: { } reason })
        {
            if (clock.GetElapsedTime(began) > LimitOf(record)) return string.Create(CultureInfo.InvariantCulture, $"was not healthy within {LimitOf(record).TotalSeconds} s: {reason}");
            await Task.Delay(LookAgain, clock, cancellationToken);
        }
        return default;
    }

    /// <summary>No trouble when it is healthy now. A look that fails is a reason like any other: whoever waits for the module's health hears of it, and the next look may be better.</summary>
    public async Task<Trouble> LookAsync(CancellationToken cancellationToken)
    {
        try { return await AskAsync(cancellationToken); }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested) { return $"it cannot be looked at: {e.Message}"; }
    }

    async Task<Trouble> AskAsync(CancellationToken cancellationToken) => record.Manifest.Health switch
    {
        { Port: { } port } => await ConnectAsync(port, cancellationToken),
        { PortParameter: { } name } => await ConnectAsync(int.Parse(record.Parameters[name], CultureInfo.InvariantCulture), cancellationToken),
        { Command: { } command } => await launcher.RunAsync(record, command, store.LogFile(record.Name), OneLook, clock, cancellationToken),
        _ => default,
    };

    /// <summary>By events: as a task of the socket's own each refused look would be an exception, and the first exception's stack is the dearest part of a node's first installation.</summary>
    async Task<Trouble> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var attempt = new SocketAsyncEventArgs { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, port) };
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        attempt.Completed += (_, _) => ended.TrySetResult();
        try
        {
            if (socket.ConnectAsync(attempt)) await ended.Task.WaitAsync(OneLook, clock, cancellationToken);
            return attempt.SocketError == SocketError.Success ? null : string.Create(CultureInfo.InvariantCulture, $"nothing answers on port {port}");
        }
        catch (TimeoutException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"port {port} does not answer");
        }
    }
}
