using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using GridAppliance.Agents;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GridAppliance.Tests.Agent;

/// <summary>The appliance's side of /agent/v1 over a real socket, strict about signatures and counters. It can go away and come back on the same port, and forget.</summary>
sealed class ScriptedAppliance : IAsyncDisposable
{
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly ConcurrentDictionary<string, (ECDsa Key, CounterWindow Counters)> nodes = new();
    readonly ConcurrentQueue<Order> orders = new();
    WebApplication? app;
    int port;

    public Channel<EnrollRequest> Enrolments { get; } = Channel.CreateUnbounded<EnrollRequest>();
    public Channel<HeartbeatRequest> Heartbeats { get; } = Channel.CreateUnbounded<HeartbeatRequest>();
    public Channel<(string Id, OrderResult Result)> Results { get; } = Channel.CreateUnbounded<(string, OrderResult)>();
    public ConcurrentDictionary<string, byte[]> Packages { get; } = new();
    /// <summary>By key, for anybody; what is below <c>/cloud/</c> with that.</summary>
    public ConcurrentDictionary<string, byte[]> BootFiles { get; } = new();
    public HashSet<string> GoodTokens { get; } = ["token-1"];
    /// <summary>The key that the enrolment names; another one for an impostor.</summary>
    public ECDsa? ImpostorKey { get; set; }
    public int ResultsToRefuse;
    public int OrdersFetched;

    public ECDsa Key => key;
    public string Fingerprint => AgentSignature.Fingerprint(key.ExportSubjectPublicKeyInfo());
    public IPEndPoint EndPoint => new(IPAddress.Loopback, port);

    public static async Task<ScriptedAppliance> StartAsync()
    {
        var appliance = new ScriptedAppliance();
        await appliance.ComeBackAsync();
        return appliance;
    }

    public async Task ComeBackAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();
        port = new Uri(app.Urls.Single()).Port;
    }

    public async Task GoAwayAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app!.StopAsync(now.Token);
        await app.DisposeAsync();
        app = null;
    }

    public void ForgetNodes() => nodes.Clear();

    public void ForgetOrders() => orders.Clear();

    /// <summary>Takes back a wait for a result that will not come, and gives whatever it was given to nobody.</summary>
    public void Withdraw(Task<(string Id, OrderResult Result)> wait)
    {
        if (wait.IsCompleted) return;
        Results.Writer.TryWrite(("", new OrderResult { Succeeded = false }));
    }

    /// <summary>Orders go out one after the other, each again and again until its result comes; one that another key signed goes out once.</summary>
    public void Send(OrderDocument order, ECDsa? signer = null, bool once = false)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(order, ApiJson.Default.OrderDocument);
        var by = signer ?? key;
        orders.Enqueue(new Order(order.Id, once || signer is not null, call => JsonSerializer.SerializeToUtf8Bytes(new OrderEnvelope
        {
            Order = Convert.ToBase64String(bytes), Signature = Convert.ToBase64String(by.SignData(bytes, HashAlgorithmName.SHA256)),
            Freshness = Convert.ToBase64String(by.SignData(AgentSignature.FreshText(call.NodeId, call.Counter, bytes), HashAlgorithmName.SHA256)),
        }, ApiJson.Default.OrderEnvelope)));
    }

    /// <summary>Hands out, once, what went over the wire before: as somebody does who recorded it.</summary>
    public void Replay(byte[] recorded) => orders.Enqueue(new Order("replayed", Once: true, _ => recorded));

    /// <summary>The last order as it went over the wire.</summary>
    public byte[] LastEnvelope { get; private set; } = [];

    public string Publish(byte[] package)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(package));
        Packages[digest] = package;
        return digest;
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await GoAwayAsync();
        key.Dispose();
    }

    async Task AnswerAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var path = context.Request.Path.Value!;
        if (path == "/agent/v1/enroll") await EnrollAsync(context, body.ToArray());
        else if ((path.StartsWith("/boot/", StringComparison.Ordinal) && BootFiles.TryGetValue(path[6..], out var file)) || (path.StartsWith("/cloud/", StringComparison.Ordinal) && BootFiles.TryGetValue(path[1..], out file)))
        {
            context.Response.ContentLength = file.Length;
            await context.Response.Body.WriteAsync(file);
        }
        else if (!IsSigned(context, body.ToArray())) context.Response.StatusCode = 401;
        else if (path == "/agent/v1/heartbeat")
        {
            await Heartbeats.Writer.WriteAsync(JsonSerializer.Deserialize(body.ToArray(), ApiJson.Default.HeartbeatRequest)!);
            await context.Response.WriteAsJsonAsync(new HeartbeatResponse { HeartbeatSeconds = 30 }, ApiJson.Default.HeartbeatResponse);
        }
        else if (path == "/agent/v1/boot") await context.Response.WriteAsJsonAsync(new BootTicket { Token = "fresh-token" }, ApiJson.Default.BootTicket);
        else if (path == "/agent/v1/order") await OrderAsync(context);
        else if (path.StartsWith("/agent/v1/order/", StringComparison.Ordinal))
        {
            if (Interlocked.Decrement(ref ResultsToRefuse) >= 0) { context.Response.StatusCode = 503; return; }
            if (orders.TryPeek(out var first) && first.Id == path[16..]) orders.TryDequeue(out _);
            await Results.Writer.WriteAsync((path[16..], JsonSerializer.Deserialize(body.ToArray(), ApiJson.Default.OrderResult)!));
            context.Response.StatusCode = 204;
        }
        else if (path.StartsWith("/agent/v1/module/", StringComparison.Ordinal) && Packages.TryGetValue(path[17..], out var package))
        {
            context.Response.ContentLength = package.Length;   // as the daemon does
            await context.Response.Body.WriteAsync(package);
        }
        else context.Response.StatusCode = 404;
    }

    async Task EnrollAsync(HttpContext context, byte[] body)
    {
        var request = JsonSerializer.Deserialize(body, ApiJson.Default.EnrollRequest)!;
        var nodeKey = AgentSignature.TryImportPublicKey(Convert.FromBase64String(request.PublicKey))!;
        Assert.True(nodeKey.VerifyData(AgentSignature.ProofText(request.Token), Convert.FromBase64String(request.Proof), HashAlgorithmName.SHA256));
        await Enrolments.Writer.WriteAsync(request);
        if (!GoodTokens.Contains(request.Token)) { context.Response.StatusCode = 403; return; }
        nodes["node-1"] = (nodeKey, new CounterWindow(0));
        await context.Response.WriteAsJsonAsync(new EnrollResponse
        {
            NodeId = "node-1", Node = "n1", ApplianceKey = Convert.ToBase64String((ImpostorKey ?? key).ExportSubjectPublicKeyInfo()), HeartbeatSeconds = 30,
        }, ApiJson.Default.EnrollResponse);
    }

    bool IsSigned(HttpContext context, byte[] body)
    {
        if (!AgentSignature.TryParseHeader(context.Request.Headers[AgentSignature.HeaderName], out var call) || !nodes.TryGetValue(call.NodeId, out var node)) return false;
        context.Items["call"] = call;
        var text = AgentSignature.CallText(context.Request.Method, context.Request.Path + context.Request.QueryString.Value, call.NodeId, call.Counter, body);
        // An agent's heartbeat and its wait for orders leave side by side and arrive in any order.
        lock (node.Counters) return node.Key.VerifyData(text, call.Signature.Span, HashAlgorithmName.SHA256) && node.Counters.TryUse(call.Counter);
    }

    async Task OrderAsync(HttpContext context)
    {
        var poll = Interlocked.Increment(ref OrdersFetched);
        Order? order;
        while (!orders.TryPeek(out order)) await Task.Delay(5, context.RequestAborted);   // a long poll, as a scripted peer may do it
        if (poll != Volatile.Read(ref OrdersFetched))
        {
            // An agent asks once at a time: this one has died since, and whatever it is given would be lost.
            context.Abort();
            return;
        }
        if (order.Once) orders.TryDequeue(out _);
        LastEnvelope = order.Envelope((AgentCall)context.Items["call"]!);
        await context.Response.Body.WriteAsync(LastEnvelope);
    }

    sealed record Order(string Id, bool Once, Func<AgentCall, byte[]> Envelope);
}
