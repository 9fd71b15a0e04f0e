using System.CommandLine;
using GridAppliance.Api.Client;
using GridAppliance.Api.NodeRanges;
using GridAppliance.Cli.Consoles;

namespace GridAppliance.Cli.Commands;

sealed class ConsoleCommand : GridctlCommand
{
    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<string> escape = new("--escape", "-e") { Description = "The escape character: ^] (the default), ^A …, or none.", HelpName = "^X", DefaultValueFactory = _ => "^]" };
    readonly Option<bool> view = new("--view") { Description = "Look only; take over later with the escape character and t." };
    readonly Option<bool> takeOver = new("--take-over") { Description = "Type even if somebody else does; they see it." };

    public ConsoleCommand() : base("console", "A node's console in this terminal: what it says, and your keys.")
    {
        Add(name);
        Add(escape);
        Add(view);
        Add(takeOver);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var node = session.Parsed.GetRequiredValue(name);
        if (!ConsoleEscape.TryParse(session.Parsed.GetRequiredValue(escape), out var key)) throw new UsageException("that is no escape character", "write ^] or ^A, or none");
        return await Attach(session, node, key, !session.Parsed.GetValue(view), session.Parsed.GetValue(takeOver), cancellation);
    }

    /// <summary>The terminal and the node's console, until one of them leaves.</summary>
    public static async Task<ExitStatus> Attach(Session session, string node, byte? key, bool write, bool takeOver, CancellationToken cancellation)
    {
        using var socket = await session.Client.AttachConsole(node, write, cancellation);
        using var terminal = session.Terminal.Raw() ?? throw new UsageException("a console needs a terminal at both ends of this command", $"read what it said with `gridctl log {node}`");
        var conversation = new ConsoleConversation(node, terminal, socket, key, (verb, token) => Power(session.Client, node, verb, token));
        return await conversation.RunAsync(takeOver, cancellation) ? ExitStatus.Done : ExitStatus.Unusable;
    }

    static async Task<string> Power(ApplianceClient client, string node, string verb, CancellationToken cancellation)
    {
        try
        {
            if (verb == "status") return $"{node} is {(await client.GetPower(NodeRange.Exactly([node]), cancellation)).Nodes[0].Power}";
            var done = (await client.SetPower(new() { Range = NodeRange.Exactly([node]), Action = verb }, cancellation)).Nodes[0];
            return $"power {verb}: {done.Message}";
        }
        catch (ApplianceException e)
        {
            return $"power {verb}: {e.Message}";
        }
    }
}
