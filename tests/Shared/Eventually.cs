namespace GridAppliance.Testing;

/// <summary>Waits for what something else brings about: asks until it is so, and gives up with a sentence that says what did not come.</summary>
public static class Eventually
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    public static Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), static so => so, what);

    /// <summary>What a task brings.</summary>
    public static async Task<T> ComesAsync<T>(Task<T> task, string what)
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"{what} did not come within {Patience.TotalSeconds} s");
        }
    }

    /// <returns>The answer that is as wanted.</returns>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> wanted, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await ask();
            if (wanted(answer)) return answer;
            if (TimeProvider.System.GetElapsedTime(began) > Patience) throw new TimeoutException($"{what} did not come to pass within {Patience.TotalSeconds} s; the last answer was {answer}");
            await Task.Delay(Look);
        }
    }
}
