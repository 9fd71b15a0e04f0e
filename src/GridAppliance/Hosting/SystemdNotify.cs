using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace GridAppliance.Hosting;

/// <summary>
/// Tells systemd that the daemon is ready, alive and stopping (sd_notify(3)): one datagram each to the socket that NOTIFY_SOCKET names. Does nothing where there is none.
/// The watchdog's word comes from the thread pool that serves everything else, so that a daemon whose pool is stuck falls silent and is restarted.
/// </summary>
sealed partial class SystemdNotify(IHostApplicationLifetime lifetime, TimeProvider time, ILogger<SystemdNotify> log, string? address, TimeSpan? watchdog) : BackgroundService
{
    public static SystemdNotify FromEnvironment(IServiceProvider provider) => new(
        provider.GetRequiredService<IHostApplicationLifetime>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SystemdNotify>>(),
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } socket ? socket : null, ReadWatchdog(Environment.GetEnvironmentVariable("WATCHDOG_USEC")));

    /// <summary>Half of what systemd waits, as sd_watchdog_enabled(3) advises.</summary>
    internal static TimeSpan? ReadWatchdog(string? microseconds) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? TimeSpan.FromMicroseconds(value / 2) : null;

    /// <summary>How long one word waits for a systemd that does not read: being heard is worth less than going on.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (address is null) return;
        using var stopping = lifetime.ApplicationStopping.Register(() => Send("STOPPING=1"));
        if (!await Started(stoppingToken)) return;
        Send("READY=1");
        if (watchdog is not { } interval) return;
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).AsTask().ContinueWith(static tick => tick.IsCompletedSuccessfully && tick.Result, TaskScheduler.Default))
            Send("WATCHDOG=1");
    }

    /// <summary>Every hosted service has opened its sockets by then: "ready" means that a node may boot.</summary>
    async Task<bool> Started(CancellationToken stopping)
    {
        var started = new TaskCompletionSource();
        using var ready = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        using var stopped = stopping.Register(() => started.TrySetCanceled(stopping));
        await ((Task)started.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return started.Task.IsCompletedSuccessfully;
    }

    internal void Send(string state)
    {
        if (address is null) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = (int)Patience.TotalMilliseconds };
            // A leading @ is systemd's way to write the abstract namespace.
            var path = address[0] == '@' ? "\0" + address[1..] : address;
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) { LogNotHeard(state, e.SocketErrorCode); }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "systemd did not hear {State}: {Error}")]
    partial void LogNotHeard(string state, SocketError error);
}
