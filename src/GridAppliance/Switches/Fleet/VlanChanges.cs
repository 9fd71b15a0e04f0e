using GridAppliance.Api.Switches;
using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Switches.Fleet;

/// <summary>Puts ports into VLANs, opens, shuts and describes them, for people: ports of one switch in one go, switches side by side.</summary>
sealed class VlanChanges(SwitchFleet fleet, NodeDirectory nodes, Timeline timeline)
{
    public async Task<VlanChangeDocument> ApplyAsync(VlanChangeRequest request, string actor, CancellationToken cancellationToken)
    {
        var vlans = request.Vlan is not { } vlan ? null : request.Tagged.Count == 0 ? PortVlans.Access(new(vlan)) : PortVlans.Trunk(new VlanId(vlan), request.Tagged.Select(v => new VlanId(v)));
        var wanted = new PortIntent(0) { Vlans = vlans, IsEnabled = request.Enabled, Description = request.Description };
        var targets = request.Targets.Distinct().Select(t => PortTarget.Find(t, fleet, nodes.Current)).ToList();
        var lost = targets.Where(t => t.Switch is null).Select(t => new PortChangeDocument { Target = t.Text, Accepted = false, Outcome = "refused", Message = t.Reason });
        var done = await Task.WhenAll(targets.Where(t => t.Switch is not null).GroupBy(t => t.Switch!).Select(on => OnAsync(on.Key, [.. on], wanted, request.DryRun, actor, cancellationToken)));
        return new() { Ports = [.. lost, .. done.SelectMany(d => d.Ports)], Pdus = done.Sum(d => d.Pdus), DryRun = request.DryRun };
    }

    async Task<VlanChangeDocument> OnAsync(ManagedSwitch on, List<PortTarget> targets, PortIntent wanted, bool dryRun, string actor, CancellationToken cancellationToken)
    {
        var intent = new VlanIntent { Ports = [.. targets.Select(t => t.Port!.Number).Distinct().Select(p => wanted with { Port = p })] };
        try
        {
            if (dryRun)
            {
                var preview = await on.PreviewAsync(intent, cancellationToken);
                var refusal = preview.Refusals.IsEmpty ? null : string.Join("; ", preview.Refusals);
                return Answer(targets, refusal is null, refusal is null ? "planned" : "refused", refusal, preview.Before, wanted, preview.Pdus, dryRun);
            }
            var before = on.Reading?.Snapshot;
            var outcome = await on.ApplyAsync(intent, actor, cancellationToken);
            Telemetry.SwitchChanges.Add(1, new("switch", on.Name), new("ending", outcome.Ending.ToString().ToLowerInvariant()));
            var isGood = outcome.Ending is ChangeEnding.Done or ChangeEnding.Unchanged;
            if (outcome.Ending != ChangeEnding.Unchanged) await TellAsync(on, targets, wanted, outcome, actor, cancellationToken);
            // What is shown from now on is what is there now.
            if (outcome.Ending is not (ChangeEnding.Unchanged or ChangeEnding.Refused)) await on.ReadAsync(cancellationToken);
            return Answer(targets, isGood, outcome.Ending.ToString().ToLowerInvariant(), outcome.Reason, before, wanted, outcome.Pdus, dryRun);
        }
        catch (DeviceException e)
        {
            return Answer(targets, false, "refused", e.Message, null, wanted, 0, dryRun);
        }
    }

    static VlanChangeDocument Answer(List<PortTarget> targets, bool accepted, string outcome, string? message, SwitchSnapshot? before, PortIntent wanted, int pdus, bool dryRun) => new()
    {
        Ports =
        [
            .. targets.Select(t => new PortChangeDocument
            {
                Target = t.Text, Switch = t.Switch!.Name, Port = t.Port!.Name, Accepted = accepted, Outcome = outcome, Message = message,
                Before = before?.Ports.GetValueOrDefault(t.Port.Number)?.Vlans.ToString(), After = accepted ? wanted.ToString() : null,
            }),
        ],
        Pdus = pdus,
        DryRun = dryRun,
    };

    static string Became(ChangeOutcome outcome, PortIntent wanted) => outcome.Ending switch
    {
        ChangeEnding.Done => $"is {wanted} now",
        ChangeEnding.Unchanged or ChangeEnding.Refused or ChangeEnding.RolledBack => $"stays as it was: {outcome.Reason}",
        ChangeEnding.Damaged => $"may be neither as it was nor as it was to be: {outcome.Reason}",
    };

    Task TellAsync(ManagedSwitch on, List<PortTarget> targets, PortIntent wanted, ChangeOutcome outcome, string actor, CancellationToken cancellationToken)
    {
        var severity = outcome.Ending switch
        {
            ChangeEnding.Done or ChangeEnding.Unchanged => EventSeverity.Info,
            ChangeEnding.Refused or ChangeEnding.RolledBack => EventSeverity.Warning,
            ChangeEnding.Damaged => EventSeverity.Error,
        };
        var what = wanted.Vlans is null ? "switch.port" : "switch.vlan";
        var kind = outcome.Ending == ChangeEnding.Done ? what : $"{what}-{outcome.Ending.ToString().ToLowerInvariant()}";
        var events = targets.Select(t =>
        {
            var message = $"port {t.Port!.Name} of switch {on.Name} {Became(outcome, wanted)}";
            return (nodes.Current.Find(t.Text) is { } node ? NewEvent.About(node, kind, message, severity) : new NewEvent(kind, message) { Severity = severity }) with { Actor = actor };
        });
        return timeline.AppendAsync([.. events], cancellationToken);
    }
}
