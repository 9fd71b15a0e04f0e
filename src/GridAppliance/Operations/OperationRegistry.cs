using System.Collections.Frozen;

namespace GridAppliance.Operations;

/// <summary>One kind of operation; one file each.</summary>
interface IOperationKind
{
    /// <summary>Stable: the journal knows kinds by name.</summary>
    string Name { get; }

    /// <summary>The steps, the same ones for the same operation each time it is asked, in the same order.</summary>
    IReadOnlyList<Step> StepsFor(Operation operation);

    /// <summary>Whether it waits for the operations before it on its node, and those after it wait for it.</summary>
    bool TakesTurns => true;

    /// <summary>The last word, after everything is done or taken back; like a step it may be said twice. It must not touch what a later operation has taken over.</summary>
    Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken);
}

/// <summary>Every kind by its name. An operation whose kind is gone (an older daemon's) stands still until a person cancels it.</summary>
sealed class OperationRegistry(IEnumerable<IOperationKind> kinds)
{
    readonly FrozenDictionary<string, IOperationKind> byName = kinds.ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal);

    public IOperationKind? Find(string name) => byName.GetValueOrDefault(name);

    public IReadOnlyList<Step> StepsFor(Operation operation) => Find(operation.Kind)?.StepsFor(operation) ?? [UnknownKind(operation.Kind)];

    static Step UnknownKind(string kind) => new("unknown", _ =>
        Task.FromResult<StepOutcome>(new StepOutcome.NotYet(TimeSpan.FromHours(1), $"this daemon knows no operation called {kind}; cancel it, or run the version that started it")));
}
