using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GridAppliance.Hosting;
using GridAppliance.Power.Ipmi;

namespace GridAppliance.Power.Redfish;

/// <summary>
/// The one conversation with a Redfish service (DMTF DSP0266): one request at a time, in a session that is kept, to a device that is known by its certificate. A refused account is remembered and
/// not tried again; a device that does not answer is left alone for a while.
/// </summary>
sealed partial class RedfishSession : IAsyncDisposable
{
    /// <summary>Sensor pages of large machines are some hundred kilobytes.</summary>
    const int MostOctets = 4 << 20;
    const int MostDepth = 32;

    static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);
    /// <summary>Some BMCs take ten seconds for a page of sensors.</summary>
    static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(20);

    readonly string device;
    readonly PortCredentials account;
    readonly string? pinned;
    readonly HttpClient http;
    /// <summary>For the stream of events alone, which would hold the one connection for ever.</summary>
    readonly HttpClient events;
    readonly SemaphoreSlim turn = new(1, 1);
    /// <summary>Ends what is under way when the port is closed: a device that dawdles must not hold up its own removal.</summary>
    readonly CancellationTokenSource closing = new();
    readonly CircuitBreaker breaker;
    readonly TimeProvider clock;
    string? token;
    RedfishPath? session;
    bool usesBasic;
    string? refused;
    volatile string? shown;
    volatile string? stranger;
    volatile bool closed;

    /// <param name="address">Its scheme is ignored, host and port are not.</param>
    /// <param name="account">Who signs in.</param>
    /// <param name="fingerprint">SHA-256 of the certificate that it must show; null: whichever it shows first.</param>
    /// <param name="clock">For waits.</param>
    public RedfishSession(Uri address, PortCredentials account, string? fingerprint, TimeProvider clock)
    {
        device = address.OriginalString;
        this.account = account;
        pinned = fingerprint;
        this.clock = clock;
        breaker = new(3, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(2), clock);
        http = Connect(address);
        events = Connect(address);
    }

    /// <summary>A way to the device of one connection.</summary>
    HttpClient Connect(Uri address)
    {
        var handler = new SocketsHttpHandler
        {
            // A redirection would carry the session to wherever the device says.
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, MaxConnectionsPerServer = 1, ConnectTimeout = ConnectPatience, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && Knows(SHA256.HashData(certificate.GetRawCertData())) },
        };
        return new(handler, disposeHandler: true)
        {
            BaseAddress = new UriBuilder(Uri.UriSchemeHttps, address.Host, address.Port < 0 ? 443 : address.Port).Uri, Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MostOctets,
        };
    }

    public string? Fingerprint => pinned ?? shown;

    public TimeProvider Clock => clock;

    public async Task<RedfishResource> GetAsync(RedfishPath path, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, path, null, null, cancellationToken);
        if (answer.Json is not { ValueKind: JsonValueKind.Object } json) throw Fault(DeviceFault.Nonsense, $"answered {path} with something that is no Redfish resource", isTransient: true);
        return new(path, json, RedfishResource.TextOf(json, "@odata.etag") ?? answer.ETag);
    }

    /// <summary>Reads a resource, or null where there is none.</summary>
    public async Task<RedfishResource?> TryGetAsync(RedfishPath? path, CancellationToken cancellationToken)
    {
        if (path is not { } there) return null;
        try
        {
            return await GetAsync(there, cancellationToken);
        }
        catch (DeviceException e) when (e.Fault == DeviceFault.Unsupported)
        {
            return null;
        }
    }

    public Task PostAsync(RedfishPath path, JsonObject body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body, null, cancellationToken);

    /// <summary>Changes a resource as it was read: when somebody has changed it since, the device says so.</summary>
    public Task PatchAsync(RedfishResource resource, JsonObject body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Patch, resource.Path, body, resource.ETag, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        closed = true;
        await closing.CancelAsync();
        await turn.WaitAsync();
        if (token is not null && session is { } open)
        {
            try
            {
                using var patience = new CancellationTokenSource(ConnectPatience, clock);
                using var answer = await http.SendAsync(Request(HttpMethod.Delete, open, null, null), patience.Token);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // The device forgets the session by itself.
            }
        }
        http.Dispose();
        events.Dispose();
        closing.Dispose();
        turn.Release();
    }

    public DeviceException Fault(DeviceFault fault, string message, bool isTransient = false, Exception? inner = null) => new(fault, device, message, isTransient, inner);

    readonly record struct Answer(JsonElement? Json, string? ETag);

    async Task<Answer> SendAsync(HttpMethod method, RedfishPath path, JsonObject? body, string? etag, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        await turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(closed, this);
            if (refused is { } reason) throw Fault(DeviceFault.CredentialsRefused, reason);
            if (breaker.IsOpen) throw Fault(DeviceFault.Unreachable, $"does not answer; left alone until {breaker.Until:HH:mm:ss}", isTransient: true);
            var answer = await TurnAsync(method, path, body, etag, cancellationToken);
            breaker.Succeeded();
            return answer;
        }
        catch (DeviceException e) when (e.Fault is DeviceFault.Unreachable or DeviceFault.TimedOut && !breaker.IsOpen)
        {
            breaker.Failed(Random.Shared.NextDouble());
            throw;
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<Answer> TurnAsync(HttpMethod method, RedfishPath path, JsonObject? body, string? etag, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (token is null && !usesBasic) await SignInAsync(cancellationToken);
            using var response = await ExchangeAsync(() => Request(method, path, body, etag), cancellationToken);
            // A session ends by age or by the device's restart; then nothing was done, and once more is safe.
            if (response.StatusCode == HttpStatusCode.Unauthorized && attempt == 0 && !usesBasic)
            {
                token = null;
                continue;
            }
            if (response.StatusCode == HttpStatusCode.Unauthorized) throw Refuse();
            var json = await ReadAsync(response, cancellationToken);
            return response.IsSuccessStatusCode ? new(json, response.Headers.ETag?.ToString()) : throw Refusal(path, response.StatusCode, json);
        }
    }

    async Task SignInAsync(CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["UserName"] = account.User, ["Password"] = Encoding.UTF8.GetString(account.Password.Span) };
        using var response = await ExchangeAsync(() => Request(HttpMethod.Post, RedfishPath.Sessions, body, null), cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) throw Refuse();
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
        {
            // Optional in old services: then each request signs in for itself.
            usesBasic = true;
            return;
        }
        if (!response.IsSuccessStatusCode) throw Refusal(RedfishPath.Sessions, response.StatusCode, await ReadAsync(response, cancellationToken));
        if (!response.Headers.TryGetValues("X-Auth-Token", out var tokens))
        {
            usesBasic = true;
            return;
        }
        token = tokens.First();
        // Left out by some devices; then the session is found in the answer, or ends by age.
        var location = response.Headers.Location is { } at ? (at.IsAbsoluteUri ? at.AbsolutePath : at.OriginalString) : null;
        if (location is null && await ReadAsync(response, cancellationToken) is { } opened) location = RedfishResource.TextOf(opened, "@odata.id");
        session = RedfishPath.TryRead(location, out var path) ? path : null;
    }

    Task<HttpResponseMessage> ExchangeAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken) => ExchangeAsync(request, http, HttpCompletionOption.ResponseContentRead, cancellationToken);

    async Task<HttpResponseMessage> ExchangeAsync(Func<HttpRequestMessage> request, HttpClient client, HttpCompletionOption until, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(AnswerPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token, closing.Token);
        try
        {
            return await client.SendAsync(request(), until, either.Token);
        }
        catch (HttpRequestException e) when (stranger is { } other)
        {
            stranger = null;
            throw Fault(DeviceFault.Insecure, $"shows another certificate (SHA-256 {other}) than the one that is pinned ({pinned ?? shown}): nothing was sent to it. If the change is wanted, set the port again with --new-certificate", inner: e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw Fault(DeviceFault.Insecure, $"has no TLS that is safe to use: {e.InnerException.Message}", inner: e);
        }
        catch (HttpRequestException e)
        {
            throw Fault(e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded ? DeviceFault.Nonsense : DeviceFault.Unreachable, $"cannot be talked to: {e.Message}", isTransient: true, e);
        }
        catch (OperationCanceledException) when (closed && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(device);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Fault(DeviceFault.TimedOut, $"did not answer within {AnswerPatience.TotalSeconds:0} s", isTransient: true, e);
        }
    }

    HttpRequestMessage Request(HttpMethod method, RedfishPath path, JsonObject? body, string? etag, string accept = "application/json")
    {
        var request = new HttpRequestMessage(method, path.ToString());
        request.Headers.Accept.Add(new(accept));
        request.Headers.TryAddWithoutValidation("OData-Version", "4.0");
        if (token is not null) request.Headers.TryAddWithoutValidation("X-Auth-Token", token);
        else if (usesBasic) request.Headers.Authorization = new("Basic", Convert.ToBase64String([.. Encoding.UTF8.GetBytes(account.User + ":"), .. account.Password.Span]));
        if (etag is not null) request.Headers.TryAddWithoutValidation("If-Match", etag);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        return request;
    }

    static async Task<JsonElement?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var octets = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return octets.Length == 0 ? null : Parse(octets);
    }

    static JsonElement? Parse(byte[] octets)
    {
        try
        {
            using var document = JsonDocument.Parse(octets, new JsonDocumentOptions { MaxDepth = MostDepth, AllowTrailingCommas = true });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    DeviceException Refuse()
    {
        refused = $"refuses account {account.User} or its password";
        token = null;
        return Fault(DeviceFault.CredentialsRefused, refused);
    }

    DeviceException Refusal(RedfishPath path, HttpStatusCode status, JsonElement? json)
    {
        var (fault, isTransient) = status switch
        {
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.Gone => (DeviceFault.Unsupported, false),
            HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.PreconditionFailed or HttpStatusCode.Locked => (DeviceFault.Busy, true),
            _ => (DeviceFault.Refused, (int)status >= 500),
        };
        return Fault(fault, $"{(fault == DeviceFault.Unsupported ? "has no" : "refused")} {path} ({(int)status}){(json is { } body && RedfishErrors.Words(body) is { } words ? $": {words}" : "")}", isTransient);
    }

    bool Knows(byte[] hash)
    {
        var fingerprint = Convert.ToHexStringLower(hash);
        if ((pinned ?? shown) is { } known && known != fingerprint)
        {
            stranger = fingerprint;
            return false;
        }
        shown = fingerprint;
        return true;
    }
}

/// <summary>What a Redfish service says about an error (DSP0266, section 8.6).</summary>
static class RedfishErrors
{
    const int Longest = 300;

    /// <summary>The messages, for people; null when there are none.</summary>
    public static string? Words(JsonElement body)
    {
        if (RedfishResource.ObjectOf(body, "error") is not { } error) return null;
        // One message is an object in some services and an array in the others.
        var single = RedfishResource.ObjectOf(error, "@Message.ExtendedInfo");
        var messages = (single is { } only ? [only] : RedfishResource.ItemsOf(error, "@Message.ExtendedInfo")).Select(info => RedfishResource.TextOf(info, "Message")).OfType<string>().ToList();
        var text = messages.Count > 0 ? string.Join(' ', messages) : RedfishResource.TextOf(error, "message");
        return text is null || text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
