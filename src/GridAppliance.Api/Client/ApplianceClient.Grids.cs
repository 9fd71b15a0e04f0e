using System.Net.Http.Json;
using GridAppliance.Api.Grids;
using GridAppliance.Api.Modules;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<IReadOnlyList<GridDocument>> GetGrids(CancellationToken cancellation) => Get("api/v1/grids", ApiJson.Default.IReadOnlyListGridDocument, cancellation);

    public Task<GridDocument> GetGrid(string name, CancellationToken cancellation) => Get($"api/v1/grids/{Uri.EscapeDataString(name)}", ApiJson.Default.GridDocument, cancellation);

    public Task<ChangeDocument> CreateGrid(GridRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/grids", JsonContent.Create(request, ApiJson.Default.GridRequest), ApiJson.Default.ChangeDocument, cancellation);

    /// <param name="name">Which.</param>
    /// <param name="verb">add, drain, resume, remove or delete.</param>
    /// <param name="request">Which members, and how.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<ChangeDocument> ChangeGrid(string name, string verb, GridChangeRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/grids/{Uri.EscapeDataString(name)}/{Uri.EscapeDataString(verb)}", JsonContent.Create(request, ApiJson.Default.GridChangeRequest), ApiJson.Default.ChangeDocument, cancellation);

    public Task<GridPassDocument> PassForGrid(string name, GridPassRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/grids/{Uri.EscapeDataString(name)}/pass", JsonContent.Create(request, ApiJson.Default.GridPassRequest), ApiJson.Default.GridPassDocument, cancellation);

    public Task<GridWorkDocument> RequestOfGrid(string name, GridWorkRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/grids/{Uri.EscapeDataString(name)}/requests", JsonContent.Create(request, ApiJson.Default.GridWorkRequest), ApiJson.Default.GridWorkDocument, cancellation);
}
