using System.Collections.Concurrent;

namespace GridAppliance.Establish;

/// <summary>One operation's share of somebody's credentials, and what it has found out with them. Gone with the daemon; the operation then waits for another.</summary>
sealed class Loan(CredentialLease lease, DateTimeOffset since)
{
    public CredentialLease Lease => lease;

    /// <summary>Patience counts from here: before it there was nobody to get in with.</summary>
    public DateTimeOffset Since => since;

    public MachineSurvey? Survey { get; set; }
    public string? MachineId { get; set; }
    /// <summary>When the agent was set going.</summary>
    public DateTimeOffset? Started { get; set; }
}

/// <summary>Which operation works with which credentials, and which machine each has in hand.</summary>
sealed class LentCredentials(TimeProvider time) : IAsyncDisposable
{
    readonly ConcurrentDictionary<Guid, Loan> loans = new();
    readonly Lock gate = new();

    public Loan? Find(Guid operation) => loans.GetValueOrDefault(operation);

    /// <summary>Takes the place of what the operation had before.</summary>
    public async Task LendAsync(Guid operation, CredentialLease lease)
    {
        if (!lease.TryShare()) return;
        Loan? old;
        lock (gate)
        {
            loans.TryGetValue(operation, out old);
            loans[operation] = new(lease, time.GetUtcNow());
        }
        if (old is not null) await old.Lease.DisposeAsync();
    }

    public async Task ReturnAsync(Guid operation)
    {
        if (loans.TryRemove(operation, out var loan)) await loan.Lease.DisposeAsync();
    }

    /// <summary>Says which machine an operation has found behind its address; the operation that has that machine in hand already, when another does.</summary>
    public Guid? Claim(Guid operation, string machineId)
    {
        lock (gate)
        {
            foreach (var (other, loan) in loans)
                if (other != operation && loan.MachineId == machineId) return other;
            if (loans.TryGetValue(operation, out var own)) own.MachineId = machineId;
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var operation in loans.Keys) await ReturnAsync(operation);
    }
}
