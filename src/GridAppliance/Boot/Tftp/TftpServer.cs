using GridAppliance.Boot.Files;
using GridAppliance.Hosting;

namespace GridAppliance.Boot.Tftp;

/// <summary>TFTP on every boot network; the ports open at start, so that a taken one fails the unit.</summary>
sealed class TftpServer(
    ApplianceOptions options, TftpSettings settings, BootCatalogState catalog, TftpCounters counters, BootReporter reporter, TimeProvider clock, ILogger<TftpServer> log) : IHostedService, IAsyncDisposable
{
    readonly List<TftpListener> listeners = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Telemetry.Observe(counters);
        foreach (var network in options.Networks.Where(n => n is { Boot: true, Via: null }))
            listeners.Add(new(network, settings, catalog, counters, reporter, clock, log));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in listeners) await listener.DisposeAsync();
        listeners.Clear();
    }
}
