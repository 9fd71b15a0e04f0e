using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Agent.Identity;
using GridAppliance.Api.Agents;

namespace GridAppliance.Agent.Calls;

/// <summary>The agent's side of <c>/agent/v1</c>: one method a call, each bounded in time and size. Trouble on the way is an <see cref="Answer"/>, not an exception.</summary>
sealed class ApplianceCalls(IPEndPoint appliance)
{
    const string Plane = "/agent/v1";
    const int MaximumAnswer = 1 << 20;

    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(15);
    static readonly TimeSpan DownloadStallTimeout = TimeSpan.FromSeconds(20);

    public Task<Answer> EnrollAsync(EnrollRequest request, CancellationToken cancellationToken) =>
        SendAsync("POST", $"{Plane}/enroll", Body(request, WrittenJson.Default.EnrollRequest), null, CallTimeout, cancellationToken);

    public Task<Answer> HeartbeatAsync(CallSigner signer, HeartbeatRequest request, CancellationToken cancellationToken) =>
        SendAsync("POST", $"{Plane}/heartbeat", Body(request, WrittenJson.Default.HeartbeatRequest), signer, CallTimeout, cancellationToken);

    /// <summary>Asks for an order and waits for one up to <paramref name="wait"/>.</summary>
    public Task<Answer> NextOrderAsync(CallSigner signer, TimeSpan wait, CancellationToken cancellationToken) =>
        SendAsync("GET", $"{Plane}/order?wait={(int)wait.TotalSeconds}", default, signer, wait + CallTimeout, cancellationToken);

    public Task<Answer> ReportAsync(CallSigner signer, string orderId, ReadOnlyMemory<byte> result, CancellationToken cancellationToken) =>
        SendAsync("POST", $"{Plane}/order/{Uri.EscapeDataString(orderId)}", result, signer, CallTimeout, cancellationToken);

    /// <summary>A token for the boot that an order asks for.</summary>
    public Task<Answer> BootTicketAsync(CallSigner signer, CancellationToken cancellationToken) => SendAsync("POST", $"{Plane}/boot", default, signer, CallTimeout, cancellationToken);

    public Task<Answer> SecretAsync(CallSigner signer, SecretRequest request, CancellationToken cancellationToken) =>
        SendAsync("POST", $"{Plane}/secret", Body(request, WrittenJson.Default.SecretRequest), signer, CallTimeout, cancellationToken);

    /// <summary>As <see cref="DownloadAsync"/>, a file that anybody may have.</summary>
    public Task<Answer> DownloadBootFileAsync(string key, string digest, long size, Stream destination, CancellationToken cancellationToken) =>
        DownloadAsync($"/boot/{key}", null, digest, size, destination, cancellationToken);

    /// <summary>As <see cref="DownloadAsync"/>, a root image.</summary>
    public Task<Answer> DownloadImageAsync(string digest, long size, Stream destination, CancellationToken cancellationToken) =>
        DownloadAsync($"/boot/image/{digest}", null, digest, size, destination, cancellationToken);

    /// <summary>A file of what the appliance has cloud-init told of this node.</summary>
    public Task<Answer> CloudFileAsync(string path, CancellationToken cancellationToken) => SendAsync("GET", path, default, null, CallTimeout, cancellationToken);

    /// <summary>
    /// Fetches what has this digest, into <paramref name="destination"/>, and says whether it is that: no octet beyond <paramref name="size"/> is taken, and a transfer that
    /// stands still ends.
    /// </summary>
    public Task<Answer> DownloadAsync(CallSigner signer, string digest, long size, Stream destination, CancellationToken cancellationToken) =>
        DownloadAsync($"{Plane}/module/{digest}", signer, digest, size, destination, cancellationToken);

    async Task<Answer> DownloadAsync(string path, CallSigner? signer, string digest, long size, Stream destination, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(CallTimeout);
        try
        {
            using var exchange = await StartAsync("GET", path, default, signer, out _, deadline.Token);
            if (exchange.Status != 200) return new Answer(exchange.Status, [], $"the appliance answered {exchange.Status}");
            return await CopyAsync(exchange, digest, size, destination, deadline);
        }
        catch (Exception e) when (IsTrouble(e, cancellationToken))
        {
            return new Answer(0, [], Describe(e));
        }
    }

    /// <summary>An answer did arrive, and is not what was ordered: 502, as a proxy would say of what is behind it. Asking again would bring the same.</summary>
    const int WrongContent = 502;

    /// <summary>It arrived, and could not be kept: asking again would end the same.</summary>
    const int NoRoom = 507;

    static async Task<Answer> CopyAsync(HttpExchange content, string digest, long size, Stream destination, CancellationTokenSource deadline)
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
            try { await destination.WriteAsync(buffer.AsMemory(0, read), deadline.Token); }
            catch (IOException e) { return new Answer(NoRoom, [], $"there is no room for it: {e.Message}"); }
        }
        // Less than ordered is a wrong answer if the appliance said where it ends; otherwise the connection may have broken off, which is no answer.
        if (received != size) return new Answer(content.EndsAsNamed ? WrongContent : 0, [], $"{received} of {size} bytes arrived");
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == digest
            ? new Answer(200, [])
            : new Answer(WrongContent, [], "what arrived does not have the digest that the order names");
    }

    async Task<Answer> SendAsync(string method, string path, ReadOnlyMemory<byte> body, CallSigner? signer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = await SendOnceAsync(method, path, body, signer, timeout, cancellationToken);
        // Two calls that left together may arrive in the other order, and the lower counter is then refused: once more, under a new one.
        return answer.IsUnknownKey && signer is not null ? await SendOnceAsync(method, path, body, signer, timeout, cancellationToken) : answer;
    }

    async Task<Answer> SendOnceAsync(string method, string path, ReadOnlyMemory<byte> body, CallSigner? signer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            using var exchange = await StartAsync(method, path, body, signer, out var counter, deadline.Token);
            var content = await exchange.ReadToEndAsync(MaximumAnswer, deadline.Token);
            return new Answer(exchange.Status, content, exchange.Status is >= 200 and < 300 ? null : ProblemIn(content, exchange.Status)) { Counter = counter, RetryAfter = exchange.RetryAfter };
        }
        catch (Exception e) when (IsTrouble(e, cancellationToken))
        {
            return new Answer(0, [], Describe(e));
        }
    }

    Task<HttpExchange> StartAsync(string method, string path, ReadOnlyMemory<byte> body, CallSigner? signer, out long counter, CancellationToken cancellationToken)
    {
        counter = 0;
        var type = body.IsEmpty ? "" : "Content-Type: application/json\r\n";
        var signature = signer is null ? "" : $"{AgentSignature.HeaderName}: {signer.Header(method, path, body.Span, out counter)}\r\n";
        return HttpExchange.StartAsync(appliance, method, path, type + signature, body, ConnectTimeout, cancellationToken);
    }

    static byte[] Body<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    static bool IsTrouble(Exception e, CancellationToken cancellationToken) =>
        e is SocketException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    static string Describe(Exception e) => e is OperationCanceledException ? "no answer in time" : e.Message;

    static string ProblemIn(byte[] content, int status)
    {
        try
        {
            var problem = JsonSerializer.Deserialize(content, ReadJson.Default.ProblemDocument);
            if (problem is not null) return problem.Detail ?? problem.Title;
        }
        catch (JsonException)
        {
            // Not every answer is one of ours; its status says enough.
        }
        return $"status {status}";
    }
}
