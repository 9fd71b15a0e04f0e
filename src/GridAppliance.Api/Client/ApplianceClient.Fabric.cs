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
}
