using GridAppliance.Boot.Http;
using GridAppliance.Operations;

namespace GridAppliance.Agents;

static class AgentsFeature
{
    /// <summary>Enrolment, heartbeats and orders of the programs that run on nodes.</summary>
    public static void AddAgents(this IServiceCollection services)
    {
        services.AddSingleton<AgentSessions>();
        services.AddSingleton<AgentEnrolment>();
        services.AddSingleton<AgentPresence>();
        services.AddSingleton<AgentOrders>();
        services.AddSingleton<OrderWaiters>();
        services.AddSingleton<BootTickets>();
        services.AddSingleton<OrderSecrets>();
        services.AddSingleton<IBootPlaneEndpoints, AgentEndpoints>();
        services.AddHostedService<AgentWatch>();
        services.AddHostedService<EnrolmentStarter>();
    }
}
