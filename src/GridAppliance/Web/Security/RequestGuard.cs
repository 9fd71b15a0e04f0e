using System.Net;
using GridAppliance.Api.Client;
using Microsoft.Net.Http.Headers;

namespace GridAppliance.Web.Security;

/// <summary>
/// Decides who may ask for what, before anything is routed.
/// <list type="bullet">
/// <item>From the network: a bearer token for all but the page's own files and <c>/healthz</c>, which hold nothing.</item>
/// <item>From loopback: the Host header must be a loopback name, or a name in the attacker's own DNS could be pointed here (rebinding).</item>
/// <item>From a browser: no foreign Origin (a WebSocket always carries one), and a change carries either JSON or our own header, neither of which a foreign page can send unasked.</item>
/// </list>
/// </summary>
sealed class RequestGuard(AccessToken? token)
{
    static readonly string[] OpenPaths = ["/", "/healthz"];

    public static Verdict Allowed { get; } = new(StatusCodes.Status200OK, "", "");

    public async Task Check(HttpContext context, RequestDelegate next)
    {
        var caller = Caller.Of(context);
        var verdict = Judge(caller, context.Request, token);
        if (verdict == Allowed)
        {
            await next(context);
            return;
        }
        if (verdict.Status == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
        await Problems.Answer(verdict.Status, verdict.Detail, verdict.NextStep).ExecuteAsync(context);
    }

    internal static Verdict Judge(Caller caller, HttpRequest request, AccessToken? token)
    {
        if (caller.Trust == CallerTrust.Loopback && !IsLoopbackName(request.Host.Host))
            return new(StatusCodes.Status421MisdirectedRequest, $"this address answers to localhost only, not to '{request.Host.Host}'", "open it as http://127.0.0.1 or http://localhost");
        if (caller.Trust == CallerTrust.Network && !IsOpen(request.Path) && token?.Accepts(Authorization(request)) != true)
            return new(StatusCodes.Status401Unauthorized, "a token is needed here", "send the content of management.token in the appliance's data directory as bearer token (gridctl: --token-file)");
        if (caller.Trust == CallerTrust.Kernel) return Allowed;

        if (IsForeign(request))
            return new(StatusCodes.Status403Forbidden, "a page from elsewhere may not ask this", "use the appliance's own page, gridctl, or a program that is no browser");
        // A WebSocket over HTTP/2 is a CONNECT; like one over HTTP/1.1 it changes nothing by being opened, and its Origin has been looked at.
        var changes = !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsConnect(request.Method);
        if (changes && !request.Headers.ContainsKey(ApplianceClient.ChangeHeader) && !HasJson(request))
            return new(StatusCodes.Status415UnsupportedMediaType, "a change is sent as application/json", $"set Content-Type: application/json, or the header {ApplianceClient.ChangeHeader}: 1");
        return Allowed;
    }

    static bool IsOpen(PathString path) => OpenPaths.Contains(path.Value) || path.StartsWithSegments(StatusPageEndpoints.Folder) || path.StartsWithSegments(StatusPageEndpoints.ConsoleFolder);

    /// <summary>A browser's WebSocket cannot carry the header: there the token comes as a second subprotocol, which is never an address and so in no log or history.</summary>
    static string? Authorization(HttpRequest request)
    {
        const string offered = "grid.token.";
        if (request.Headers.Authorization is { Count: > 0 } header) return header;
        if (!request.HttpContext.WebSockets.IsWebSocketRequest) return null;
        var token = request.HttpContext.WebSockets.WebSocketRequestedProtocols.FirstOrDefault(protocol => protocol.StartsWith(offered, StringComparison.Ordinal));
        return token is null ? null : "Bearer " + token[offered.Length..];
    }

    static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address);

    // An Origin is scheme://host[:port]; ours is whatever the request itself was addressed to. A navigation to the page may come from anywhere.
    static bool IsForeign(HttpRequest request)
    {
        if (request.Headers.Origin is { Count: > 0 } origin)
            return !string.Equals(origin.ToString(), $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
        return request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "same-origin" && site != "none" && !IsOpen(request.Path);
    }

    static bool HasJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);

    internal sealed record Verdict(int Status, string Detail, string NextStep);
}
