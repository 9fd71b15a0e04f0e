using GridAppliance.Api.Nodes;

namespace GridAppliance.Nodes;

/// <summary>The last boot as its events tell it: what is left to know after a restart has forgotten the boot's progress. Pure.</summary>
/// <param name="ApplianceMs">What its requests spent inside the appliance.</param>
/// <param name="Seconds">From the first DISCOVER to idle; null while that has not been reached.</param>
/// <param name="Started">Its first DISCOVER; null when no event tells of a boot.</param>
readonly record struct BootSummary(double ApplianceMs, double? Seconds, DateTimeOffset? Started)
{
    /// <summary>Two events belong to one boot when both say that it began within this of each other: the figure is kept as a difference and loses ticks.</summary>
    static readonly TimeSpan SameBoot = TimeSpan.FromMilliseconds(50);

    /// <param name="events">One node's, oldest first.</param>
    public static BootSummary Of(IReadOnlyList<EventDocument> events)
    {
        DateTimeOffset? started = null;
        var appliance = 0.0;
        double? seconds = null;
        for (var i = events.Count - 1; i >= 0; i--)
        {
            if (events[i].SinceBootSeconds is not { } since) continue;
            var began = events[i].At - TimeSpan.FromSeconds(since);
            started ??= began;
            if ((began - started.Value).Duration() > SameBoot) break;
            appliance += events[i].ApplianceMs ?? 0;
            if (events[i].Kind == "state.idle") seconds ??= since;
        }
        return new(appliance, seconds, started);
    }
}
