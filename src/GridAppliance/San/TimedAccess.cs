using System.Collections.Immutable;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.San;

/// <summary>Somebody who is let into a zone for a while.</summary>
sealed record TimedEntry(string Fabric, string Zone, string Initiator, DateTimeOffset Until);

/// <summary>
/// Lets the control plane, or a person's machine, into a zone for as long as a piece of work takes, and out again when the time is over: also when the daemon was down then. That it has
/// to go is written down before it comes.
/// </summary>
sealed partial class TimedAccess(Database database, SanFabrics fabrics, Timeline timeline, TimeProvider clock, ILogger<TimedAccess> logger) : BackgroundService
{
    public static IReadOnlyList<Migration> Migrations { get; } =
        [new("san-access-1", "CREATE TABLE san_access(fabric TEXT NOT NULL, zone TEXT NOT NULL, initiator TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (fabric, zone, initiator)) STRICT;")];

    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    readonly SemaphoreSlim changing = new(1, 1);

    public IReadOnlyList<TimedEntry> Current => database.Read(static connection => connection.Query("SELECT fabric, zone, initiator, until FROM san_access",
        static row => new TimedEntry(row.GetString(0), row.GetString(1), row.GetString(2), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)))));

    /// <summary>Lets somebody in until the time is over; asked again, the later end counts.</summary>
    /// <returns>Why not; null when it is so.</returns>
    public async Task<string?> AdmitAsync(string fabric, string zone, string initiator, TimeSpan time, string actor, CancellationToken cancellationToken)
    {
        if (time <= TimeSpan.Zero || time > Longest) return $"access is given for up to {Longest.TotalHours:0} hours";
        if (!fabrics.Current.TryGetValue(fabric, out var found)) return $"there is no storage fabric '{fabric}'";
        await changing.WaitAsync(cancellationToken);
        try
        {
            if ((await found.Fabric.ReadAsync(cancellationToken)).FirstOrDefault(z => z.Name == zone) is not { } there) return $"{fabric} has no zone '{zone}'";
            var known = Current.FirstOrDefault(e => e.Fabric == fabric && e.Zone == zone && e.Initiator == initiator);
            // Whoever is in for good stays when a time is over.
            if (known is null && there.Initiators.Contains(initiator)) return $"{initiator} is in {zone} for good";
            var until = clock.GetUtcNow() + time;
            if (known is not null && known.Until > until) until = known.Until;
            await database.WriteAsync(connection => connection.Run("INSERT OR REPLACE INTO san_access(fabric, zone, initiator, until) VALUES ($fabric, $zone, $initiator, $until)",
                ("$fabric", fabric), ("$zone", zone), ("$initiator", initiator), ("$until", until.ToUnixTimeMilliseconds())), CancellationToken.None);
            var outcome = await found.Fabric.ConnectAsync(there with { Initiators = there.Initiators.Add(initiator) }, CancellationToken.None);
            await fabrics.TellAsync(fabric, zone, $"open to {initiator} until {until:HH:mm:ss} UTC", outcome, actor, CancellationToken.None);
            if (outcome.Ending is SanEnding.Done or SanEnding.Unchanged) return null;
            await ForgetAsync(new(fabric, zone, initiator, until));
            return outcome.Reason;
        }
        catch (DeviceException e)
        {
            return e.Message;
        }
        finally
        {
            changing.Release();
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Rounds.RunAsync(Look, clock, SweepAsync, LogNotStored, stoppingToken);

    /// <summary>Puts out whoever's time is over. A fabric that does not answer is asked again.</summary>
    internal async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await changing.WaitAsync(cancellationToken);
        try
        {
            foreach (var over in Current.Where(e => e.Until <= now)) await EndAsync(over, cancellationToken);
        }
        finally
        {
            changing.Release();
        }
    }

    async Task EndAsync(TimedEntry over, CancellationToken cancellationToken)
    {
        try
        {
            if (fabrics.Current.TryGetValue(over.Fabric, out var found) && (await found.Fabric.ReadAsync(cancellationToken)).FirstOrDefault(z => z.Name == over.Zone) is { } there && there.Initiators.Contains(over.Initiator))
            {
                var left = there.Initiators.Remove(over.Initiator);
                var outcome = left.IsEmpty ? await found.Fabric.DisconnectAsync(over.Zone, CancellationToken.None) : await found.Fabric.ConnectAsync(there with { Initiators = left }, CancellationToken.None);
                if (outcome.Ending is not (SanEnding.Done or SanEnding.Unchanged))
                {
                    LogStillOpen(over.Zone, over.Initiator, outcome.Reason);
                    return;
                }
                await timeline.AppendAsync(new NewEvent("san.closed", $"zone {over.Zone} of {over.Fabric}: the time of {over.Initiator} is over"), CancellationToken.None);
            }
            await ForgetAsync(over);
        }
        catch (DeviceException e)
        {
            LogStillOpen(over.Zone, over.Initiator, e.Message);
        }
    }

    Task ForgetAsync(TimedEntry entry) => database.WriteAsync(connection => connection.Run("DELETE FROM san_access WHERE fabric = $fabric AND zone = $zone AND initiator = $initiator",
        ("$fabric", entry.Fabric), ("$zone", entry.Zone), ("$initiator", entry.Initiator)), CancellationToken.None);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Zone {Zone} is still open to {Initiator}, whose time is over: {Reason}")]
    partial void LogStillOpen(string zone, string initiator, string? reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whose access is over could not be written down, and is in a moment: {Reason}")]
    partial void LogNotStored(string reason);
}
