using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>Reads every switch once a minute.</summary>
sealed partial class FabricWatcher(SwitchFleet fleet, Timeline timeline, TimeProvider clock, ILogger<FabricWatcher> logger) : BackgroundService
{
    static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    /// <summary>Switches read at once.</summary>
    const int AtOnce = 16;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            await Parallel.ForEachAsync(fleet.Current.Values, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken }, async (one, token) => await ReadAsync(one, token));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    async Task ReadAsync(ManagedSwitch one, CancellationToken cancellationToken)
    {
        var before = one.Trouble;
        try
        {
            await one.ReadAsync(cancellationToken);
            if (one.Record.Abilities is null) await fleet.ProbeAsync(one, cancellationToken);
            if (before is not null) await timeline.AppendAsync(new NewEvent("switch.reachable", $"switch {one.Name} answers again"), cancellationToken);
        }
        catch (DeviceException e)
        {
            LogNotRead(one.Name, e.Message);
            if (before?.Fault != e.Fault) await timeline.AppendAsync(new NewEvent("switch.trouble", $"switch {one.Name} cannot be read: {e.Message}") { Severity = EventSeverity.Warning }, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Switch {Name}: {Reason}")]
    partial void LogNotRead(string name, string reason);
}
