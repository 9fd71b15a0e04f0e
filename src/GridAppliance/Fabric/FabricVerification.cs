using GridAppliance.Api.Switches;
using GridAppliance.Fabric.Probes;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Switches;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric;

/// <summary>
/// Whether the fabric is as it should be, judged from what every switch says now: cables against the plan and against each other, ports against how they were left, and ports that
/// join what should be apart. That a switch does what it says is shown by probe frames.
/// </summary>
sealed class FabricVerification(SwitchFleet fleet, FabricState state, DriftReconciler drift, GuardReport guard, NodeDirectory nodes, IsolationProbes probes)
{
    const int AtOnce = 32;

    public async Task<FabricVerdictDocument> RunAsync(bool probe, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(fleet.Current.Values, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (one, token) =>
        {
            try
            {
                await one.ReadAsync(token);
                await drift.ReconcileAsync(one, token);
            }
            catch (DeviceException)
            {
                // Its trouble is among the complaints.
            }
        });
        await state.RenewAsync(cancellationToken);
        var round = probe ? await probes.RunAsync(cancellationToken) : null;
        List<FabricComplaintDocument> complaints =
        [
            .. fleet.Current.Values.Where(s => s.Trouble is not null || s.Reading is null).Select(s => Complaint("unread", $"switch {s.Name} cannot be read: {s.Trouble?.Message ?? "it has not answered yet"}")),
            .. fleet.Current.Values.Where(s => s.Ownership?.State == Ownership.Theirs).Select(s => Complaint("owner", $"switch {s.Name} belongs to the appliance '{s.Ownership!.Owner!.Name}'")),
            .. state.Current.Findings.Select(f => Complaint(FabricState.KindText(f.Kind), f.Message)),
            .. guard.Current.Forged.Select(f => Complaint("forged", ForgedSources.Words(f, nodes.Current, fleet))),
            .. round?.Leaks.Select(l => Complaint("leak", l)) ?? [],
            .. round?.Unproven.Select(u => Complaint("unproven", u)) ?? [],
            .. drift.Current.Select(d => Complaint("drift", d.Message)),
            .. fleet.Current.Values.Where(s => s.Reading is not null).SelectMany(PortsThatJoin),
        ];
        return new() { Good = complaints.Count == 0, Read = fleet.Current.Values.Count(s => s is { Trouble: null, Reading: not null }), Complaints = complaints, Probes = round?.Document };
    }

    IEnumerable<FabricComplaintDocument> PortsThatJoin(ManagedSwitch one)
    {
        var snapshot = one.Reading!.Snapshot;
        var policy = one.PolicyOn(snapshot);
        foreach (var port in snapshot.Ports.Values.Where(p => policy.MayWrite(p.Number)))
        {
            // Frames without a tag that come in to one VLAN and go out of another join the two.
            if (port.Vlans.Mode == PortMode.Mixed) yield return Complaint("mixed-port", $"port {port.Name} of switch {one.Name} joins VLANs: {port.Vlans}");
            var nodes = state.Current.Placements.Values.Where(p => p.Switch == one.Name && p.Port == port.Name).Select(p => p.Node).Distinct().Order(StringComparer.Ordinal).ToList();
            if (nodes.Count > 1) yield return Complaint("shared-port", $"{string.Join(" and ", nodes)} share port {port.Name} of switch {one.Name}: they cannot be kept apart");
        }
    }

    static FabricComplaintDocument Complaint(string kind, string message) => new() { Kind = kind, Message = message };
}
