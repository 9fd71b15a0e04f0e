namespace GridAppliance.Boot.Dhcp;

/// <summary>Several endless loops that live and die together.</summary>
static class Loops
{
    /// <summary>Fails as soon as one of them does; when they are told to stop, waits until all have tidied up.</summary>
    public static async Task TogetherAsync(params Task[] loops)
    {
        await foreach (var ended in Task.WhenEach(loops))
        {
            if (ended.IsFaulted) await ended;
        }
        await Task.WhenAll(loops);
    }
}
