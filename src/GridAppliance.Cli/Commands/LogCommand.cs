using System.CommandLine;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Api.Consoles;
using GridAppliance.Cli.Consoles;

namespace GridAppliance.Cli.Commands;

sealed class LogCommand : GridctlCommand
{
    /// <summary>What a person reads who asked for nothing in particular.</summary>
    const int Screenfuls = 200;

    readonly Argument<string> name = new("NODE") { Description = "Its name." };
    readonly Option<string?> since = new("--since") { Description = "From then on: 10m, 2h, 3d ago, or a time such as 2026-03-01T12:00.", HelpName = "WHEN" };
    readonly Option<string?> until = new("--until") { Description = "Up to then.", HelpName = "WHEN" };
    readonly Option<string?> grep = new("--grep", "-g") { Description = "Only lines that a regular expression fits, whatever the case of letters.", HelpName = "REGEX" };
    readonly Option<int?> last = new("--last", "-n") { Description = $"Only so many of the newest lines; {Screenfuls} when nothing else is said.", HelpName = "LINES" };
    readonly Option<bool> follow = new("--follow", "-f") { Description = "Go on with what comes, until interrupted; with -o json, one document per line." };
    readonly Option<bool> replay = new("--replay") { Description = "Play it as it happened, with its timing." };
    readonly Option<double> speed = new("--speed") { Description = "How much faster.", HelpName = "TIMES", DefaultValueFactory = _ => 1 };

    public LogCommand() : base("log", "What a node's console said, from its record. No escape sequence of the node's reaches this terminal.")
    {
        Add(name);
        Add(since);
        Add(until);
        Add(grep);
        Add(last);
        Add(follow);
        Add(replay);
        Add(speed);
    }

    protected override async Task<ExitStatus> Run(Session session, CancellationToken cancellation)
    {
        var node = session.Parsed.GetRequiredValue(name);
        var (from, to) = (When.Read(session.Parsed.GetValue(since)), When.Read(session.Parsed.GetValue(until)));
        if (session.Parsed.GetValue(replay)) return await Replay(session, node, new() { From = from, To = to }, cancellation);
        var pattern = session.Parsed.GetValue(grep);
        var wanted = new ConsoleLogRequest
        {
            From = from, To = to, Pattern = pattern, Follow = session.Parsed.GetValue(follow),
            Last = session.Parsed.GetValue(last) ?? (from is null && to is null && pattern is null ? Screenfuls : null),
        };
        var lines = session.Client.ReadConsoleLog(node, wanted, cancellation);
        try
        {
            if (session.Json && !wanted.Follow) session.Terminal.Json(await All(lines, cancellation), ApiJson.Default.IReadOnlyListConsoleLineDocument);
            else await foreach (var line in lines) Write(session, line);
        }
        catch (OperationCanceledException) when (wanted.Follow && cancellation.IsCancellationRequested) { /* Interrupting is how following ends. */ }
        return ExitStatus.Done;
    }

    static async Task<IReadOnlyList<ConsoleLineDocument>> All(IAsyncEnumerable<ConsoleLineDocument> lines, CancellationToken cancellation)
    {
        var all = new List<ConsoleLineDocument>();
        await foreach (var line in lines.WithCancellation(cancellation)) all.Add(line);
        return all;
    }

    static void Write(Session session, ConsoleLineDocument line)
    {
        if (session.Json) session.Terminal.JsonLine(line, ApiJson.Default.ConsoleLineDocument);
        else
        {
            var text = Tabs.Expand(line.Text);
            session.Terminal.Line(line.Kind == "mark" ? $"{line.At.ToLocalTime():yyyy-MM-dd HH:mm:ss.fff}  -- {text} --" : $"{line.At.ToLocalTime():yyyy-MM-dd HH:mm:ss.fff}  {text}");
            session.Terminal.Out.Flush();
        }
    }

    async Task<ExitStatus> Replay(Session session, string node, ConsoleLogRequest wanted, CancellationToken cancellation)
    {
        var times = session.Parsed.GetValue(speed);
        if (times is not (> 0 and <= 1_000_000)) throw new UsageException("that is no speed", "write --speed 4 for four times as fast");
        await new ConsoleReplay(session.Terminal, TimeProvider.System, times).PlayAsync(session.Client.ReadConsoleReplay(node, wanted, cancellation), cancellation);
        return ExitStatus.Done;
    }
}
