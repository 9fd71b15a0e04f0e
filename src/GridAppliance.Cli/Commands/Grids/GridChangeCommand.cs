using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Grids;

/// <summary>A change to a grid's members: one operation each, waited for unless told otherwise.</summary>
abstract class GridChangeCommand : GridctlCommand
{
    protected readonly Argument<string> Grid = new("GRID") { Description = "Its name." };
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };
    readonly Option<bool> noWait = new("--no-wait") { Description = "Return as soon as the work is accepted." };

    protected GridChangeCommand(string name, string description) : base(name, description)
    {
        Add(Grid);
        Add(dryRun);
        Add(noWait);
    }

    protected abstract Task<ChangeDocument> Change(Session session, string grid, bool dryRun, CancellationToken cancellation);

    /// <summary>What a person does next.</summary>
    protected virtual string? Afterwards(string grid) => null;

    protected sealed override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var grid = session.Parsed.GetRequiredValue(Grid);
        var change = await Change(session, grid, session.Parsed.GetValue(dryRun), cancellation);
        if (!change.DryRun && !session.Parsed.GetValue(noWait)) change = await new OperationWatch(session.Client, session.Terminal).Wait(change, cancellation);
        session.Show(change, ApiJson.Default.ChangeDocument, shown =>
        {
            foreach (var node in shown.Nodes.OrderBy(n => n.Node, NodeNameOrder.Instance))
                session.Terminal.NodeLine(node.Node, new(node.Message, Succeeded(node) ? Tone.Plain : Tone.Bad));
        });
        var good = change.Nodes.Count(Succeeded);
        if (good > 0 && !change.DryRun && Afterwards(grid) is { } next) session.Terminal.Note(next);
        return good == change.Nodes.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static bool Succeeded(NodeChangeDocument node) => node.Accepted && node.Outcome is null or "done";
}
