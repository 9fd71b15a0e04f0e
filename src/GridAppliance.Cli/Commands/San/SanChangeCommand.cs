using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.San;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.San;

/// <summary>A change of one zone.</summary>
abstract class SanChangeCommand : GridctlCommand
{
    readonly Argument<string> name = SanArguments.Fabric();
    readonly Argument<string> zone = new("ZONE") { Description = "Its name; ours begin with grid-." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };

    protected SanChangeCommand(string name, string description) : base(name, description)
    {
        Add(this.name);
        Add(zone);
        Add(dryRun);
    }

    protected virtual SanZoneRequest Complete(Session session, SanZoneRequest request) => request;

    protected abstract Task<SanChangeDocument> Change(Session session, string fabric, SanZoneRequest request, CancellationToken cancellation);

    protected sealed override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var request = Complete(session, new() { Zone = session.Parsed.GetRequiredValue(zone), DryRun = session.Parsed.GetValue(dryRun) });
        var change = await Change(session, session.Parsed.GetRequiredValue(name), request, cancellation);
        var isGood = change.Outcome is "done" or "unchanged" or "planned";
        session.Show(change, ApiJson.Default.SanChangeDocument, shown => session.Terminal.NodeLine(shown.Zone, new($"{shown.Outcome}{(shown.Message is null ? "" : $": {shown.Message}")}", isGood ? Tone.Plain : Tone.Bad)));
        return isGood ? ExitStatus.Done : ExitStatus.None;
    }
}
