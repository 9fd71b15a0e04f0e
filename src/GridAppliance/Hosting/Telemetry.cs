using System.Diagnostics.Metrics;
using GridAppliance.Boot;
using GridAppliance.Boot.Tftp;
using GridAppliance.Guard;
using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Hosting;

/// <summary>Every instrument of the daemon in one place, with unit and description.</summary>
static class Telemetry
{
    public const string Name = "GridAppliance";

    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> DhcpReceived =
        Meter.CreateCounter<long>("gridappliance.dhcp.received", "{message}", "DHCP messages received, by network and message type");

    public static readonly Counter<long> DhcpSent =
        Meter.CreateCounter<long>("gridappliance.dhcp.sent", "{message}", "DHCP messages sent, by network and message type");

    public static readonly Counter<long> DhcpDropped =
        Meter.CreateCounter<long>("gridappliance.dhcp.dropped", "{message}", "DHCP messages that got no answer, by network and reason");

    public static readonly Counter<long> DhcpConflicts =
        Meter.CreateCounter<long>("gridappliance.dhcp.conflicts", "{address}", "Addresses found in use by somebody else, by network");

    public static readonly Counter<long> LeaseWriteFailures =
        Meter.CreateCounter<long>("gridappliance.dhcp.lease_write_failures", "{write}", "Lease batches that the store did not take");

    public static readonly Counter<long> BmcRetries =
        Meter.CreateCounter<long>("gridappliance.bmc.retries", "{request}", "Requests sent again because a BMC was silent");

    public static readonly Counter<long> BmcStrays =
        Meter.CreateCounter<long>("gridappliance.bmc.strays", "{datagram}", "Datagrams from BMCs that answered nothing, by reason");

    public static readonly Counter<long> PortEventsPassedOver =
        Meter.CreateCounter<long>("gridappliance.port.events_passed_over", "{event}", "Events that a device told too fast for the timeline, by device");

    public static readonly Counter<long> SnmpRetries =
        Meter.CreateCounter<long>("gridappliance.snmp.retries", "{request}", "Requests sent again because an SNMP device was silent, by device");

    public static readonly Counter<long> SnmpSets =
        Meter.CreateCounter<long>("gridappliance.snmp.sets", "{request}", "SET requests that an SNMP device answered, by device");

    public static readonly Counter<long> SnmpStrays =
        Meter.CreateCounter<long>("gridappliance.snmp.strays", "{datagram}", "Datagrams that answered no question under way");

    public static readonly Counter<long> SnmpTraps =
        Meter.CreateCounter<long>("gridappliance.snmp.traps", "{message}", "Traps and informs that were heard, by what became of them");

    public static readonly Counter<long> SwitchChanges =
        Meter.CreateCounter<long>("gridappliance.switch.changes", "{change}", "Changes of switches, by switch and by how they ended");

    /// <summary>What is known of each switch, read when somebody asks.</summary>
    /// <returns>Dispose it to have them forgotten: they hold on to the fleet.</returns>
    public static Meter Observe(Switches.Fleet.SwitchFleet fleet, Fabric.DriftReconciler drift, Fabric.FabricState fabric)
    {
        var meter = new Meter(Name);
        static KeyValuePair<string, object?> Of(Switches.Fleet.ManagedSwitch one) => new("switch", one.Name);
        meter.CreateObservableGauge("gridappliance.switch.up", () => fleet.Current.Values.Select(s => new Measurement<int>(s is { Trouble: null, Reading: not null } ? 1 : 0, Of(s))), "{switch}", "Whether a switch answers");
        meter.CreateObservableGauge("gridappliance.switch.read_seconds", () => fleet.Current.Values.Where(s => s.Reading is not null).Select(s => new Measurement<double>(s.Reading!.Took.TotalSeconds, Of(s))), "s", "How long the last full reading took");
        meter.CreateObservableGauge("gridappliance.switch.ports_up", () => fleet.Current.Values.Where(s => s.Reading is not null).Select(s => new Measurement<int>(s.Reading!.Snapshot.Ports.Values.Count(p => p.HasLink == true), Of(s))), "{port}", "Ports with a link");
        meter.CreateObservableGauge("gridappliance.switch.addresses", () => fleet.Current.Values.Where(s => s.Reading is not null).Select(s => new Measurement<int>(s.Reading!.Forwarding.Count, Of(s))), "{address}", "Addresses in the forwarding table");
        meter.CreateObservableGauge("gridappliance.switch.drift", () => fleet.Current.Values.Select(s => new Measurement<int>(drift.Current.Count(d => d.Switch == s.Name), Of(s))), "{port}", "Ports that are not as they were left");
        meter.CreateObservableGauge("gridappliance.fabric.placed", () => fabric.Current.Placements.Count, "{nic}", "NICs whose switch port is known");
        meter.CreateObservableGauge("gridappliance.fabric.findings", () => fabric.Current.Findings.Length, "{finding}", "Cables that somebody should look at");
        return meter;
    }

    /// <summary>What the guard drops, read when somebody asks.</summary>
    /// <returns>Dispose it to have it forgotten.</returns>
    public static Meter Observe(GuardReport guard)
    {
        var meter = new Meter(Name);
        static KeyValuePair<string, object?> Of(NetworkGuard network) => new("network", network.Network);
        meter.CreateObservableCounter("gridappliance.guard.dropped", () => guard.Current.Networks.Select(n => new Measurement<long>((long)n.Dropped, Of(n))), "{frame}", "Frames with a forged source that the kernel dropped, by network");
        meter.CreateObservableGauge("gridappliance.guard.assigned", () => guard.Current.Networks.Select(n => new Measurement<int>(n.Assigned, Of(n))), "{nic}", "NICs that may speak from their addresses, by network");
        meter.CreateObservableGauge("gridappliance.guard.up", () => guard.Current.Networks.Select(n => new Measurement<int>(n.Trouble is null ? 1 : 0, Of(n))), "{network}", "Whether a network's guard is in force");
        return meter;
    }

    /// <summary>What the boot path passed over, read when somebody asks.</summary>
    /// <returns>Dispose it to have it forgotten.</returns>
    public static Meter Observe(BootObserver boots)
    {
        var meter = new Meter(Name);
        meter.CreateObservableCounter("gridappliance.boot.unseen", () => boots.Dropped, "{observation}", "What the boot path saw and nobody had the time to write down");
        return meter;
    }

    /// <summary>What the TFTP server counts, read when somebody asks.</summary>
    public static void Observe(TftpCounters tftp)
    {
        Meter.CreateObservableCounter("gridappliance.tftp.transfers", () => new Measurement<long>[]
        {
            new(tftp.Completed, new KeyValuePair<string, object?>("outcome", "completed")), new(tftp.Failed, new KeyValuePair<string, object?>("outcome", "failed")),
        }, "{transfer}", "TFTP transfers that ended, by outcome");
        Meter.CreateObservableCounter("gridappliance.tftp.bytes", () => tftp.Bytes, "By", "File octets that TFTP clients acknowledged");
        Meter.CreateObservableCounter("gridappliance.tftp.retransmissions", () => tftp.Retransmissions, "{window}", "TFTP windows sent again");
        Meter.CreateObservableCounter("gridappliance.tftp.refused", () => tftp.Refused, "{request}", "TFTP requests answered with an error");
        Meter.CreateObservableCounter("gridappliance.tftp.turned_away", () => tftp.TurnedAway, "{request}", "TFTP requests left unanswered because a bound was reached");
        Meter.CreateObservableCounter("gridappliance.tftp.malformed", () => Enum.GetValues<TftpDefect>().Where(d => d != TftpDefect.None)
            .Select(d => new Measurement<long>(tftp.Defects(d), Reason(d.ToString()))), "{packet}", "Packets that are no TFTP, by defect");
    }

    /// <summary>The tag that says why something was dropped.</summary>
    public static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);
}
