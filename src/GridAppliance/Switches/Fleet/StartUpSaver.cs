using System.Threading.Channels;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Snmp;

namespace GridAppliance.Switches.Fleet;

/// <summary>
/// Saves a switch's configuration to its start-up store once, when nothing has been written for a while. That something is unsaved is written down before the first write, so a
/// restart of the daemon does not forget it.
/// </summary>
sealed partial class StartUpSaver : IAsyncDisposable
{
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(30);
    static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(5);

    readonly string name;
    readonly IStartUpStore device;
    readonly SwitchStore store;
    readonly Timeline timeline;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly CancellationTokenSource stopping = new();
    // One poke is as good as many.
    readonly Channel<bool> pokes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    readonly Task working;
    volatile bool hasUnsaved;

    public StartUpSaver(string name, IStartUpStore device, bool hasUnsaved, SwitchStore store, Timeline timeline, TimeProvider clock, ILogger logger)
    {
        (this.name, this.device, this.store, this.timeline, this.clock, this.logger) = (name, device, store, timeline, clock, logger);
        this.hasUnsaved = hasUnsaved;
        if (hasUnsaved) pokes.Writer.TryWrite(true);
        working = Task.Run(WorkAsync);
    }

    public bool HasUnsaved => hasUnsaved;

    public SaveOutcome? Last { get; private set; }

    public async Task WritingAsync(CancellationToken cancellationToken)
    {
        if (!hasUnsaved) await store.MarkUnsavedAsync(name, true, cancellationToken);
        hasUnsaved = true;
        pokes.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await working;
        stopping.Dispose();
    }

    async Task WorkAsync()
    {
        try
        {
            while (await pokes.Reader.WaitToReadAsync(stopping.Token))
            {
                while (pokes.Reader.TryRead(out _)) await UntilQuietAsync();
                if (!await TrySaveAsync())
                {
                    await Task.Delay(AfterFailure, clock, stopping.Token);
                    pokes.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    async Task UntilQuietAsync()
    {
        using var quiet = new CancellationTokenSource(Quiet, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, stopping.Token);
        try
        {
            // A poke in the meantime begins the waiting anew.
            await pokes.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
        }
    }

    async Task<bool> TrySaveAsync()
    {
        try
        {
            var outcome = await device.SaveAsync(stopping.Token);
            Last = outcome;
            if (outcome == SaveOutcome.Failed)
            {
                await timeline.AppendAsync(new NewEvent("switch.not-saved", $"switch {name} did not save its configuration: a restart of it would undo what was changed") { Severity = EventSeverity.Warning }, stopping.Token);
                return false;
            }
            await store.MarkUnsavedAsync(name, false, stopping.Token);
            hasUnsaved = false;
            if (outcome == SaveOutcome.Saved) await timeline.AppendAsync(new NewEvent("switch.saved", $"switch {name} saved its configuration"), stopping.Token);
            return true;
        }
        catch (Exception e) when (e is DeviceException or Store.StoreException)
        {
            LogNotSaved(name, e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Switch {Name} was not saved, and will be tried again: {Reason}")]
    partial void LogNotSaved(string name, string reason);
}
