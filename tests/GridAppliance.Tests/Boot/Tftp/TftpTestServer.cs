using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Tftp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Tftp;

/// <summary>The real server on a free port of loopback.</summary>
sealed class TftpTestServer : IAsyncDisposable
{
    readonly BootCatalogState catalog;

    public TftpTestServer(BootCatalogState catalog, TimeProvider? clock = null, TftpSettings? settings = null)
    {
        this.catalog = catalog;
        clock ??= TimeProvider.System;
        var clients = new BootClients();
        clients.Granted("bench", Protocols.Addresses.Ipv4Address.Parse("127.0.0.1"), BootBench.Mac);
        Listener = new(BootBench.Loopback, (settings ?? new()) with { Port = 0 }, catalog, Counters, new BootReporter(Observer, clients, clock), clock, NullLogger.Instance);
    }

    public byte[] Content(string key) => catalog.Current!.Find(key)!.Content;

    public BootObserver Observer { get; } = new();

    public TftpCounters Counters { get; } = new();

    public TftpListener Listener { get; }

    public int Port => Listener.Port;

    /// <summary>Waits until the running transfers have ended and reported.</summary>
    public Task IdleAsync() => Eventually.UntilAsync(() => Listener.Active == 0, "the end of all transfers");

    public ValueTask DisposeAsync() => Listener.DisposeAsync();
}
