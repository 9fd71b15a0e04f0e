using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Agent.Identity;
using GridAppliance.Api;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Calls;

/// <summary>The agent's side of <c>/agent/v1</c>: one method a call, each bounded in time and size. Trouble on the way is an <see cref="Answer"/>, not an exception.</summary>
sealed class ApplianceCalls : IDisposable
{
    const string Plane = "/agent/v1";
    const int MaximumAnswer = 1 << 20;

    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(15);
    static readonly TimeSpan DownloadStallTimeout = TimeSpan.FromSeconds(20);

    readonly HttpClient http;
    readonly Uri appliance;

    public ApplianceCalls(Uri appliance)
    {
        this.appliance = appliance;
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        }) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaximumAnswer };
    }

    public Task<Answer> EnrollAsync(EnrollRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{Plane}/enroll", Body(request, ApiJson.Default.EnrollRequest), null, CallTimeout, cancellationToken);

    public Task<Answer> HeartbeatAsync(CallSigner signer, HeartbeatRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{Plane}/heartbeat", Body(request, ApiJson.Default.HeartbeatRequest), signer, CallTimeout, cancellationToken);

    /// <summary>Asks for an order and waits for one up to <paramref name="wait"/>.</summary>
    public Task<Answer> NextOrderAsync(CallSigner signer, TimeSpan wait, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, $"{Plane}/order?wait={(int)wait.TotalSeconds}", default, signer, wait + CallTimeout, cancellationToken);

    public Task<Answer> ReportAsync(CallSigner signer, string orderId, ReadOnlyMemory<byte> result, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{Plane}/order/{Uri.EscapeDataString(orderId)}", result, signer, CallTimeout, cancellationToken);

    /// <summary>
    /// Fetches what has this digest, into <paramref name="destination"/>, and says whether it is that: no octet beyond <paramref name="size"/> is taken, and a transfer that
    /// stands still ends.
    /// </summary>
    public async Task<Answer> DownloadAsync(CallSigner signer, string digest, long size, Stream destination, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(CallTimeout);
        try
        {
            using var request = Request(HttpMethod.Get, $"{Plane}/module/{digest}", default, signer);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (response.StatusCode != HttpStatusCode.OK) return new Answer((int)response.StatusCode, [], $"the appliance answered {(int)response.StatusCode}");
            await using var content = await response.Content.ReadAsStreamAsync(deadline.Token);
            return await CopyAsync(content, digest, size, destination, deadline);
        }
        catch (Exception e) when (IsTrouble(e, cancellationToken))
        {
            return new Answer(0, [], Describe(e));
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>An answer did arrive, and is not what was ordered: 502, as a proxy would say of what is behind it. Asking again would bring the same.</summary>
    const int WrongContent = 502;

    static async Task<Answer> CopyAsync(Stream content, string digest, long size, Stream destination, CancellationTokenSource deadline)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        long received = 0;
        while (true)
        {
            deadline.CancelAfter(DownloadStallTimeout);
            var read = await content.ReadAsync(buffer, deadline.Token);
            if (read == 0) break;
            received += read;
            if (received > size) return new Answer(WrongContent, [], $"the appliance sends more than the {size} bytes that the order names");
            hash.AppendData(buffer, 0, read);
            await destination.WriteAsync(buffer.AsMemory(0, read), deadline.Token);
        }
        // A connection that broke off has thrown by now: this is all there was.
        if (received != size) return new Answer(WrongContent, [], $"{received} of {size} bytes arrived");
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == digest
            ? new Answer(200, [])
            : new Answer(WrongContent, [], "what arrived does not have the digest that the order names");
    }

    async Task<Answer> SendAsync(HttpMethod method, string path, ReadOnlyMemory<byte> body, CallSigner? signer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = await SendOnceAsync(method, path, body, signer, timeout, cancellationToken);
        // Two calls that left together may arrive in the other order, and the lower counter is then refused: once more, under a new one.
        return answer.IsUnknownKey && signer is not null ? await SendOnceAsync(method, path, body, signer, timeout, cancellationToken) : answer;
    }

    async Task<Answer> SendOnceAsync(HttpMethod method, string path, ReadOnlyMemory<byte> body, CallSigner? signer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var request = Request(method, path, body, signer);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, deadline.Token);
            var content = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return new Answer((int)response.StatusCode, content, response.IsSuccessStatusCode ? null : ProblemIn(content, (int)response.StatusCode));
        }
        catch (Exception e) when (IsTrouble(e, cancellationToken))
        {
            return new Answer(0, [], Describe(e));
        }
    }

    HttpRequestMessage Request(HttpMethod method, string path, ReadOnlyMemory<byte> body, CallSigner? signer)
    {
        var request = new HttpRequestMessage(method, new Uri(appliance, path));
        if (!body.IsEmpty)
        {
            request.Content = new ReadOnlyMemoryContent(body);
            request.Content.Headers.ContentType = new("application/json");
        }
        if (signer is not null) request.Headers.TryAddWithoutValidation(AgentSignature.HeaderName, signer.Header(method.Method, path, body.Span));
        return request;
    }

    static byte[] Body<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    static bool IsTrouble(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    static string Describe(Exception e) => e is OperationCanceledException ? "no answer in time" : (e.InnerException ?? e).Message;

    static string ProblemIn(byte[] content, int status)
    {
        try
        {
            var problem = JsonSerializer.Deserialize(content, ApiJson.Default.ProblemDocument);
            if (problem is not null) return problem.Detail ?? problem.Title;
        }
        catch (JsonException)
        {
            // Not every answer is one of ours; its status says enough.
        }
        return $"status {status}";
    }
}
