using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchVlanCommand : GridctlCommand
{
    readonly Argument<string> targets = new("NODE-or-PORT") { Description = "A node, or SWITCH/PORT; several with commas." };
    readonly Argument<int> vlan = new("VLAN") { Description = "For frames without a tag." };
    readonly Option<string?> tagged = new("--tagged") { Description = "VLANs that go out with a tag, with commas: makes a trunk.", HelpName = "VLANS" };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    public SwitchVlanCommand() : base("vlan", "Put a port, or the port that a node is on, into a VLAN.")
    {
        Add(targets);
        Add(vlan);
        Add(tagged);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var request = new VlanChangeRequest
        {
            Targets = SwitchArguments.Words(session.Parsed.GetRequiredValue(targets)),
            Vlan = session.Parsed.GetRequiredValue(vlan),
            Tagged = [.. SwitchArguments.Words(session.Parsed.GetValue(tagged)).Select(Number)],
            DryRun = session.Parsed.GetValue(dryRun),
        };
        return Show(session, await session.Client.ChangeVlans(request, cancellation));
    }

    /// <summary>What became of each port.</summary>
    public static ExitStatus Show(Session session, VlanChangeDocument change)
    {
        session.Show(change, ApiJson.Default.VlanChangeDocument, shown =>
        {
            foreach (var port in shown.Ports) session.Terminal.NodeLine(port.Target, new(Words(port), port.Accepted ? Tone.Plain : Tone.Bad));
            if (shown.Pdus > 0) session.Terminal.Note($"{(shown.DryRun ? "would take" : "took")} {Phrases.Count(shown.Pdus, "write")}");
        });
        var good = change.Ports.Count(p => p.Accepted);
        return good == change.Ports.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static string Words(PortChangeDocument port)
    {
        var where = port.Switch is null ? "" : $"{port.Switch} port {port.Port}: ";
        var was = port.Before is null || port.After is null ? "" : $"{port.Before} → {port.After}, ";
        return $"{where}{was}{port.Outcome}{(port.Message is null ? "" : $": {port.Message}")}";
    }

    static int Number(string text) => int.TryParse(text, out var number) ? number : throw new UsageException($"'{text}' is not a VLAN", "write --tagged 100,200");
}
