using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricVerifyCommand() : GridctlCommand("verify", "Have every switch read, and say what is not as it should be: cables, ports, VLANs that are joined. Exits with 2 when there is something. No frame is sent.")
{
    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var verdict = await session.Client.VerifyFabric(cancellation);
        session.Show(verdict, ApiJson.Default.FabricVerdictDocument, shown =>
        {
            foreach (var complaint in shown.Complaints) session.Terminal.NodeLine(complaint.Kind, new(complaint.Message, Tone.Warning));
            if (shown.Good) session.Terminal.Line($"{Phrases.Count(shown.Read, "switch", "switches")} read: everything is as it should be");
        });
        return verdict.Good ? ExitStatus.Done : ExitStatus.Some;
    }
}
