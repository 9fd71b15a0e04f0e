using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Modules;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli;

/// <summary><c>--dry-run</c> of a change to one thing with a name: the command looks whether it is there, and a sentence is all that comes of it.</summary>
static class DryRun
{
    public static Option<bool> Option() => new("--dry-run") { Description = "Say what would be done, and do nothing." };

    /// <summary>Writes what would be done to <paramref name="name"/>, or why it would not: in JSON as any other change, with the thing in the node's place.</summary>
    public static ExitStatus Show(Session session, string name, string sentence, bool accepted = true)
    {
        var change = new ChangeDocument { DryRun = true, Nodes = [new() { Node = name, Accepted = accepted, Message = sentence }] };
        session.Show(change, ApiJson.Default.ChangeDocument, _ => session.Terminal.NodeLine(name, new(sentence, accepted ? Tone.Plain : Tone.Bad)));
        return accepted ? ExitStatus.Done : ExitStatus.None;
    }
}
