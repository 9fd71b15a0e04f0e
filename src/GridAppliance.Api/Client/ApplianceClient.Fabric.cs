using System.Net.Http.Json;
using GridAppliance.Api.Switches;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<FabricMapDocument> GetFabricMap(CancellationToken cancellation) => Get("api/v1/fabric/map", ApiJson.Default.FabricMapDocument, cancellation);

    /// <summary>The plan of who should be where.</summary>
    public Task<CablingDocument> GetCabling(CancellationToken cancellation) => Get("api/v1/fabric/cabling", ApiJson.Default.CablingDocument, cancellation);

    public Task<CablingDocument> SetCabling(CablingRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Put, "api/v1/fabric/cabling", JsonContent.Create(request, ApiJson.Default.CablingRequest), ApiJson.Default.CablingDocument, cancellation);

    /// <summary>Has every switch read, and frames sent between groups, and says what is not as it should be.</summary>
    /// <param name="probe">Whether frames are sent: that takes some seconds.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public Task<FabricVerdictDocument> VerifyFabric(bool probe, CancellationToken cancellation) => Send(HttpMethod.Post, probe ? "api/v1/fabric/verify?probe=true" : "api/v1/fabric/verify", null, ApiJson.Default.FabricVerdictDocument, cancellation);

    /// <summary>What keeps nodes from speaking in others' names, and what it has dropped.</summary>
    public Task<GuardDocument> GetGuard(CancellationToken cancellation) => Get("api/v1/fabric/guard", ApiJson.Default.GuardDocument, cancellation);

    public Task<DriftDocument> GetDrift(CancellationToken cancellation) => Get("api/v1/fabric/drift", ApiJson.Default.DriftDocument, cancellation);

    /// <summary>Makes switches as they were left.</summary>
    public Task<DriftAnswerDocument> AssertDrift(DriftRequest request, CancellationToken cancellation) => Decide("assert", request, cancellation);

    /// <summary>Takes what switches have for what is wanted.</summary>
    public Task<DriftAnswerDocument> AdoptDrift(DriftRequest request, CancellationToken cancellation) => Decide("adopt", request, cancellation);

    Task<DriftAnswerDocument> Decide(string how, DriftRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/fabric/drift/{how}", JsonContent.Create(request, ApiJson.Default.DriftRequest), ApiJson.Default.DriftAnswerDocument, cancellation);
}
