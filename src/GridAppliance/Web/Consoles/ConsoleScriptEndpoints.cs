using System.Buffers;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Consoles;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Scripts;
using GridAppliance.Nodes;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Consoles;

static class ConsoleScriptEndpoints
{
    public static void MapConsoleScripts(this IEndpointRouteBuilder api)
    {
        api.MapGet("/console-scripts", List).WithName("listConsoleScripts").WithTags("consoles").WithSummary("The console scripts there are, by name.");
        api.MapPost("/nodes/{name}/console/script", Run).WithName("runConsoleScript").WithTags("consoles").Produces<ConsoleScriptProgress>(200, "application/x-ndjson")
            .WithSummary("Run a script at a node's console: one line per step as it is begun, and one for the end. Hanging up ends the run.");
    }

    static Ok<IReadOnlyList<ConsoleScriptDocument>> List(ConsoleScripts scripts) =>
        TypedResults.Ok<IReadOnlyList<ConsoleScriptDocument>>([.. scripts.All.Select(script => new ConsoleScriptDocument
        {
            Name = script.Name, About = script.About, Steps = [.. script.Steps.Select(step => step.ToString())],
        })]);

    static IResult Run(string name, ConsoleScriptRequest request, HttpContext context, NodeDirectory directory, ConsoleDirectory consoles, ConsoleScripts scripts, Timeline timeline, TimeProvider time,
        IHostApplicationLifetime lifetime)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (scripts.Find(request.Script) is not { } script)
            return Problems.Answer(StatusCodes.Status404NotFound, $"there is no console script '{Problems.Short(request.Script)}'", "list them with `gridctl console-script list`");
        var actor = Caller.Of(context).Actor;
        if (consoles.Find(node.Id) is not { } session) return ConsoleEndpoints.NoConsole(name);
        if (session.TryFollow($"script {script.Name} of {actor}", out _) is not { } viewer) return ConsoleEndpoints.Full(node);
        return new Answer(node, script, new(script, session, viewer, time), viewer, request.TakeOver, actor, timeline, time, lifetime);
    }

    sealed class Answer(Node node, ConsoleScript script, ConsoleScriptRun run, ConsoleViewer viewer, bool takeOver, string actor, Timeline timeline, TimeProvider time, IHostApplicationLifetime lifetime)
        : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            using var _ = viewer;
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            var body = context.Response.BodyWriter;
            context.Response.ContentType = "application/x-ndjson; charset=utf-8";
            var last = new ScriptProgress(ScriptOutcome.Failed, 0, "it was broken off");
            await TellAsync("console.script", $"console script {script.Name} begins", EventSeverity.Info);
            try
            {
                await foreach (var progress in run.RunAsync(takeOver, ended.Token))
                {
                    if (progress.Outcome != ScriptOutcome.Step) last = progress;
                    Write(body, progress);
                    await body.FlushAsync(ended.Token);
                }
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested) { /* Whoever asked for it hung up, or we stop. */ }
            await (last.Outcome == ScriptOutcome.Done
                ? TellAsync("console.script-done", $"console script {script.Name} is done", EventSeverity.Info)
                : TellAsync("console.script-failed", $"console script {script.Name} failed at step {last.Step}: {last.Text}", EventSeverity.Warning));
        }

        Task TellAsync(string kind, string message, EventSeverity severity) => timeline.AppendAsync(NewEvent.About(node, kind, message, severity) with { Actor = actor }, CancellationToken.None);

        void Write(IBufferWriter<byte> body, in ScriptProgress progress)
        {
            var document = new ConsoleScriptProgress
            {
                At = time.GetUtcNow(), Step = progress.Step, Text = progress.Text,
                Outcome = progress.Outcome switch { ScriptOutcome.Step => "step", ScriptOutcome.Done => "done", ScriptOutcome.Failed => "failed" },
            };
            using (var json = new Utf8JsonWriter(body)) JsonSerializer.Serialize(json, document, ApiJson.Default.ConsoleScriptProgress);
            body.Write("\n"u8);
        }
    }
}
