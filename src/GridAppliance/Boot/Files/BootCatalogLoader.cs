using System.Runtime.InteropServices;
using GridAppliance.Hosting;

namespace GridAppliance.Boot.Files;

/// <summary>Reads the catalogue at start, so that a missing image fails the unit, and again on SIGHUP; a reload that fails leaves the old one in service.</summary>
sealed partial class BootCatalogLoader(ApplianceOptions options, BootCatalogState state, ApplianceProblems problems, ILogger<BootCatalogLoader> log) : IHostedService, IDisposable
{
    const string Problem = "boot.files";

    readonly Lock gate = new();
    PosixSignalRegistration? hangUp;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Networks.Any(n => n.Boot)) return Task.CompletedTask;
        Load(cancellationToken);
        hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            TryReload();
        });
        return Task.CompletedTask;
    }

    /// <returns>Null when the new catalogue is in service, else why not, in one sentence.</returns>
    public string? TryReload()
    {
        try
        {
            Load(CancellationToken.None);
            problems.Clear(Problem);
            return null;
        }
        catch (StartupException e)
        {
            problems.Raise(Problem, $"{e.Message}; the boot files read before stay in service", e.NextStep);
            LogKept(e.Message);
            return e.Message;
        }
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => hangUp?.Dispose();

    void Load(CancellationToken cancellation)
    {
        // Two reloads at once would each hold a whole image in memory.
        lock (gate)
        {
            var catalog = BootCatalogReader.Read(options.BootFiles, state.Current, cancellation);
            state.Current = catalog;
            LogLoaded(catalog.Files.Count, catalog.Files.Sum(f => (long)f.Content.Length) >> 20, options.BootFiles, catalog.Profile);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving {Count} boot files ({MiB} MiB) from {Directory}, node image profile {Profile}")]
    partial void LogLoaded(int count, long miB, string directory, string profile);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}. The boot files read before stay in service")]
    partial void LogKept(string reason);
}
