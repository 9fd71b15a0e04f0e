using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class StatusCommand() : GridctlCommand("status", "The whole at a glance.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        session.Show(await session.Client.GetStatus(cancellation), ApiJson.Default.StatusDocument, status => Write(status, session.Terminal));
        return ExitStatus.Done;
    }

    static void Write(StatusDocument status, GridctlTerminal terminal)
    {
        var total = status.Nodes.Values.Sum();
        var states = string.Join(", ", status.Nodes.Where(s => s.Value > 0).Select(s => $"{s.Value} {s.Key}"));
        terminal.Facts(
        [
            ("appliance", new($"{status.Name} ({status.Version})", Tone.Strong)),
            ("up", Phrases.Ago(status.Now - status.Started)),
            ("nodes", total == 0 ? "none yet: power on a server whose NIC is on a provisioning network" : $"{total}: {states}"),
            ("operations", status.OperationsRunning == 0 ? "none running" : $"{status.OperationsRunning} running"),
            ("enrol", status.EnrollPolicy == "approve" ? "after `gridctl discover approve`" : "by itself"),
        ]);
        foreach (var network in status.Networks)
            terminal.Line($"network {network.Name} on {network.Interface} {network.Address}: DHCP {network.Dhcp}, boot {(network.Boot ? "on" : "off")}, {network.LeasesActive}/{network.LeasesTotal} leases");
        foreach (var problem in status.Problems)
        {
            terminal.Line(new Cell($"problem: {problem.Message}", Tone.Bad));
            if (problem.NextStep is not null) terminal.Line($"  → {problem.NextStep}");
        }
    }
}
