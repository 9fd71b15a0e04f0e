using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

/// <summary>What one kind of operation works on, for the crash harness: real parts on a real store, which can be restarted and looked at.</summary>
abstract class OperationWorld : IAsyncDisposable
{
    public TestStore Store { get; } = new();

    public OperationJournal Journal => new(Store.Database, Store.Timeline, Store.Nodes, Store.Clock);

    /// <summary>The kind under test, made anew on the present store.</summary>
    public abstract IOperationKind Kind { get; }

    /// <summary>Puts the world into the state in which the operation starts.</summary>
    public abstract Task<NewOperation> PrepareAsync();

    /// <summary>The operation waits: whoever else has something to do does it.</summary>
    public virtual Task MeanwhileAsync() => Task.CompletedTask;

    /// <summary>As after <c>kill -9</c> and a start: what was in memory is gone.</summary>
    public virtual Task RestartAsync() => Store.ReopenAsync();

    /// <summary>Everything that the operation may change, without times and random identities.</summary>
    public abstract string Fingerprint();

    /// <summary>What is left once the operation was taken back, where that is not simply what was there before.</summary>
    public virtual string? ExpectedAfter(OperationEnd end, string before) => before;

    /// <summary>Whether a failure and a cancellation at this step are tried here; steps of another kind's, which has a world of its own, need not be. Crashes are tried everywhere.</summary>
    public virtual bool Disturbs(string step) => true;

    public virtual ValueTask DisposeAsync() => Store.DisposeAsync();
}
