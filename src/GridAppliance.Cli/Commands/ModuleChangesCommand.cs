using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class ModuleChangesCommand : GridctlCommand
{
    readonly Argument<string> node = new("NODE") { Description = "Its name." };
    readonly Argument<string> module = new("MODULE") { Description = "Its name." };

    public ModuleChangesCommand() : base("changes", "What a module has changed on a node.")
    {
        Add(node);
        Add(module);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var changes = await session.Client.GetModuleChanges(session.Parsed.GetRequiredValue(node), session.Parsed.GetRequiredValue(module), cancellation);
        session.Show(changes, ApiJson.Default.ModuleChangesDocument, shown =>
        {
            session.Terminal.Table(["what", "", "target", "size", "sha256 or value", "seen by"], shown.Changes.Select(change => (IReadOnlyList<Cell>)
                [change.What, change.Action, new(change.Target, Tone.Strong), change.SizeBytes is { } size ? Phrases.Bytes(size) : "", change.Digest is { Length: > 16 } digest ? digest[..16] : change.Value ?? "", change.Global ? "node" : "module"]));
            if (shown.Omitted > 0) session.Terminal.Note($"and {shown.Omitted} more");
        });
        return ExitStatus.Done;
    }
}
