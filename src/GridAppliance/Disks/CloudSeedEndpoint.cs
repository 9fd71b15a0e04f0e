using GridAppliance.Boot;
using GridAppliance.Boot.Http;
using GridAppliance.Nodes;

namespace GridAppliance.Disks;

/// <summary>
/// <c>GET /cloud/{token}/{document}</c>: what a node's own cloud-init is told. The word in the address is the installation's; an address that we gave to another machine gets nothing even with it.
/// </summary>
sealed class CloudSeedEndpoint(NodeDirectory nodes, BootReporter clients) : IBootPlaneEndpoints
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/cloud/{token}/{document}", (RequestDelegate)SendAsync);

    async Task SendAsync(HttpContext context)
    {
        var (token, document) = (context.Request.RouteValues["token"] as string, context.Request.RouteValues["document"] as string);
        var who = clients.Identify(context.BootNetwork, context.ClientAddress);
        if (nodes.Current.Nodes.FirstOrDefault(node => node.Disk is { } disk && disk.Token == token) is not { Disk: { } written } node || who.Mac is { } mac && !node.Macs.Contains(mac)
            || CloudSeed.Document(document ?? "", node, written) is not { } content)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = content.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }
}
