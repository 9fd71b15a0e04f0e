using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Cli.Consoles;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands;

sealed class RecoverCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<bool> noRestart = new("--no-restart") { Description = "Do not touch its power: whoever restarts it does." };
    readonly Option<bool> noConsole = new("--no-console") { Description = "Return at once; attach later with `gridctl console`." };
    readonly Option<bool> cancel = new("--cancel") { Description = "Take it back: the next boot is an ordinary one." };
    readonly Option<bool> dryRun = DryRun.Option();

    public RecoverCommand() : base("recover", "Boot a node's image for a person at its console: no agent, disks read-only, its file systems listed and offered for mounting.")
    {
        Add(name);
        Add(noRestart);
        Add(noConsole);
        Add(cancel);
        Add(dryRun);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var node = session.Parsed.GetRequiredValue(name);
        var cancelled = session.Parsed.GetValue(cancel);
        if (session.Parsed.GetValue(dryRun))
            return DryRun.Show(session, (await session.Client.GetNode(node, cancellation)).Name, cancelled ? "its next boot would be an ordinary one"
                : $"would {(session.Parsed.GetValue(noRestart) ? "" : "be restarted and ")}boot its image for a person at its console");
        var asked = await session.Client.Recover(node, new() { Restart = !session.Parsed.GetValue(noRestart), Cancel = cancelled }, cancellation);
        session.Show(asked, ApiJson.Default.NodeChangeDocument, shown => session.Terminal.NodeLine(shown.Node, new(shown.Message, shown.Accepted ? Tone.Plain : Tone.Bad)));
        if (!asked.Accepted) return ExitStatus.None;
        if (cancelled || session.Parsed.GetValue(noConsole) || session.Json || !session.Terminal.Interactive) return ExitStatus.Done;
        return await ConsoleCommand.Attach(session, node, ConsoleEscape.Default, write: true, takeOver: false, cancellation);
    }
}
