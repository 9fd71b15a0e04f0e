using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class ModuleChangesCommand : GridctlCommand
{
    readonly Argument<string> range = RangeArgument.Required();
    readonly Argument<string> module = new("MODULE") { Description = "Its name." };

    public ModuleChangesCommand() : base("changes", "What a module has changed on the nodes of a range; where a node has booted since, what was lost with it.")
    {
        Add(range);
        Add(module);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var wanted = RangeArgument.Read(session.Parsed.GetRequiredValue(range));
        var changes = await session.Client.GetModuleChangesOf(wanted.ToString(), session.Parsed.GetRequiredValue(module), cancellation);
        session.Show(changes, ApiJson.Default.IReadOnlyListModuleChangesDocument, shown =>
        {
            foreach (var node in shown) Write(node, shown.Count > 1, session.Terminal);
        });
        return ExitStatus.Done;
    }

    static void Write(ModuleChangesDocument changes, bool isOneOfMany, GridctlTerminal terminal)
    {
        if (isOneOfMany) terminal.Line($"{changes.Node}: {changes.Module} {changes.Version}, {changes.Changes.Count + changes.Omitted} changes");
        if (changes.Lost is { } lost) terminal.Note($"lost with the memory of the boot before, at {Phrases.Clock(lost)}: none of this is on {changes.Node} any more");
        terminal.Table(["what", "", "target", "size", "sha256 or value", "seen by"], changes.Changes.Select(change => (IReadOnlyList<Cell>)
            [change.What, change.Action, new(change.Target, Tone.Strong), change.SizeBytes is { } size ? Phrases.Bytes(size) : "", change.Digest is { Length: > 16 } digest ? digest[..16] : change.Value ?? "", change.Global ? "node" : "module"]));
        if (changes.Omitted > 0) terminal.Note($"and {changes.Omitted} more, which are not listed: an agent lists {ModuleChangesDocument.MostListed} of all its modules together");
    }
}
