using System.Net.Http.Json;
using GridAppliance.Api.San;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<IReadOnlyList<SanFabricDocument>> GetSanFabrics(CancellationToken cancellation) => Get("api/v1/san", ApiJson.Default.IReadOnlyListSanFabricDocument, cancellation);

    public Task<SanFabricDocument> AddSanFabric(SanFabricRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/san", JsonContent.Create(request, ApiJson.Default.SanFabricRequest), ApiJson.Default.SanFabricDocument, cancellation);

    public Task RemoveSanFabric(string name, CancellationToken cancellation) => SendForNothing(HttpMethod.Delete, $"api/v1/san/{Key(name)}", cancellation);

    public Task<IReadOnlyList<SanZoneDocument>> GetSanZones(string name, CancellationToken cancellation) => Get($"api/v1/san/{Key(name)}/zones", ApiJson.Default.IReadOnlyListSanZoneDocument, cancellation);

    /// <summary>Makes a zone so and puts it in force.</summary>
    public Task<SanChangeDocument> ConnectSan(string name, SanZoneRequest request, CancellationToken cancellation) => ChangeSan(name, "connect", request, cancellation);

    /// <summary>Takes a zone out of force.</summary>
    public Task<SanChangeDocument> DisconnectSan(string name, SanZoneRequest request, CancellationToken cancellation) => ChangeSan(name, "disconnect", request, cancellation);

    /// <summary>Gives a node a clone of a golden image to boot from.</summary>
    public Task<SanBootDocument> BootFromSan(string name, SanBootRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/san/{Key(name)}/boot", JsonContent.Create(request, ApiJson.Default.SanBootRequest), ApiJson.Default.SanBootDocument, cancellation);

    public Task<IReadOnlyList<SanBootDocument>> GetSanBoots(CancellationToken cancellation) => Get("api/v1/san/boots", ApiJson.Default.IReadOnlyListSanBootDocument, cancellation);

    /// <summary>Takes a node's LUN away.</summary>
    /// <param name="node">Whose.</param>
    /// <param name="keep">Keep the clone's file.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public Task UnbootFromSan(string node, bool keep, CancellationToken cancellation) => SendForNothing(HttpMethod.Delete, $"api/v1/san/boots/{Key(node)}?keep={(keep ? "true" : "false")}", cancellation);

    /// <summary>Lets somebody into a zone for a while.</summary>
    public Task<SanChangeDocument> OpenSan(string name, SanAccessRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/san/{Key(name)}/access", JsonContent.Create(request, ApiJson.Default.SanAccessRequest), ApiJson.Default.SanChangeDocument, cancellation);

    Task<SanChangeDocument> ChangeSan(string name, string how, SanZoneRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/san/{Key(name)}/{how}", JsonContent.Create(request, ApiJson.Default.SanZoneRequest), ApiJson.Default.SanChangeDocument, cancellation);
}
