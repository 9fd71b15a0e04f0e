using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using GridAppliance.Agent.Calls;
using GridAppliance.Api;
using GridAppliance.Api.Agents;

namespace GridAppliance.Benchmarks.Agents;

/// <summary>What one agent does on the wire, as the real one does it: signed calls, a connection each, heartbeats and a long poll side by side, the same back-off. It says yes to every order.</summary>
/// <param name="open">A socket from the machine's own address.</param>
sealed class SimulatedAgent(Guid nodeId, ECDsa key, IPEndPoint appliance, AgentCounts counts, Func<Task<Socket>> open)
{
    static readonly TimeSpan OrderWait = TimeSpan.FromSeconds(25), CallTimeout = TimeSpan.FromSeconds(15), ConnectTimeout = TimeSpan.FromSeconds(5);

    readonly string id = nodeId.ToString();
    long counter;
    int seconds = 30;

    public long LastHeard;

    /// <summary>One of many on the loopback. Each has an address of its own: the appliance bounds what one may ask.</summary>
    public static Func<Task<Socket>> Loopback(int number)
    {
        var address = new IPEndPoint(new IPAddress([127, (byte)(1 + (number >> 16)), (byte)(number >> 8), (byte)number]), 0);
        return () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(address);
            return Task.FromResult(socket);
        };
    }

    /// <summary>Enrols with a token, and tries until that is done.</summary>
    public static async Task<SimulatedAgent> EnrolAsync(string token, ECDsa key, IPEndPoint appliance, AgentCounts counts, Func<Task<Socket>> open, CancellationToken cancellationToken)
    {
        var nobody = new SimulatedAgent(Guid.Empty, key, appliance, counts, open);
        var backoff = new Backoff(Random.Shared);
        var body = JsonSerializer.SerializeToUtf8Bytes(new()
        {
            Token = token, PublicKey = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), Proof = Convert.ToBase64String(key.SignData(AgentSignature.ProofText(token), HashAlgorithmName.SHA256)),
            AgentVersion = "0.1.0", Inventory = new() { Cpus = 64, MemoryMiB = 262_144 },
        }, ApiJson.Default.EnrollRequest);
        while (true)
        {
            var (status, answer, retryAfter) = await nobody.CallAsync("POST", "/agent/v1/enroll", body, CallTimeout, cancellationToken);
            if (status == 200) return new(Guid.Parse(JsonSerializer.Deserialize(answer, ApiJson.Default.EnrollResponse)!.NodeId), key, appliance, counts, open);
            Interlocked.Increment(ref counts.Failures);
            await Task.Delay(backoff.Next(retryAfter), cancellationToken);
        }
    }

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(BeatAsync(cancellationToken), ObeyAsync(cancellationToken));

    async Task BeatAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(Random.Shared);
        var body = JsonSerializer.SerializeToUtf8Bytes(new() { AgentVersion = "0.1.0", UptimeSeconds = 1000 }, ApiJson.Default.HeartbeatRequest);
        while (true)
        {
            var (status, answer, retryAfter) = await CallAsync("POST", "/agent/v1/heartbeat", body, CallTimeout, cancellationToken);
            if (status == 200)
            {
                Volatile.Write(ref LastHeard, Stopwatch.GetTimestamp());
                Interlocked.Increment(ref counts.Heartbeats);
                backoff.Reset();
                seconds = JsonSerializer.Deserialize(answer, ApiJson.Default.HeartbeatResponse)!.HeartbeatSeconds;
                await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
                continue;
            }
            Interlocked.Increment(ref counts.Failures);
            await Task.Delay(backoff.Next(retryAfter), cancellationToken);
        }
    }

    async Task ObeyAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(Random.Shared);
        while (true)
        {
            var (status, answer, retryAfter) = await CallAsync("GET", $"/agent/v1/order?wait={(int)OrderWait.TotalSeconds}", default, OrderWait + CallTimeout, cancellationToken);
            if (status == 200)
            {
                backoff.Reset();
                var order = JsonSerializer.Deserialize(Convert.FromBase64String(JsonSerializer.Deserialize(answer, ApiJson.Default.OrderEnvelope)!.Order), ApiJson.Default.OrderDocument)!;
                counts.Ordered(order);
                var result = JsonSerializer.SerializeToUtf8Bytes(new() { Succeeded = true, Message = "done" }, ApiJson.Default.OrderResult);
                await CallAsync("POST", $"/agent/v1/order/{order.Id}", result, CallTimeout, cancellationToken);
                continue;
            }
            if (status == 204) { backoff.Reset(); continue; }
            await Task.Delay(backoff.Next(retryAfter), cancellationToken);
        }
    }

    /// <summary>As <see cref="HttpExchange"/>, from an address of its own; status 0 when nobody answered.</summary>
    async Task<(int Status, byte[] Body, TimeSpan? RetryAfter)> CallAsync(string method, string path, ReadOnlyMemory<byte> body, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        using var socket = await open();
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(16384);
        try
        {
            using (var connecting = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token))
            {
                connecting.CancelAfter(ConnectTimeout);
                await socket.ConnectAsync(appliance, connecting.Token);
            }
            var head = Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.0\r\nHost: {appliance}\r\n{(body.IsEmpty ? "" : "Content-Type: application/json\r\n")}{AgentSignature.HeaderName}: {Sign(method, path, body.Span)}\r\n{(method == "GET" ? "" : $"Content-Length: {body.Length}\r\n")}\r\n");
            await socket.SendAsync((byte[])[.. head, .. body.Span], deadline.Token);
            var length = 0;
            int read;
            while (length < buffer.Length && (read = await socket.ReceiveAsync(buffer.AsMemory(length), deadline.Token)) > 0) length += read;
            var at = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (at < 0) return (0, [], null);
            var lines = Encoding.ASCII.GetString(buffer, 0, at).Split("\r\n");
            var retry = lines.FirstOrDefault(line => line.StartsWith("Retry-After:", StringComparison.OrdinalIgnoreCase));
            return (int.Parse(lines[0].Split(' ')[1]), buffer[(at + 4)..length], retry is null ? null : TimeSpan.FromSeconds(int.Parse(retry[12..])));
        }
        catch (Exception e) when (e is SocketException or IOException || e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return (0, [], null);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    string Sign(string method, string path, ReadOnlySpan<byte> body)
    {
        long number;
        byte[] signature;
        lock (key)
        {
            number = counter = Math.Max(counter + 1, Stopwatch.GetTimestamp() / 1000);
            signature = key.SignData(AgentSignature.CallText(method, path, id, number, body), HashAlgorithmName.SHA256);
        }
        return AgentSignature.FormatHeader(id, number, signature);
    }
}

/// <summary>What all of them saw.</summary>
sealed class AgentCounts
{
    public long Heartbeats, Failures;

    /// <summary>Told of every order as it arrives.</summary>
    public Action<OrderDocument> Ordered { get; set; } = static _ => { };
}
