using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api.Client;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli;

/// <summary>One command: what it takes is declared in its constructor, what it does stands in <see cref="Run"/>.</summary>
abstract class GridctlCommand : Command
{
    protected GridctlCommand(string name, string description) : base(name, description) => SetAction(Invoke);

    protected abstract Task<ExitStatus> Run(Session session, CancellationToken cancellation);

    async Task<int> Invoke(ParseResult parsed, CancellationToken cancellation)
    {
        var terminal = ((GridctlInvocation)parsed.InvocationConfiguration).Terminal;
        try
        {
            using var client = GlobalOptions.Connect(parsed);
            return (int)await Run(new(parsed, terminal, client), cancellation);
        }
        catch (ApplianceException e) { terminal.Complain(e.Message, e.NextStep); }
        catch (UsageException e) { terminal.Complain(e.Message, e.NextStep); }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested) { terminal.Note("stopped"); }
        return (int)ExitStatus.Unusable;
    }
}

/// <summary>One invocation: the parsed command line, where to write, whom to ask.</summary>
sealed record Session(ParseResult Parsed, GridctlTerminal Terminal, ApplianceClient Client)
{
    public bool Json => Parsed.GetValue(GlobalOptions.Output) == OutputFormat.Json;

    /// <summary>Writes the document as the API shapes it, or lets <paramref name="text"/> write it for people.</summary>
    public void Show<T>(T document, JsonTypeInfo<T> type, Action<T> text)
    {
        if (Json) Terminal.Json(document, type);
        else text(document);
    }
}
