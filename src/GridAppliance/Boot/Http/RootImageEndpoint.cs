using GridAppliance.Boot.Files;

namespace GridAppliance.Boot.Http;

/// <summary><c>GET /boot/image/{digest}</c>: a root image, streamed from the disk. Named by its digest, never by a path: a machine that was told of another one gets nothing.</summary>
sealed class RootImageEndpoint(BootCatalogState catalog, BootReporter reporter, TimeProvider clock) : IBootPlaneEndpoints
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/boot/image/{digest}", (RequestDelegate)SendAsync);

    async Task SendAsync(HttpContext context)
    {
        var arrived = clock.GetTimestamp();
        if (catalog.Current?.Root?.Find(context.Request.RouteValues["digest"] as string) is not { } image || !File.Exists(image.Path))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = image.Size;
        var who = reporter.Identify(context.BootNetwork, context.ClientAddress);
        reporter.RootStarted(who, image, clock.GetElapsedTime(arrived));
        try
        {
            await context.Response.SendFileAsync(image.Path, 0, image.Size, context.RequestAborted);
            reporter.RootFinished(who, image);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            reporter.Failed(who, $"{image.Name} root image: the client closed the connection", 0);
        }
    }
}
