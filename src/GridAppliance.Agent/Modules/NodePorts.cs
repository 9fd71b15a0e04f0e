using System.Net.NetworkInformation;

namespace GridAppliance.Agent.Modules;

/// <summary>Who listens on this node, whoever it is.</summary>
static class NodePorts
{
    /// <summary>TCP ports that are taken, at whatever address.</summary>
    public static IReadOnlySet<int> Taken() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(static listener => listener.Port).ToHashSet();
}
