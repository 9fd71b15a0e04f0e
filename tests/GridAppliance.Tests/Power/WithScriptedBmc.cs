using GridAppliance.Testing;

namespace GridAppliance.Tests.Power;

/// <summary>What a test of a BMC begins with: one that does as it is told, what opens drivers on it, and a clock that moves when the test says so.</summary>
public abstract class WithScriptedBmc : IAsyncLifetime
{
    private protected readonly ManualClock clock = new();
    private protected readonly BmcBench bench = new();
    private protected readonly ScriptedBmc bmc = new();

    private protected static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await bmc.DisposeAsync();
        await bench.DisposeAsync();
    }
}
