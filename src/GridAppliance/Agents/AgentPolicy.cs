namespace GridAppliance.Agents;

/// <summary>How often agents call, and when their silence counts.</summary>
static class AgentPolicy
{
    /// <summary>Missed heartbeats until an agent counts as silent.</summary>
    const int Missed = 3;

    /// <summary>Small sites are told of a dead node sooner; large ones keep the appliance idle.</summary>
    public static int HeartbeatSeconds(int nodes) => nodes <= 500 ? 10 : 30;

    /// <summary>For one agent's next: where there are many, a tenth more or less by chance, so that those who came back together do not stay in step.</summary>
    public static int NextHeartbeat(int nodes, Random random) => HeartbeatSeconds(nodes) is var seconds and > 10 ? seconds + random.Next(-seconds / 10, seconds / 10 + 1) : HeartbeatSeconds(nodes);

    public static TimeSpan SilentAfter(int nodes) => TimeSpan.FromSeconds(HeartbeatSeconds(nodes) * Missed);

    /// <summary>No longer: proxies and NAT forget a connection that says nothing.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
}
