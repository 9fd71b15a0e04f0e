using GridAppliance.Operations;

namespace GridAppliance.Tests.Web;

/// <summary>An operation of two steps; the second waits until the test lets it go, or fails as its input says.</summary>
sealed class SlowKind(OperationPokes pokes) : IOperationKind
{
    volatile bool released;

    public string Name => "slow";

    public void Release(Guid id)
    {
        released = true;
        pokes.Poke(id);
    }

    public IReadOnlyList<Step> StepsFor(Operation operation) =>
    [
        new("prepare", _ => Task.FromResult<StepOutcome>(new StepOutcome.Done())),
        new("wait for the word", _ => Task.FromResult<StepOutcome>(operation.Input == "fail" ? new StepOutcome.Failed("the disk is on fire")
            : released ? new StepOutcome.Done() : new StepOutcome.NotYet(TimeSpan.FromSeconds(30), "nobody has said the word"))),
    ];

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => Task.CompletedTask;
}
