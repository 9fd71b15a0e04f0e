using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Identity;

/// <summary>
/// Signs calls under a counter that only grows: microseconds since the machine started, or one more than the last. The key lives no longer than the boot, and within
/// a boot that clock never goes back, so an agent that was restarted goes on above everything that it ever used, with nothing to store.
/// </summary>
sealed class CallSigner(AgentKey key, string nodeId, TimeProvider clock)
{
    long last;

    public string NodeId => nodeId;

    /// <param name="counter">What this call was signed under; the answer to it may be bound to that.</param>
    public string Header(string method, string pathAndQuery, ReadOnlySpan<byte> body, out long counter)
    {
        counter = Next();
        return AgentSignature.FormatHeader(nodeId, counter, key.Sign(AgentSignature.CallText(method, pathAndQuery, nodeId, counter, body)));
    }

    long Next()
    {
        var sinceStart = (long)(clock.GetTimestamp() / (double)clock.TimestampFrequency * 1_000_000);
        while (true)
        {
            var seen = Interlocked.Read(ref last);
            var next = Math.Max(seen + 1, sinceStart);
            if (Interlocked.CompareExchange(ref last, next, seen) == seen) return next;
        }
    }
}
