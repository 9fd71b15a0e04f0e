using System.Net.Http.Json;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Resources;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    /// <param name="range">A noderange, or null for every node.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<IReadOnlyList<NodeResourcesDocument>> GetResources(string? range, CancellationToken cancellation) =>
        Get(range is null ? "api/v1/resources" : $"api/v1/resources?range={Uri.EscapeDataString(range)}", ApiJson.Default.IReadOnlyListNodeResourcesDocument, cancellation);

    public Task<ChangeDocument> ReserveResources(HoldRequest request, CancellationToken cancellation) => Hold("reserve", request, cancellation);

    public Task<ChangeDocument> AllocateResources(HoldRequest request, CancellationToken cancellation) => Hold("allocate", request, cancellation);

    public Task<ChangeDocument> FreeResources(FreeRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/resources/free", JsonContent.Create(request, ApiJson.Default.FreeRequest), ApiJson.Default.ChangeDocument, cancellation);

    public Task<IReadOnlyList<IdlePolicyDocument>> GetIdlePolicies(CancellationToken cancellation) => Get("api/v1/resources/idle", ApiJson.Default.IReadOnlyListIdlePolicyDocument, cancellation);

    public Task<IReadOnlyList<IdlePolicyDocument>> SetIdlePolicy(IdlePolicyDocument policy, CancellationToken cancellation) =>
        Send(HttpMethod.Put, "api/v1/resources/idle", JsonContent.Create(policy, ApiJson.Default.IdlePolicyDocument), ApiJson.Default.IReadOnlyListIdlePolicyDocument, cancellation);

    public Task<ChangeDocument> SetMaster(MasterRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/nodes/master", JsonContent.Create(request, ApiJson.Default.MasterRequest), ApiJson.Default.ChangeDocument, cancellation);

    public Task<ChangeDocument> BootImage(ImageRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/nodes/image", JsonContent.Create(request, ApiJson.Default.ImageRequest), ApiJson.Default.ChangeDocument, cancellation);

    public Task<ChangeDocument> UpdateAgents(AgentUpdateRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/agents/update", JsonContent.Create(request, ApiJson.Default.AgentUpdateRequest), ApiJson.Default.ChangeDocument, cancellation);

    Task<ChangeDocument> Hold(string how, HoldRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/resources/{how}", JsonContent.Create(request, ApiJson.Default.HoldRequest), ApiJson.Default.ChangeDocument, cancellation);
}
