using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricVerifyCommand : GridctlCommand
{
    readonly Option<bool> noProbe = new("--no-probe") { Description = "Judge by what the switches say alone; without it frames are sent between groups, which takes about ten seconds." };

    public FabricVerifyCommand()
        : base("verify", "Have every switch read, send probe frames from nodes and the appliance across all that must be apart, and say what is not as it should be: leaks, cables, ports, VLANs that are joined, and what could not be tried (unproven). Exits with 2 when there is something.") =>
        Add(noProbe);

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var verdict = await session.Client.VerifyFabric(!session.Parsed.GetValue(noProbe), cancellation);
        session.Show(verdict, ApiJson.Default.FabricVerdictDocument, shown => Write(shown, session.Terminal));
        return verdict.Good ? ExitStatus.Done : ExitStatus.Some;
    }

    static void Write(FabricVerdictDocument verdict, GridctlTerminal terminal)
    {
        foreach (var complaint in verdict.Complaints) terminal.NodeLine(complaint.Kind, new(complaint.Message, complaint.Kind == "leak" ? Tone.Bad : Tone.Warning));
        if (verdict.Probes is { } probes)
        {
            terminal.Line($"{Phrases.Count(probes.Stations, "NIC")} sent probes: of {Phrases.Count(probes.Apart, "way")} between groups {(probes.Leaks == 0 ? "none let anything through" : $"{probes.Leaks} let something through")}; "
                + $"{Phrases.Count(probes.Together, "way")} inside groups did");
        }
        if (verdict.Good) terminal.Line($"{Phrases.Count(verdict.Read, "switch", "switches")} read: everything is as it should be");
    }
}
