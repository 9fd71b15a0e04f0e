using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Cli.Commands;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli;

/// <summary>
/// A change to the nodes of a range: the appliance is asked what would happen, a person is asked when it is much, and then exactly the nodes that were named are changed,
/// so that a node that turns up between the question and the answer is left alone.
/// </summary>
abstract class ChangeCommand : GridctlCommand
{
    /// <summary>More nodes than this are not changed without being named to somebody first.</summary>
    const int ManyNodes = 10;

    readonly Argument<string> range = RangeArgument.Required();
    readonly Option<bool> dryRun = new("--dry-run") { Description = "Say what would be done, and do nothing." };
    readonly Option<bool> yes = new("--yes", "-y") { Description = $"Do not ask, however many nodes (it asks beyond {ManyNodes})." };
    readonly Option<bool> noWait = new("--no-wait") { Description = "Return as soon as the work is accepted." };

    protected ChangeCommand(string name, string description) : base(name, description)
    {
        Add(range);
        Add(dryRun);
        Add(yes);
        Add(noWait);
    }

    /// <summary>For the question: "VERB 24 nodes?".</summary>
    protected abstract string Verb { get; }

    protected abstract Task<ChangeDocument> Change(Session session, string range, bool dryRun, CancellationToken cancellation);

    protected sealed override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = RangeArgument.Read(session.Parsed.GetRequiredValue(range));
        var plan = await Change(session, wanted.Text, dryRun: true, cancellation);
        if (session.Parsed.GetValue(dryRun)) return Show(session, plan);

        var nodes = plan.Nodes.Where(node => node.Accepted).Select(node => node.Node).ToList();
        if (nodes.Count == 0) return Show(session, plan with { DryRun = false });
        if (nodes.Count > ManyNodes && !session.Parsed.GetValue(yes) && !Agreed(session, nodes)) return ExitStatus.Unusable;

        var done = await Change(session, NodeRange.Exactly(nodes), dryRun: false, cancellation);
        if (!session.Parsed.GetValue(noWait)) done = await new OperationWatch(session.Client, session.Terminal).Wait(done, cancellation);
        return Show(session, done with { Nodes = [.. done.Nodes, .. plan.Nodes.Where(node => !node.Accepted)] });
    }

    bool Agreed(Session session, List<string> nodes)
    {
        var count = Phrases.Count(nodes.Count, "node");
        if (!session.Terminal.Interactive) throw new UsageException($"this would change {count}", "look with --dry-run, then repeat with --yes");
        if (session.Terminal.Confirm($"{char.ToUpperInvariant(Verb[0])}{Verb[1..]} {count} ({nodes[0]} … {nodes[^1]})?")) return true;
        session.Terminal.Note("nothing was changed");
        return false;
    }

    static ExitStatus Show(Session session, ChangeDocument change)
    {
        session.Show(change, ApiJson.Default.ChangeDocument, shown =>
        {
            foreach (var node in shown.Nodes.OrderBy(n => n.Node, NodeNameOrder.Instance))
                session.Terminal.NodeLine(node.Node, new(node.Message, Succeeded(node) ? Tone.Plain : Tone.Bad));
        });
        var good = change.Nodes.Count(Succeeded);
        return good == change.Nodes.Count ? ExitStatus.Done : good > 0 ? ExitStatus.Some : ExitStatus.None;
    }

    static bool Succeeded(NodeChangeDocument node) => node.Accepted && node.Outcome is null or "done";
}
