using System.IO.Pipelines;
using System.Net.Sockets;
using GridAppliance.Boot.Files;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Net.Http.Headers;

namespace GridAppliance.Boot.Http;

/// <summary>
/// <c>GET|HEAD /boot/{key}</c>: a file of the catalogue, by its key, from memory. <c>a=</c> names the boot attempt that it belongs to, for the timeline.
/// </summary>
sealed class BootFileEndpoints(BootCatalogState catalog, BootAttempts attempts, BootReporter reporter, TimeProvider clock) : IBootPlaneEndpoints
{
    /// <summary>Handed to the connection at a time, so that a client that is gone is noticed.</summary>
    const int Chunk = 256 << 10;

    public void Map(IEndpointRouteBuilder routes) => routes.MapMethods("/boot/{key}", [HttpMethods.Get, HttpMethods.Head], SendAsync);

    async Task SendAsync(HttpContext context)
    {
        var arrived = clock.GetTimestamp();
        var response = context.Response;
        if (catalog.Current?.Find((context.Request.RouteValues["key"] as string).AsSpan()) is not { } file)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var etag = $"\"{file.Digest}\"";
        response.Headers.ETag = etag;
        response.Headers.AcceptRanges = "bytes";
        if (context.Request.Headers.IfNoneMatch.ToString() is { Length: > 0 } known && (known == "*" || known.Contains(etag, StringComparison.Ordinal)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var range = Requested(context.Request, etag, file.Content.Length);
        switch (range.Kind)
        {
            case RangeKind.Unsatisfiable:
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                response.Headers.ContentRange = $"bytes */{file.Content.Length}";
                return;
            case RangeKind.Part:
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = $"bytes {range.Offset}-{range.Offset + range.Length - 1}/{file.Content.Length}";
                break;
            case RangeKind.Whole:
                break;
        }
        response.ContentType = "application/octet-stream";
        response.ContentLength = range.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await SendBodyAsync(context, file, range, arrived);
    }

    async Task SendBodyAsync(HttpContext context, BootFile file, ByteRange range, long arrived)
    {
        var who = Requester(context);
        var body = context.Response.BodyWriter;
        var rest = file.Content.AsMemory((int)range.Offset, (int)range.Length);
        var started = false;
        do
        {
            var chunk = rest[..Math.Min(Chunk, rest.Length)];
            rest = rest[chunk.Length..];
            var flushing = body.WriteAsync(chunk, context.RequestAborted);
            if (!started)
            {
                // The octets are with the connection: what follows is the client's and the network's time.
                started = true;
                reporter.Started(who, file, clock.GetElapsedTime(arrived));
            }
            if (await FlushedAsync(flushing) && !context.RequestAborted.IsCancellationRequested) continue;
            reporter.Failed(who, $"{file.Key}: the client closed the connection", range.Length - rest.Length);
            return;
        }
        while (!rest.IsEmpty);
        if (HungUp(context)) reporter.Failed(who, $"{file.Key}: the client closed the connection", range.Length);
        else reporter.Finished(who, file, range.Length);
    }

    static async ValueTask<bool> FlushedAsync(ValueTask<FlushResult> flushing)
    {
        try
        {
            return !(await flushing).IsCanceled;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Kestrel swallows what is written after a reset and says so only later, from another thread; the socket knows at once.</summary>
    static bool HungUp(HttpContext context)
    {
        try
        {
            return context.RequestAborted.IsCancellationRequested || (context.Features.Get<IConnectionSocketFeature>()?.Socket.Poll(0, SelectMode.SelectError) ?? false);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return true;
        }
    }

    BootRequester Requester(HttpContext context)
    {
        var network = context.BootNetwork;
        return context.Request.Query["a"].ToString() is { Length: > 0 and <= 32 } id && attempts.Find(id) is { } attempt && attempt.Network == network.Name
            ? new(network, context.ClientAddress, attempt.Mac)
            : reporter.Identify(network, context.ClientAddress);
    }

    static ByteRange Requested(HttpRequest request, string etag, long size)
    {
        // A part of what the file was before says nothing about what it is now (RFC 9110 section 13.1.5).
        var ifRange = request.Headers[HeaderNames.IfRange].ToString();
        return HttpMethods.IsHead(request.Method) || (ifRange.Length > 0 && ifRange != etag) ? new(RangeKind.Whole, 0, size) : ByteRange.Parse(request.Headers.Range, size);
    }
}
