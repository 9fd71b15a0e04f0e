using System.Net.Http.Json;
using GridAppliance.Api.Disks;
using GridAppliance.Api.Modules;

namespace GridAppliance.Api.Client;

public sealed partial class ApplianceClient
{
    public Task<ChangeDocument> InstallNodes(NodeInstallRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/nodes/install", JsonContent.Create(request, ApiJson.Default.NodeInstallRequest), ApiJson.Default.ChangeDocument, cancellation);

    public Task<ChangeDocument> ReleaseNodes(NodeReleaseRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/nodes/release", JsonContent.Create(request, ApiJson.Default.NodeReleaseRequest), ApiJson.Default.ChangeDocument, cancellation);
}
