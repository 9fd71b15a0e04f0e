using GridAppliance.Hosting;
using GridAppliance.Store;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Hosting;

public sealed class RoundsTests
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ManualClock clock = new();

    [Fact]
    public async Task A_store_that_takes_nothing_is_told_and_the_next_round_comes_all_the_same()
    {
        var (rounds, told) = (0, new List<string>());
        // Two ticks that come before the first is waited for are one: each round is seen before the clock goes on.
        using var begun = new SemaphoreSlim(0);
        using var stopping = new CancellationTokenSource();
        var running = Rounds.RunAsync(Period, clock, _ =>
        {
            rounds++;
            begun.Release();
            if (rounds < 3) throw new StoreException(StoreFault.DiskFull, "the disk is full", new IOException());
            return stopping.CancelAsync();
        }, told.Add, stopping.Token);
        Assert.Equal(1, rounds);
        Assert.Equal(["the disk is full"], told);
        for (var round = 1; round <= 3; round++)
        {
            Assert.True(await begun.WaitAsync(Patience), $"round {round} did not come");
            if (round < 3) clock.Advance(Period);
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
        Assert.Equal(["the disk is full", "the disk is full"], told);
    }

    [Fact]
    public async Task A_mistake_of_our_own_is_not_swallowed() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => Rounds.RunAsync(Period, clock, _ => throw new InvalidOperationException(), _ => { }, default));
}
