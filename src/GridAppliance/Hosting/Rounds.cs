using GridAppliance.Store;

namespace GridAppliance.Hosting;

/// <summary>What hosted services do again and again.</summary>
static class Rounds
{
    /// <summary>
    /// Goes a round at once and then with every tick, until it is stopped. A store that takes nothing at this moment (a full disk) ends nothing: an exception that left a hosted
    /// service would end the whole daemon, and what was not written is come to again with the next round.
    /// </summary>
    /// <param name="period">From tick to tick; a round that takes longer is followed by the next at once.</param>
    /// <param name="time">The appliance's clock.</param>
    /// <param name="round">What is done.</param>
    /// <param name="notStored">Told why the store took nothing.</param>
    /// <param name="stoppingToken">The daemon stops.</param>
    public static async Task RunAsync(TimeSpan period, TimeProvider time, Func<CancellationToken, Task> round, Action<string> notStored, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(period, time);
        do
        {
            try
            {
                await round(stoppingToken);
            }
            catch (StoreException e)
            {
                notStored(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
