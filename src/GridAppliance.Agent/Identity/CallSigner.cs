using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Identity;

/// <summary>
/// Signs calls under a counter that only grows: microseconds since the machine started, or one more than the last. The key lives no longer than the boot, and within
/// a boot that clock never goes back, so an agent that was restarted goes on above everything that it ever used, with nothing to store.
/// Where the key does outlive the boot, the boots that it has seen are the counter's upper digits.
/// </summary>
/// <param name="key">The node's.</param>
/// <param name="nodeId">Who calls.</param>
/// <param name="boots">See <see cref="KeptBoots"/>; 0 where the key is gone with the boot.</param>
/// <param name="clock">Its timestamps count from the machine's start.</param>
sealed class CallSigner(AgentKey key, string nodeId, int boots, TimeProvider clock)
{
    /// <summary>17 years of microseconds to a boot; what is left is enough for sixteen thousand boots.</summary>
    const int BootShift = 49;

    long last = (long)boots << BootShift;

    public string NodeId => nodeId;

    /// <param name="counter">What this call was signed under; the answer to it may be bound to that.</param>
    public string Header(string method, string pathAndQuery, ReadOnlySpan<byte> body, out long counter)
    {
        counter = Next();
        return AgentSignature.FormatHeader(nodeId, counter, key.Sign(AgentSignature.CallText(method, pathAndQuery, nodeId, counter, body)));
    }

    long Next()
    {
        var sinceStart = ((long)boots << BootShift) + (long)(clock.GetTimestamp() / (double)clock.TimestampFrequency * 1_000_000);
        while (true)
        {
            var seen = Interlocked.Read(ref last);
            var next = Math.Max(seen + 1, sinceStart);
            if (Interlocked.CompareExchange(ref last, next, seen) == seen) return next;
        }
    }
}
