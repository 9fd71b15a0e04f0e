using System.Net.Http.Json;
using GridAppliance.Api.Establish;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<EstablishDocument> PlanEstablish(EstablishRequest request, CancellationToken cancellation) => Establish("plan", request, cancellation);

    public Task<EstablishDocument> ApplyEstablish(EstablishRequest request, CancellationToken cancellation) => Establish("apply", request, cancellation);

    Task<EstablishDocument> Establish(string what, EstablishRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/establish/{what}", JsonContent.Create(request, ApiJson.Default.EstablishRequest), ApiJson.Default.EstablishDocument, cancellation);
}
