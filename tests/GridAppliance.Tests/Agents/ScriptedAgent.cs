using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Agents;

/// <summary>An agent that does what a test says, over a real socket, with keys and signatures of its own.</summary>
sealed class ScriptedAgent(TestAppliance appliance, MacAddress mac)
{
    static readonly HttpClient Http = new();

    long counter;

    public ECDsa Key { get; private set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string NodeId { get; set; } = "";

    public string Node { get; private set; } = "";

    public string? Image { get; set; } = "tiny";

    public string? BootProblem { get; set; }

    public bool TriesModules { get; set; }

    public InventoryDocument Inventory { get; set; } = new()
    {
        Cpus = 2, MemoryMiB = 512, Arch = "x86_64", Firmware = "bios", Disks = [new() { Name = "vda", SizeBytes = 1 << 30 }],
        Nics =
        [
            new()
            {
                Name = "eth0", Mac = mac.ToString(), Link = true,
                Neighbours = [new() { SystemName = "rack3", PortId = "swp7" }],
            },
        ],
    };

    /// <summary>A new boot has a new key.</summary>
    public void Renew()
    {
        Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        counter = 0;
    }

    /// <summary>Power-on to enrolled, with a new token.</summary>
    public async Task BootAndEnrolAsync()
    {
        Renew();
        var answer = await EnrolAsync(await appliance.BootAsync(mac));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        var response = answer.Read(ApiJson.Default.EnrollResponse);
        (NodeId, Node) = (response.NodeId, response.Node);
    }

    public Task<Reply> EnrolAsync(string token, ECDsa? provenBy = null) => SendAsync(HttpMethod.Post, "/agent/v1/enroll", JsonSerializer.SerializeToUtf8Bytes(new()
    {
        Token = token,
        PublicKey = Convert.ToBase64String(Key.ExportSubjectPublicKeyInfo()),
        Proof = Convert.ToBase64String((provenBy ?? Key).SignData(AgentSignature.ProofText(token), HashAlgorithmName.SHA256)),
        AgentVersion = "1.0",
        Inventory = Inventory,
        Image = Image,
        BootProblem = BootProblem,
        TriesModules = TriesModules,
    }, ApiJson.Default.EnrollRequest), null);

    public Task<Reply> HeartbeatAsync(IReadOnlyList<InstalledModuleDocument>? modules = null, InventoryDocument? inventory = null, IReadOnlyList<ModuleChangesDocument>? changes = null) =>
        SignedAsync(HttpMethod.Post, "/agent/v1/heartbeat", Beat(modules, inventory, changes));

    static byte[] Beat(IReadOnlyList<InstalledModuleDocument>? modules, InventoryDocument? inventory, IReadOnlyList<ModuleChangesDocument>? changes) =>
        JsonSerializer.SerializeToUtf8Bytes(new() { AgentVersion = "1.0", Modules = modules ?? [], Inventory = inventory, Changes = changes }, ApiJson.Default.HeartbeatRequest);

    /// <summary>Signs a heartbeat now, and sends it when what is returned is called: one that is overtaken on its way.</summary>
    public Func<Task<Reply>> DelayedHeartbeat(IReadOnlyList<InstalledModuleDocument>? modules, IReadOnlyList<ModuleChangesDocument>? changes)
    {
        var body = Beat(modules, null, changes);
        var header = Header(HttpMethod.Post, "/agent/v1/heartbeat", body, ++counter);
        return () => SendAsync(HttpMethod.Post, "/agent/v1/heartbeat", body, header);
    }

    /// <summary>The next order, its signature checked against the appliance's key; null when there is none within the time.</summary>
    public async Task<OrderDocument?> NextOrderAsync(int seconds = 30)
    {
        var reply = await SignedAsync(HttpMethod.Get, $"/agent/v1/order?wait={seconds}", []);
        if (reply.Status == HttpStatusCode.NoContent) return null;
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        var envelope = reply.Read(ApiJson.Default.OrderEnvelope);
        var bytes = Convert.FromBase64String(envelope.Order);
        using var key = AgentSignature.TryImportPublicKey(appliance.Get<ApplianceKey>().PublicKey);
        Assert.True(key!.VerifyData(bytes, Convert.FromBase64String(envelope.Signature), HashAlgorithmName.SHA256));
        Assert.True(key.VerifyData(AgentSignature.FreshText(NodeId, counter, bytes), Convert.FromBase64String(envelope.Freshness!), HashAlgorithmName.SHA256));
        return JsonSerializer.Deserialize(bytes, ApiJson.Default.OrderDocument);
    }

    public Task<Reply> ReportAsync(string orderId, bool succeeded, string? message = null, IReadOnlyList<InstalledModuleDocument>? modules = null) => SignedAsync(HttpMethod.Post, $"/agent/v1/order/{orderId}",
        JsonSerializer.SerializeToUtf8Bytes(new() { Succeeded = succeeded, Message = message, Modules = modules ?? [] }, ApiJson.Default.OrderResult));

    public Task<Reply> ReportAsync(string orderId, OrderResult result) => SignedAsync(HttpMethod.Post, $"/agent/v1/order/{orderId}", JsonSerializer.SerializeToUtf8Bytes(result, ApiJson.Default.OrderResult));

    public Task<Reply> DownloadAsync(string digest) => SignedAsync(HttpMethod.Get, $"/agent/v1/module/{digest}", []);

    public Task<Reply> SignedAsync(HttpMethod method, string path, byte[] body) => SendAsync(method, path, body, Header(method, path, body, ++counter));

    public string Header(HttpMethod method, string path, byte[] body, long number, ECDsa? by = null) =>
        AgentSignature.FormatHeader(NodeId, number, (by ?? Key).SignData(AgentSignature.CallText(method.Method, path, NodeId, number, body), HashAlgorithmName.SHA256));

    public async Task<Reply> SendAsync(HttpMethod method, string path, byte[] body, string? header)
    {
        using var request = new HttpRequestMessage(method, new Uri(appliance.Url, path));
        if (body.Length > 0) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        if (header is not null) request.Headers.TryAddWithoutValidation(AgentSignature.HeaderName, header);
        using var response = await Http.SendAsync(request);
        return new(response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    internal sealed record Reply(HttpStatusCode Status, byte[] Body)
    {
        public string Text => System.Text.Encoding.UTF8.GetString(Body);

        public string Detail => Read(ApiJson.Default.ProblemDocument).Detail ?? "";

        public T Read<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Body, type)!;
    }
}
