using System.Reflection;

namespace GridAppliance.Agent;

static class AgentVersion
{
    /// <summary>As built; without the commit, which a node image must not depend on.</summary>
    public static string Text { get; } =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
