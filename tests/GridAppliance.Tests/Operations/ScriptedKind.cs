using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

/// <summary>A kind of operation whose steps a test writes out.</summary>
sealed class ScriptedKind(string name, Func<Operation, IReadOnlyList<Step>> steps, Func<Operation, OperationEnd, Task>? conclude = null) : IOperationKind
{
    public ScriptedKind(string name, params Step[] steps) : this(name, _ => steps) { }

    public string Name => name;

    public IReadOnlyList<Step> StepsFor(Operation operation) => steps(operation);

    public Task ConcludeAsync(Operation operation, OperationEnd end, CancellationToken cancellationToken) => conclude?.Invoke(operation, end) ?? Task.CompletedTask;
}
