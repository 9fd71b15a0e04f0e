using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Consoles;

static class ConsoleEndpoints
{
    /// <summary>The WebSocket's subprotocol; a browser names its token beside it (<see cref="RequestGuard"/>).</summary>
    public const string Subprotocol = "grid.console";

    static readonly WebSocketAcceptContext Accepting = new()
    {
        SubProtocol = Subprotocol,
        // A viewer whose machine died is let go of within half a minute.
        KeepAliveInterval = TimeSpan.FromSeconds(10), KeepAliveTimeout = TimeSpan.FromSeconds(20),
    };

    public static void MapConsoles(this IEndpointRouteBuilder api)
    {
        var console = api.MapGroup("/nodes/{name}/console").WithTags("consoles");
        // Over HTTP/2 a WebSocket is a CONNECT (RFC 8441).
        console.MapMethods("/", [HttpMethods.Get, HttpMethods.Connect], Attach).WithName("attachConsole")
            .WithSummary("WebSocket: binary frames are octets both ways, text frames are ConsoleMessage and ConsoleRequest. ?mode=write types if nobody else does; otherwise it only looks.");
        console.MapGet("/log", Log).WithName("getConsoleLog").Produces<string>(200, "text/plain", "application/json", "application/x-ndjson", "application/octet-stream")
            .WithSummary("The console's record as lines with times: ?from= ?to= ?grep= (a regular expression) ?last=N ?follow=true. Text, or JSON as Accept says; no escape sequence is in it unless ?raw=true.");
        console.MapGet("/replay", Replay).WithName("getConsoleReplay").Produces<string>(200, "application/x-asciicast")
            .WithSummary("The console's record with its timing, as an asciicast (version 2): ?from= ?to=; no escape sequence is in it unless ?raw=true.");
    }

    static async Task<IResult> Attach(string name, string? mode, string? via, HttpContext context, NodeDirectory directory, ConsoleDirectory consoles, IHostApplicationLifetime lifetime)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (mode is not (null or "view" or "write")) return Problems.Answer(StatusCodes.Status400BadRequest, "mode is view or write");
        if (consoles.Find(node.Id) is not { } session) return NoConsole(name);
        // Before the next line: a client whose handshake was refused asks again plainly, for the reason.
        if (session.State.Viewers >= ConsoleSession.MostViewers) return Full(node);
        if (!context.WebSockets.IsWebSocketRequest) return Problems.Answer(StatusCodes.Status426UpgradeRequired, "a console is attached to over a WebSocket", $"use `gridctl console {node.Name}`, or read /console/log");
        var where = via switch { "gridctl" => " with gridctl", "browser" => " in a browser", _ => "" };
        if (session.TryJoin(Caller.Of(context).Actor + where) is not { } viewer)
            return Full(node);
        // What follows owns the connection; there is nothing to answer after it.
        using var socket = await context.WebSockets.AcceptWebSocketAsync(Accepting);
        using var attachment = new ConsoleAttachment(socket, viewer, mode == "write");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        await attachment.RunAsync(ended.Token);
        return Results.Empty;
    }

    static IResult Log(string name, bool? raw, bool? follow, HttpContext context, NodeDirectory directory, ConsoleDirectory consoles, IHostApplicationLifetime lifetime)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (!ConsoleLogQuery.TryRead(context.Request.Query, out var query, out var problem)) return problem;
        if (!TryReach(node, consoles, follow == true, Caller.Of(context).Actor, out var until, out var viewer)) return follow == true && consoles.Find(node.Id) is not null ? Full(node) : NoConsole(name);
        return new ConsoleLogAnswer(consoles.RecordOf(node.Id), until, query, raw == true ? ConsoleLogShape.Raw : Shape(context.Request), viewer, lifetime);
    }

    static IResult Replay(string name, bool? raw, HttpContext context, NodeDirectory directory, ConsoleDirectory consoles)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (!ConsoleLogQuery.TryRead(context.Request.Query, out var query, out var problem)) return problem;
        if (!TryReach(node, consoles, follow: false, "", out var until, out _)) return NoConsole(name);
        return new ConsoleReplayAnswer(node.Name, consoles.RecordOf(node.Id), until, query, raw == true);
    }

    /// <summary>How far the record goes now; a node whose console was taken away still has what was recorded.</summary>
    static bool TryReach(Node node, ConsoleDirectory consoles, bool follow, string who, out RecordPosition until, out ConsoleViewer? viewer)
    {
        (until, viewer) = (new(long.MaxValue, 0), null);
        if (consoles.Find(node.Id) is not { } session) return !follow && Directory.Exists(consoles.RecordOf(node.Id));
        try
        {
            if (follow) viewer = session.TryFollow(who, out until);
            else session.Flush();
            return !follow || viewer is not null;
        }
        catch (IOException)
        {
            // The disk is full: what is there is there.
            return !follow;
        }
    }

    static ConsoleLogShape Shape(HttpRequest request)
    {
        foreach (var type in request.GetTypedHeaders().Accept)
        {
            if (type.MediaType == "application/json") return ConsoleLogShape.Json;
            if (type.MediaType == "application/x-ndjson") return ConsoleLogShape.JsonLines;
        }
        return ConsoleLogShape.Text;
    }

    internal static ProblemHttpResult Full(Node node) =>
        Problems.Answer(StatusCodes.Status503ServiceUnavailable, $"the console of {node.Name} has {ConsoleSession.MostViewers} viewers, which is as many as it may have", "close some of them: a program may have opened it and never closed it");

    internal static ProblemHttpResult NoConsole(string name) =>
        Problems.Answer(StatusCodes.Status404NotFound, $"{Problems.Short(name)} has no console", $"give it one: `gridctl port set {Problems.Short(name)} …`, with its BMC's or its serial port's address");
}
