using GridAppliance.Api.Client;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Operations;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli;

/// <summary>Waits until operations have ended, and after two seconds says which step each is at. Interrupting stops the waiting, not the work.</summary>
sealed class OperationWatch(ApplianceClient client, GridctlTerminal terminal, TimeProvider? clock = null)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly TimeProvider clock = clock ?? TimeProvider.System;
    readonly Dictionary<string, string> told = [];

    public async Task<ChangeDocument> Wait(ChangeDocument change, CancellationToken cancellation)
    {
        var ended = await Wait([.. change.Nodes.Select(node => node.OperationId).OfType<string>()], cancellation);
        return change with
        {
            Nodes = [.. change.Nodes.Select(node => node.OperationId is { } id && ended[id] is var operation
                ? node with { Outcome = operation.State, Message = Ending(operation) }
                : node)],
        };
    }

    /// <returns>Each operation as it ended, by id.</returns>
    public async Task<Dictionary<string, OperationDocument>> Wait(IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        var ended = new Dictionary<string, OperationDocument>();
        var started = clock.GetTimestamp();
        try
        {
            while (true)
            {
                var running = new List<OperationDocument>();
                foreach (var id in ids.Where(id => !ended.ContainsKey(id)))
                {
                    var operation = await client.GetOperation(id, cancellation);
                    if (operation.State is "running" or "undoing") running.Add(operation); else ended[id] = operation;
                }
                if (running.Count == 0) return ended;
                if (clock.GetElapsedTime(started) >= Patience) Tell(running, ended.Count);
                await Task.Delay(Interval, clock, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Progress("");
            terminal.Note("no longer waiting; the work goes on: see `gridctl operation list`");
            throw;
        }
        finally { terminal.Progress(""); }
    }

    void Tell(List<OperationDocument> running, int ended)
    {
        if (terminal.Interactive)
        {
            var first = string.Join("  ", running.Take(3).Select(Describe));
            terminal.Progress($"{ended}/{ended + running.Count} done  {first}{(running.Count > 3 ? " …" : "")}");
            return;
        }
        // A log wants each change once.
        foreach (var operation in running)
        {
            var text = Describe(operation);
            if (told.TryGetValue(operation.Id, out var last) && last == text) continue;
            told[operation.Id] = text;
            terminal.Note(text);
        }
    }

    // What the last step had to say is more than that it is over.
    public static string Ending(OperationDocument operation) => operation.State == "done"
        ? operation.Steps.LastOrDefault(step => step.Detail is not null)?.Detail ?? $"{operation.Kind} {operation.Subject}".TrimEnd() + " is done"
        : $"{operation.State}: {operation.Reason ?? "no reason was kept"}";

    static string Describe(OperationDocument operation)
    {
        var done = operation.Steps.Count(step => step.State is "done" or "undone");
        var step = operation.Steps.FirstOrDefault(s => s.State == "running") ?? operation.Steps.FirstOrDefault(s => s.State == "pending");
        var waiting = operation.Reason is { } reason ? $", {reason}" : "";
        return $"{operation.Node ?? operation.Subject ?? operation.Kind}: {step?.Name ?? operation.State} ({Math.Min(done + 1, operation.Steps.Count)}/{operation.Steps.Count}{waiting})";
    }
}
