using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Operations;
using GridAppliance.Api.Ports;
using GridAppliance.Api.Power;

namespace GridAppliance.Api.Client;

/// <summary>The management plane, typed. Every method throws <see cref="ApplianceException"/> when the appliance says no or is not there. Thread-safe.</summary>
public sealed partial class ApplianceClient : IDisposable
{
    /// <summary>Every changing request carries it: a page from elsewhere cannot send it without asking first.</summary>
    public const string ChangeHeader = "Grid-Request";

    readonly HttpClient http;
    readonly ApplianceAddress address;
    readonly TimeProvider clock;

    public ApplianceClient(ApplianceAddress address, ApplianceCredentials? credentials = null, TimeProvider? clock = null)
    {
        this.address = address;
        this.clock = clock ?? TimeProvider.System;
        http = new(ApplianceTransport.Handler(address, credentials), disposeHandler: true)
        {
            BaseAddress = address.BaseUrl,
            // Streams live as long as their reader; everything else is bounded per request below.
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.Add(ChangeHeader, "1");
        if (credentials?.Token is { } token) http.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    /// <summary>Bound on any answer but a stream.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    public Task<StatusDocument> GetStatus(CancellationToken cancellation) => Get("api/v1/status", ApiJson.Default.StatusDocument, cancellation);

    /// <param name="range">A noderange, or null for every node.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<IReadOnlyList<NodeDocument>> GetNodes(string? range, CancellationToken cancellation) =>
        Get(range is null ? "api/v1/nodes" : $"api/v1/nodes?range={Uri.EscapeDataString(range)}", ApiJson.Default.IReadOnlyListNodeDocument, cancellation);

    public Task<NodeDocument> GetNode(string name, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(name)}", ApiJson.Default.NodeDocument, cancellation);

    public Task<TimelineDocument> GetTimeline(string name, CancellationToken cancellation) =>
        Get($"api/v1/nodes/{Key(name)}/timeline", ApiJson.Default.TimelineDocument, cancellation);

    public Task<WhyDocument> GetWhy(string name, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(name)}/why", ApiJson.Default.WhyDocument, cancellation);

    /// <summary>Events after <paramref name="after"/>, oldest first; without it, the newest ones.</summary>
    public Task<IReadOnlyList<EventDocument>> GetEvents(long? after, CancellationToken cancellation) =>
        Get(after is null ? "api/v1/events" : $"api/v1/events?after={after}", ApiJson.Default.IReadOnlyListEventDocument, cancellation);

    /// <summary>Events as they happen, for ever; see <see cref="EventStream"/>.</summary>
    /// <param name="after">Resume after this sequence number; null begins with what happens next.</param>
    /// <param name="lost">Told each time the connection is lost and will be tried again.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public IAsyncEnumerable<EventDocument> StreamEvents(long? after, Action<ApplianceException>? lost, CancellationToken cancellation) =>
        new EventStream(http, clock, this).Read(after, lost, cancellation);

    public Task<IReadOnlyList<OperationDocument>> GetOperations(CancellationToken cancellation) =>
        Get("api/v1/operations", ApiJson.Default.IReadOnlyListOperationDocument, cancellation);

    public Task<OperationDocument> GetOperation(string id, CancellationToken cancellation) =>
        Get($"api/v1/operations/{Key(id)}", ApiJson.Default.OperationDocument, cancellation);

    public Task<OperationDocument> CancelOperation(string id, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/operations/{Key(id)}/cancel", null, ApiJson.Default.OperationDocument, cancellation);

    public Task<IReadOnlyList<ModuleDocument>> GetModules(CancellationToken cancellation) => Get("api/v1/modules", ApiJson.Default.IReadOnlyListModuleDocument, cancellation);

    /// <summary>One module of the catalogue, with its manifest; <c>web</c> or <c>web@1.0</c>.</summary>
    public Task<ModuleDocument> GetModule(string name, CancellationToken cancellation) => Get($"api/v1/modules/{Key(name)}", ApiJson.Default.ModuleDocument, cancellation);

    /// <summary>What a module has changed on a node, as its agent told last.</summary>
    public Task<ModuleChangesDocument> GetModuleChanges(string node, string module, CancellationToken cancellation) =>
        Get($"api/v1/nodes/{Key(node)}/modules/{Key(module)}/changes", ApiJson.Default.ModuleChangesDocument, cancellation);

    /// <summary>The same of those nodes of a range that have told of the module.</summary>
    public Task<IReadOnlyList<ModuleChangesDocument>> GetModuleChangesOf(string range, string module, CancellationToken cancellation) =>
        Get($"api/v1/modules/{Key(module)}/changes?range={Uri.EscapeDataString(range)}", ApiJson.Default.IReadOnlyListModuleChangesDocument, cancellation);

    /// <summary>Puts a signed package into the catalogue.</summary>
    public Task<ModuleDocument> ImportModule(Stream package, CancellationToken cancellation)
    {
        var content = new StreamContent(package);
        content.Headers.ContentType = new("application/octet-stream");
        return Send(HttpMethod.Post, "api/v1/modules", content, ApiJson.Default.ModuleDocument, cancellation);
    }

    public Task<ChangeDocument> InstallModule(ModuleChangeRequest request, CancellationToken cancellation) => Change("api/v1/modules/install", request, cancellation);

    public Task<ChangeDocument> RemoveModule(ModuleChangeRequest request, CancellationToken cancellation) => Change("api/v1/modules/remove", request, cancellation);

    public Task<ChangeDocument> ChangeNodes(NodeChange change, NodeChangeRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/nodes/{change.Verb}", JsonContent.Create(request, ApiJson.Default.NodeChangeRequest), ApiJson.Default.ChangeDocument, cancellation);

    /// <param name="range">A noderange, or null for every port, whosever it is.</param>
    /// <param name="cancellation">Cancels the request.</param>
    public Task<IReadOnlyList<PortDocument>> GetPorts(string? range, CancellationToken cancellation) =>
        Get(range is null ? "api/v1/ports" : $"api/v1/ports?range={Uri.EscapeDataString(range)}", ApiJson.Default.IReadOnlyListPortDocument, cancellation);

    public Task<PortDocument> SetPort(string node, PortRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Put, $"api/v1/nodes/{Key(node)}/ports", JsonContent.Create(request, ApiJson.Default.PortRequest), ApiJson.Default.PortDocument, cancellation);

    public Task<PortDocument> RemovePort(string node, string address, CancellationToken cancellation) =>
        Send(HttpMethod.Delete, $"api/v1/nodes/{Key(node)}/ports?address={Uri.EscapeDataString(address)}", null, ApiJson.Default.PortDocument, cancellation);

    public Task<PortImportDocument> ImportPorts(PortImportRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/ports/import", JsonContent.Create(request, ApiJson.Default.PortImportRequest), ApiJson.Default.PortImportDocument, cancellation);

    public Task<BmcScanDocument> ScanForBmcs(BmcScanRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/discover/bmc", JsonContent.Create(request, ApiJson.Default.BmcScanRequest), ApiJson.Default.BmcScanDocument, cancellation);

    public Task<PortImportDocument> BootPorts(PortBootRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, "api/v1/ports/boot", JsonContent.Create(request, ApiJson.Default.PortBootRequest), ApiJson.Default.PortImportDocument, cancellation);

    public Task<PowerStatusDocument> GetPower(string? range, CancellationToken cancellation) =>
        Get(range is null ? "api/v1/power" : $"api/v1/power?range={Uri.EscapeDataString(range)}", ApiJson.Default.PowerStatusDocument, cancellation);

    public Task<ChangeDocument> SetPower(PowerRequest request, CancellationToken cancellation) => Change("power", JsonContent.Create(request, ApiJson.Default.PowerRequest), cancellation);

    public Task<ChangeDocument> SetBoot(BootRequest request, CancellationToken cancellation) => Change("boot", JsonContent.Create(request, ApiJson.Default.BootRequest), cancellation);

    public Task<ChangeDocument> Identify(IdentifyRequest request, CancellationToken cancellation) => Change("identify", JsonContent.Create(request, ApiJson.Default.IdentifyRequest), cancellation);

    public Task<ChangeDocument> SetPowerPolicy(PowerPolicyRequest request, CancellationToken cancellation) =>
        Change("power-policy", JsonContent.Create(request, ApiJson.Default.PowerPolicyRequest), cancellation);

    public Task<SensorsDocument> GetSensors(string node, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(node)}/sensors", ApiJson.Default.SensorsDocument, cancellation);

    public Task<DeviceLogDocument> GetDeviceLog(string node, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(node)}/sel", ApiJson.Default.DeviceLogDocument, cancellation);

    public Task<BmcDetailDocument> GetBmc(string node, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(node)}/bmc", ApiJson.Default.BmcDetailDocument, cancellation);

    public Task<BmcLanDocument> GetBmcLan(string node, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(node)}/bmc/lan", ApiJson.Default.BmcLanDocument, cancellation);

    public Task<BmcChangeDocument> SetBmcLan(string node, BmcLanRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Put, $"api/v1/nodes/{Key(node)}/bmc/lan", JsonContent.Create(request, ApiJson.Default.BmcLanRequest), ApiJson.Default.BmcChangeDocument, cancellation);

    public Task<IReadOnlyList<BmcAccountDocument>> GetBmcAccounts(string node, CancellationToken cancellation) =>
        Get($"api/v1/nodes/{Key(node)}/bmc/accounts", ApiJson.Default.IReadOnlyListBmcAccountDocument, cancellation);

    public Task<BmcChangeDocument> SetBmcAccount(string node, string account, BmcAccountRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Put, $"api/v1/nodes/{Key(node)}/bmc/accounts/{Key(account)}", JsonContent.Create(request, ApiJson.Default.BmcAccountRequest), ApiJson.Default.BmcChangeDocument, cancellation);

    public Task<BmcChangeDocument> DisableBmcAccount(string node, string account, bool force, bool dryRun, CancellationToken cancellation) =>
        Send(HttpMethod.Delete, $"api/v1/nodes/{Key(node)}/bmc/accounts/{Key(account)}?force={(force ? "true" : "false")}&dryRun={(dryRun ? "true" : "false")}", null, ApiJson.Default.BmcChangeDocument, cancellation);

    public Task<MediaDocument> GetMedia(string node, CancellationToken cancellation) => Get($"api/v1/nodes/{Key(node)}/media", ApiJson.Default.MediaDocument, cancellation);

    public Task<MediaDocument> InsertMedia(string node, MediaRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Put, $"api/v1/nodes/{Key(node)}/media", JsonContent.Create(request, ApiJson.Default.MediaRequest), ApiJson.Default.MediaDocument, cancellation);

    public Task<MediaDocument> EjectMedia(string node, CancellationToken cancellation) => Send(HttpMethod.Delete, $"api/v1/nodes/{Key(node)}/media", null, ApiJson.Default.MediaDocument, cancellation);

    public Task<DeviceLogDocument> ClearDeviceLog(string node, CancellationToken cancellation) =>
        Send(HttpMethod.Delete, $"api/v1/nodes/{Key(node)}/sel", null, ApiJson.Default.DeviceLogDocument, cancellation);

    public void Dispose() => http.Dispose();

    Task<ChangeDocument> Change(string what, HttpContent content, CancellationToken cancellation) => Send(HttpMethod.Post, $"api/v1/nodes/{what}", content, ApiJson.Default.ChangeDocument, cancellation);

    Task<ChangeDocument> Change(string path, ModuleChangeRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, path, JsonContent.Create(request, ApiJson.Default.ModuleChangeRequest), ApiJson.Default.ChangeDocument, cancellation);

    Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class => Send(HttpMethod.Get, path, null, type, cancellation);

    async Task<T> Send<T>(HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        var answer = await Ask(method, path, content, (response, token) => response.Content.ReadFromJsonAsync(type, token), cancellation);
        return answer ?? throw NotUnderstood("an empty answer", null);
    }

    /// <summary>For a change whose answer is that it was done.</summary>
    Task SendForNothing(HttpMethod method, string path, CancellationToken cancellation) => Ask(method, path, null, static (_, _) => Task.FromResult(true), cancellation);

    async Task<T> Ask<T>(HttpMethod method, string path, HttpContent? content, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Accept.Add(new("application/json"));
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode) throw await Refusal(response, either.Token);
            return await read(response, either.Token);
        }
        catch (HttpRequestException e) { throw ApplianceTransport.Translate(address, e); }
        catch (IOException e) { throw ApplianceTransport.Translate(address, e); }
        catch (JsonException e) { throw NotUnderstood("an answer that is not what its address promises", e); }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ApplianceException(ApplianceFault.Unreachable, $"{address} did not answer within {Timeout.TotalSeconds:0} s", "look at `systemctl status gridappliance`", e);
        }
    }

    internal ApplianceException Lost(Exception e) => ApplianceTransport.Translate(address, e);

    internal async Task<ApplianceException> Refusal(HttpResponseMessage response, CancellationToken cancellation)
    {
        ProblemDocument? problem = null;
        if (response.Content.Headers.ContentType is { MediaType: "application/problem+json" })
        {
            try { problem = await response.Content.ReadFromJsonAsync(ApiJson.Default.ProblemDocument, cancellation); }
            catch (JsonException) { /* Then the status line has to do. */ }
        }
        var denied = response.StatusCode is System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Forbidden;
        return new(denied ? ApplianceFault.PermissionDenied : problem is null ? ApplianceFault.NotUnderstood : ApplianceFault.Refused,
            problem?.Detail ?? problem?.Title ?? $"{address} answered {(int)response.StatusCode} {response.ReasonPhrase}",
            problem?.NextStep ?? (problem is null ? $"check that {address} is a GridAppliance" : null))
        {
            Status = response.StatusCode,
        };
    }

    ApplianceException NotUnderstood(string what, Exception? inner) =>
        new(ApplianceFault.NotUnderstood, $"{address} gave {what}", "check that gridctl and the appliance are of the same version", inner);

    // A key from a person, as one path segment. Dots alone would be folded away by URI rules (RFC 3986 §5.2.4), however they are escaped; nothing is called that.
    static string Key(string key) => key is not ("" or "." or "..")
        ? Uri.EscapeDataString(key)
        : throw new ApplianceException(ApplianceFault.Refused, $"'{key}' is no name", "list the names with `gridctl nodes`") { Status = System.Net.HttpStatusCode.NotFound };
}
