using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Consoles.Scripts;

enum ScriptOutcome
{
    /// <summary>This step is begun.</summary>
    Step,
    Done,
    Failed,
}

/// <summary>How far a run is.</summary>
/// <param name="Step">Which step, from one; zero before the first.</param>
readonly record struct ScriptProgress(ScriptOutcome Outcome, int Step, string Text);

/// <summary>
/// One run of a script, as the one who types at the console: it sees what comes from its start on, and each expectation looks only at what came after the one before. What it does stands in the
/// console's record. Somebody who takes the console over ends it.
/// </summary>
sealed class ConsoleScriptRun(ConsoleScript script, ConsoleSession session, ConsoleViewer viewer, TimeProvider time)
{
    /// <summary>What is kept to look for a pattern in; a prompt is at the end of it.</summary>
    const int MostText = 64 * 1024;

    /// <summary>How long a line may take to open: a port that was told a moment ago, or a console server that has just been lost, is worth waiting for.</summary>
    static readonly TimeSpan Opening = TimeSpan.FromSeconds(10);

    static readonly TimeSpan OpeningStep = TimeSpan.FromMilliseconds(100);

    const string NoBreak = "this console carries no break (a raw TCP port never does: give it as telnet+rfc2217:// where the console server speaks that)";

    readonly TerminalText terminal = new();
    readonly StringBuilder text = new();
    bool wentWithoutBreak;

    /// <param name="takeOver">Type even if somebody else does.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public async IAsyncEnumerable<ScriptProgress> RunAsync(bool takeOver, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (takeOver) viewer.TakeOver();
        if (!viewer.Claim())
        {
            yield return new(ScriptOutcome.Failed, 0, $"{viewer.State.Writer} types here");
            yield break;
        }
        session.Note($"script {script.Name} begins");
        for (var end = time.GetUtcNow() + Opening; !viewer.State.Connected && time.GetUtcNow() < end;) await Task.Delay(OpeningStep, time, cancellationToken);
        for (var i = 0; i < script.Steps.Count; i++)
        {
            yield return new(ScriptOutcome.Step, i + 1, script.Steps[i].ToString());
            if (await DoAsync(script.Steps[i], cancellationToken) is not { } failure) continue;
            session.Note($"script {script.Name} failed at step {i + 1}: {failure}");
            yield return new(ScriptOutcome.Failed, i + 1, failure);
            yield break;
        }
        session.Note($"script {script.Name} is done");
        yield return new(ScriptOutcome.Done, script.Steps.Count, "done");
    }

    /// <returns>Why it failed; null when it did not.</returns>
    async Task<string?> DoAsync(ConsoleStep step, CancellationToken cancellationToken)
    {
        try
        {
            switch (step)
            {
                case ConsoleStep.Send send: return Said(await viewer.TypeAsync(Encoding.UTF8.GetBytes(send.Text), cancellationToken));
                case ConsoleStep.Break needed: return await BreakAsync(needed, cancellationToken);
                case ConsoleStep.SysRq sysrq: return Said(await viewer.SendBreakAsync(new[] { (byte)sysrq.Key }, cancellationToken));
                case ConsoleStep.Pause pause:
                    await Task.Delay(pause.For, time, cancellationToken);
                    return null;
                case ConsoleStep.Expect expect: return await ConverseAsync(expect.Pattern, expect.Within, null, default, "", cancellationToken);
                case ConsoleStep.Press press: return await ConverseAsync(press.Until, press.Within, null, press.Every, press.Text, cancellationToken);
                case ConsoleStep.Answer answer: return await ConverseAsync(answer.Until, answer.Within, answer.Question, default, answer.Text, cancellationToken);
                default: throw new InvalidOperationException($"a step of no known kind: {step}");
            }
        }
        catch (ChannelClosedException)
        {
            return "the console was taken from the node";
        }
    }

    async Task<string?> BreakAsync(ConsoleStep.Break step, CancellationToken cancellationToken)
    {
        var result = await viewer.SendBreakAsync(default, cancellationToken);
        if (step.IsNeeded || result != TypeResult.Unsupported) return Said(result);
        session.Note($"script {script.Name}: {NoBreak}; going on without one");
        wentWithoutBreak = true;
        return null;
    }

    /// <summary>Reads until <paramref name="until"/> fits; types meanwhile at each <paramref name="question"/>, or <paramref name="every"/> so often.</summary>
    async Task<string?> ConverseAsync(Regex until, TimeSpan within, Regex? question, TimeSpan every, string typed, CancellationToken cancellationToken)
    {
        var end = time.GetUtcNow() + within;
        var next = every == default ? DateTimeOffset.MaxValue : time.GetUtcNow();
        var octets = Encoding.UTF8.GetBytes(typed);
        while (true)
        {
            if (Consume(until)) return null;
            if (!viewer.IsWriter) return $"{viewer.State.Writer ?? "somebody"} took the console over";
            var now = time.GetUtcNow();
            if (now >= end) return $"'{until}' did not come within {within.TotalSeconds:0.#} s; the last was '{LastLine()}'{(wentWithoutBreak ? $"; {NoBreak}" : "")}";
            var mustType = question is not null && Consume(question);
            if (now >= next) (mustType, next) = (true, now + every);
            if (mustType && Said(await viewer.TypeAsync(octets, cancellationToken)) is { } failure) return failure;
            if (question is null || !mustType) await ReadAsync(next < end ? next : end, cancellationToken);
        }
    }

    /// <summary>Takes in what comes, or returns when it is time.</summary>
    async Task ReadAsync(DateTimeOffset until, CancellationToken cancellationToken)
    {
        var left = until - time.GetUtcNow();
        if (left <= TimeSpan.Zero) return;
        using var limit = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            Take(await viewer.ReadAsync(either.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return;
        }
        while (viewer.TryRead(out var more)) Take(more);
    }

    void Take(in ConsoleEntry entry)
    {
        if (entry.Kind != ConsoleEntryKind.Output) return;
        terminal.Append(entry.Octets.Span, text);
        if (text.Length > MostText) text.Remove(0, text.Length - MostText);
    }

    /// <summary>What came before a match, and the match itself, is behind us.</summary>
    bool Consume(Regex pattern)
    {
        if (text.Length == 0) return false;
        var match = pattern.Match(text.ToString());
        if (!match.Success) return false;
        text.Remove(0, match.Index + match.Length);
        return true;
    }

    string LastLine()
    {
        var all = text.ToString().TrimEnd('\n');
        var line = all[(all.LastIndexOf('\n') + 1)..];
        return line.Length > 120 ? line[^120..] : line;
    }

    string? Said(TypeResult result) => result switch
    {
        TypeResult.Typed => null,
        TypeResult.NotYours => $"{viewer.State.Writer ?? "somebody"} took the console over",
        TypeResult.NotConnected => "the line is down",
        TypeResult.Unsupported => NoBreak,
    };
}
