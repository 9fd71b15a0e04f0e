using GridAppliance.Operations;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Operations;

/// <summary>
/// What every operation has to stand: each step twice; a failure at each step, and a cancellation before each, which take back what was done; and a daemon that dies
/// before or after any line of the journal, on the way forward and on the way back, which changes nothing about the end.
/// </summary>
sealed class CrashHarness(Func<OperationWorld> newWorld)
{
    /// <summary>Waits that an operation may come to before the harness takes it for stuck.</summary>
    const int MostWaits = 200;

    public async Task RunEverythingAsync()
    {
        var plain = await RunAsync(new());
        Require(plain.End is OperationEnd.Done, $"undisturbed it ends {plain.End}", plain);
        await Same(plain, new() { Twice = true });
        await CrashEverywhere(plain, new());
        foreach (var step in plain.Steps.Where(plain.Disturbs))
        {
            foreach (var plan in new Plan[] { new() { FailAt = step }, new() { CancelAt = step }, new() { CancelAt = step, CancelLate = true } })
            {
                var unwound = await RunAsync(plan);
                Require(unwound.End is OperationEnd.Failed or OperationEnd.Cancelled, $"{plan} ends {unwound.End}", unwound);
                if (unwound.Expected is not null) Require(unwound.Fingerprint == unwound.Expected, $"{plan} is not taken back\n-- expected\n{unwound.Expected}", unwound);
                await Same(unwound, plan with { Twice = true });
                await CrashEverywhere(unwound, plan);
            }
        }
    }

    async Task CrashEverywhere(Run undisturbed, Plan plan)
    {
        for (var line = 0; line < undisturbed.Lines; line++)
        {
            await Same(undisturbed, plan with { CrashAt = line, CrashAfter = false });
            await Same(undisturbed, plan with { CrashAt = line, CrashAfter = true });
        }
    }

    async Task Same(Run expected, Plan plan)
    {
        var run = await RunAsync(plan);
        Require(run.End == expected.End, $"{plan} ends {run.End}, undisturbed it ends {expected.End}", run);
        Require(run.Fingerprint == expected.Fingerprint, $"{plan} leaves another world\n-- undisturbed\n{expected.Fingerprint}", run);
        if (plan.CrashAt is not null) Require(run.Crashed, $"{plan} never came to its crash", run);
    }

    static void Require(bool holds, string otherwise, Run run)
    {
        if (!holds) throw new InvalidOperationException($"{otherwise}\n-- world\n{run.Fingerprint}\n-- journal\n{string.Join('\n', run.Journal)}");
    }

    async Task<Run> RunAsync(Plan plan)
    {
        await using var world = newWorld();
        var wanted = await world.PrepareAsync();
        var before = world.Fingerprint();
        var (operation, _) = await world.Journal.CreateAsync(wanted, CancellationToken.None);
        int lines = 0, waits = 0;
        bool crashed = false, acted = false;
        List<JournalEntry> journal = [];
        while (true)
        {
            var kinds = new OperationRegistry([new Disturbed(world.Kind, plan, () => acted = true)]);
            var worker = new OperationWorker(kinds, world.Store.Clock);
            try
            {
                await AskToCancel();
                var advance = await Eventually.ComesAsync(worker.AdvanceAsync(operation, () => journal, AppendAsync, CancellationToken.None, CancellationToken.None), $"the next wait or end of {operation.Title}, {plan}");
                if (advance is Advance.Over over)
                {
                    return new(over.End, world.Fingerprint(), world.ExpectedAfter(over.End, before), lines, crashed, [.. kinds.StepsFor(operation).Select(step => step.Name)], world.Disturbs, journal);
                }
                if (++waits > MostWaits) throw new InvalidOperationException($"{plan}: still waiting after {MostWaits} waits: {advance}\n-- journal\n{string.Join('\n', journal)}");
                world.Store.Clock.Advance(((Advance.Waiting)advance).RetryAfter);
                await world.MeanwhileAsync();
            }
            catch (CancelNow)
            {
                // The next turn of the loop asks for it, as a person would.
            }
            catch (Killed)
            {
                await world.RestartAsync();
                journal = [.. world.Journal.Find(operation.Id)!.Journal];
            }

            async Task AskToCancel()
            {
                if (plan.CancelAt is not { } step || plan.CancelLate && !acted || journal.Any(entry => entry.Mark == JournalMark.CancelAsked)) return;
                if (OperationPosition.From(kinds.StepsFor(operation), journal) is OperationPosition.Run run && run.Step.Name == step)
                    await AppendAsync(JournalMark.CancelAsked, null, "cancelled by a test", null, CancellationToken.None);
            }
        }

        async Task AppendAsync(JournalMark mark, string? step, string? detail, OperationEnd? end, CancellationToken cancellationToken)
        {
            var mine = lines++ == plan.CrashAt && !crashed;
            if (mine && !plan.CrashAfter) Die();
            await world.Journal.AppendAsync(operation, new(mark, step, detail, world.Store.Clock.GetUtcNow()), end, entry => journal.Add(entry), cancellationToken);
            if (mine) Die();
        }

        void Die()
        {
            crashed = true;
            throw new Killed();
        }
    }

    /// <summary>How one run is disturbed.</summary>
    sealed record Plan
    {
        /// <summary>Every step and every undo acts a second time.</summary>
        public bool Twice { get; init; }
        /// <summary>This step fails instead of acting.</summary>
        public string? FailAt { get; init; }
        /// <summary>A person cancels when this step is next: before it has acted, or (late) after, when its line is not written.</summary>
        public string? CancelAt { get; init; }
        public bool CancelLate { get; init; }
        /// <summary>Index of the journal's line at which the daemon dies.</summary>
        public int? CrashAt { get; init; }
        public bool CrashAfter { get; init; }
    }

    sealed record Run(OperationEnd End, string Fingerprint, string? Expected, int Lines, bool Crashed, IReadOnlyList<string> Steps, Func<string, bool> Disturbs, IReadOnlyList<JournalEntry> Journal);

    /// <summary>The kind under test, disturbed.</summary>
    sealed class Disturbed(IOperationKind kind, Plan plan, Action acted) : IOperationKind
    {
        public string Name => kind.Name;

        public IReadOnlyList<Step> StepsFor(Operation operation) => [.. kind.StepsFor(operation).Select(step => step with { Do = Forward(step), Undo = Backward(step.Undo) })];

        public async Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken)
        {
            await kind.ConcludeAsync(operation, end, cancellationToken);
            if (plan.Twice) await kind.ConcludeAsync(operation, end, cancellationToken);
        }

        StepAction Forward(Step step) => async cancellationToken =>
        {
            if (step.Name == plan.FailAt) return new StepOutcome.Failed("failed by a test");
            if (step.Name == plan.CancelAt && !plan.CancelLate) throw new CancelNow();
            var outcome = await step.Do(cancellationToken);
            if (step.Name == plan.CancelAt && outcome is not StepOutcome.NotYet)
            {
                acted();
                throw new CancelNow();
            }
            return plan.Twice && outcome is StepOutcome.Done ? await step.Do(cancellationToken) : outcome;
        };

        StepAction? Backward(StepAction? undo) => undo is null ? null : async cancellationToken =>
        {
            var outcome = await undo(cancellationToken);
            return plan.Twice && outcome is StepOutcome.Done ? await undo(cancellationToken) : outcome;
        };
    }

    sealed class Killed : Exception;

    sealed class CancelNow : Exception;
}
