using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricGuardCommand() : GridctlCommand("guard", "What keeps nodes from speaking in others' names: who was dropped, and from which switch port. Exits with 2 when somebody was.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var guard = await session.Client.GetGuard(cancellation);
        session.Show(guard, ApiJson.Default.GuardDocument, shown =>
        {
            if (shown.Networks.Count == 0) session.Terminal.Line("no network is guarded: networks[].guard.mode in appliance.yaml");
            else session.Terminal.Table(["network", "interface", "guard", "may speak", "dropped"],
                shown.Networks.Select(n => (IReadOnlyList<Cell>)[new(n.Network, Tone.Strong), n.Interface, new(n.Reason ?? n.State, n.Reason is null ? Tone.Plain : Tone.Bad), Phrases.Count(n.Assigned, "NIC"), Phrases.Count(n.Dropped, "frame")]));
            foreach (var nic in shown.Displaced) session.Terminal.Line(new Cell($"{nic.Node ?? nic.Mac} is shut out: it is on {nic.Own}, and its address is used on {nic.Seen}", Tone.Bad));
            foreach (var one in shown.Forged) session.Terminal.Line(new Cell($"{Phrases.Count(one.Packets, "frame")}: {one.Message}", Tone.Warning));
        });
        return guard.Forged.Count + guard.Displaced.Count == 0 ? ExitStatus.Done : ExitStatus.Some;
    }
}
