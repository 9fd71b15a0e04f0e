using System.Reflection;
using GridAppliance.Api;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Web.Endpoints;

static class StatusEndpoints
{
    static readonly string Version = typeof(StatusEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static void MapStatus(this IEndpointRouteBuilder api) =>
        api.MapGet("/status", Get).WithName("getStatus").WithSummary("The whole at a glance.").WithTags("status");

    public static void MapHealth(this IEndpointRouteBuilder root) =>
        root.MapGet("/healthz", (ApplianceProblems problems) => new HealthDocument
        {
            Status = problems.All.Count == 0 ? "ok" : "degraded",
            // Codes only: this address asks for no token.
            Problems = [.. problems.All.Select(problem => problem.Code)],
        }).WithName("getHealth").WithSummary("200 while the daemon serves; degraded names what is wrong.").WithTags("status");

    static StatusDocument Get(ApplianceOptions options, NodeDirectory nodes, ApplianceProblems problems, OperationRunner operations, LeaseUse leases, ApplianceStart start, TimeProvider time) => new()
    {
        Name = options.Name,
        Version = Version,
        Started = start.At,
        Now = time.GetUtcNow(),
        Nodes = Enum.GetValues<NodeState>().ToDictionary(state => state.ToString().ToLowerInvariant(), state => nodes.Current.Nodes.Count(node => node.State == state)),
        Networks = [.. Networks(options, leases.Current())],
        Problems = problems.All,
        OperationsRunning = operations.Count,
        EnrollPolicy = options.Enroll switch { EnrollPolicy.Auto => "auto", EnrollPolicy.Approve => "approve" },
    };

    static IEnumerable<NetworkDocument> Networks(ApplianceOptions options, IReadOnlyDictionary<string, int> leases) => options.Networks.Select(network => new NetworkDocument
    {
        Name = network.Name,
        Interface = network.Interface,
        Via = network.Via,
        Address = network.Address.ToString(),
        Dhcp = network.DhcpMode switch { DhcpMode.Server => "server", DhcpMode.Proxy => "proxy", DhcpMode.Off => "off" },
        Boot = network.Boot,
        LeasesActive = leases.GetValueOrDefault(network.Name),
        LeasesTotal = network is { DhcpMode: DhcpMode.Server, Range: { } range } ? range.Count : 0,
    });
}

/// <summary>Leases in use by network; none where DHCP is not served.</summary>
sealed record LeaseUse(DhcpServer? Server)
{
    public IReadOnlyDictionary<string, int> Current() => Server?.LeasesInUse() ?? new Dictionary<string, int>();
}

/// <summary>When this process began to serve.</summary>
sealed record ApplianceStart(DateTimeOffset At);
