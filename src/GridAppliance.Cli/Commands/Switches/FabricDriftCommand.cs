using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class FabricDriftCommand : GridctlCommand
{
    readonly Argument<string?> name = new("SWITCH") { Description = "One switch; all without it.", Arity = ArgumentArity.ZeroOrOne };
    readonly Option<bool> assert = new("--assert") { Description = "Make it as it was left." };
    readonly Option<bool> adopt = new("--adopt") { Description = "Take what it has for what is wanted." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Only show what differs." };

    public FabricDriftCommand() : base("drift", "Ports that are not as they were left, and who is right; exits with 2 when there are some.")
    {
        Add(name);
        Add(assert);
        Add(adopt);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var (wantsAssert, wantsAdopt) = (session.Parsed.GetValue(assert), session.Parsed.GetValue(adopt));
        if (wantsAssert && wantsAdopt) throw new UsageException("either the appliance is right or the switch is", "choose --assert or --adopt");
        var wanted = session.Parsed.GetValue(name);
        if (session.Parsed.GetValue(dryRun) || !(wantsAssert || wantsAdopt)) return Show(session, await session.Client.GetDrift(cancellation), wanted);

        var request = new DriftRequest { Switch = wanted };
        var answer = await (wantsAssert ? session.Client.AssertDrift(request, cancellation) : session.Client.AdoptDrift(request, cancellation));
        session.Show(answer, ApiJson.Default.DriftAnswerDocument, shown =>
        {
            foreach (var one in shown.Switches) session.Terminal.NodeLine(one.Switch, new(one.Message, one.Accepted ? Tone.Plain : Tone.Bad));
            if (shown.Switches.Count == 0) session.Terminal.Line("nothing differs");
        });
        var good = answer.Switches.Count(s => s.Accepted);
        return good == answer.Switches.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static ExitStatus Show(Session session, DriftDocument drift, string? wanted)
    {
        var shown = drift with { Differences = [.. drift.Differences.Where(d => wanted is null || d.Switch.Equals(wanted, StringComparison.OrdinalIgnoreCase))] };
        session.Show(shown, ApiJson.Default.DriftDocument, document =>
        {
            if (document.Differences.Count == 0) session.Terminal.Line("nothing differs");
            else session.Terminal.Table(["switch", "port", "is", "was left", "by", "right"],
                document.Differences.Select(d => (IReadOnlyList<Cell>)[new(d.Switch, Tone.Strong), d.Port, new(d.Actual ?? "gone", Tone.Warning), d.Wanted, d.By, d.Right switch { "assert" => "the appliance", "adopt" => "the switch", _ => "you say" }]));
        });
        return shown.Differences.Count == 0 ? ExitStatus.Done : ExitStatus.Some;
    }
}
