using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace GridAppliance.Lab.Servers.Redfish;

/// <summary>
/// A Redfish service that keeps state, over real TLS with a certificate of its own: sessions, power, boot override, light, log and virtual media of one machine, laid out as DSP0266 and its schemas
/// have it. Tells events as a stream. Misbehaves where a test says so; in the lab its machine is a server's.
/// </summary>
sealed partial class RedfishSimulator : IAsyncDisposable
{
    public const string User = "admin";
    public const string Password = "Pa55w0rd";

    readonly RedfishSimulatorOptions options;
    readonly Lock gate = new();
    readonly List<Channel<JsonObject>> listeners = [];
    readonly JsonArray raised = [];
    readonly HashSet<string> sessions = [];
    WebApplication app;
    X509Certificate2 certificate;
    int port;

    RedfishSimulator(RedfishSimulatorOptions options)
    {
        this.options = options;
        port = options.Listen.Port;
        Restore();
        certificate = KeptCertificate() ?? NewCertificate();
        app = Build();
    }

    public Uri Address => new($"redfish+https://{options.Listen.Address}:{port}");

    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    /// <summary>Of a machine that is nothing but this word; the lab's tells its own.</summary>
    public string PowerState { get; set; } = "Off";
    public JsonObject Boot { get; } = new() { ["BootSourceOverrideEnabled"] = "Disabled", ["BootSourceOverrideTarget"] = "None", ["BootSourceOverrideMode"] = "UEFI" };
    public bool Light { get; set; }
    public string? Image { get; set; }
    public int ETag { get; set; } = 1;
    public List<string> Resets { get; } = [];
    /// <summary>Method and path of everything that was asked.</summary>
    public List<string> Log { get; } = [];
    /// <summary>Most requests that were being answered at one moment.</summary>
    public int MostAtOnce { get; private set; }
    /// <summary>Every session's token that was ever given out.</summary>
    public List<string> Tokens { get; } = [];
    public int OpenSessions { get { lock (gate) return sessions.Count; } }
    public string[] ResetTypes { get; set; } = ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle", "Nmi"];

    public bool HasEvents { get; set; } = true;
    public int Listeners { get { lock (gate) return listeners.Count; } }
    public bool HasSessions { get; set; } = true;
    public bool SaysLocation { get; set; } = true;
    public bool WantsProtocol { get; set; }
    /// <summary>Answers instead of the service, once; null goes on as usual.</summary>
    public Func<HttpContext, Task<bool>>? Instead { get; set; }

    int atOnce;

    public static Task<RedfishSimulator> StartAsync() => StartAsync(new());

    public static async Task<RedfishSimulator> StartAsync(RedfishSimulatorOptions options)
    {
        var simulator = new RedfishSimulator(options);
        await simulator.app.StartAsync();
        simulator.port = new Uri(simulator.app.Urls.Single()).Port;
        // Also the sign that it listens.
        simulator.Keep();
        return simulator;
    }

    /// <summary>The BMC comes back after a reset: with no sessions, and with another certificate if it makes one at each start.</summary>
    public async Task RestartAsync(bool newCertificate)
    {
        await app.DisposeAsync();
        lock (gate) sessions.Clear();
        if (newCertificate) certificate = NewCertificate();
        app = Build();
        await app.StartAsync();
    }

    public void ForgetSessions() { lock (gate) sessions.Clear(); }

    public int Count(string entry) { lock (gate) return Log.Count(line => line == entry); }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    WebApplication Build()
    {
        // Empty: the usual one watches the folder that it is started in for settings that change, and the lab's programs are started in /: it would walk through the whole machine.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(options.Listen.Address, port, listen => listen.UseHttps(certificate)));
        var built = builder.Build();
        built.Run(AnswerAsync);
        return built;
    }

    static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bmc", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(10)); // expired, as they are
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    async Task AnswerAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value!.TrimEnd('/'));
        lock (gate)
        {
            Log.Add($"{method} {path}");
            MostAtOnce = Math.Max(MostAtOnce, ++atOnce);
        }
        try
        {
            if (Instead is { } instead && await instead(context)) return;
            var body = context.Request.ContentLength > 0 ? await JsonNode.ParseAsync(context.Request.Body) as JsonObject : null;
            await ((method, path) switch
            {
                ("GET", "/redfish/v1") => SayAsync(context, Root(path)),
                ("POST", "/redfish/v1/SessionService/Sessions") => SignInAsync(context, body),
                _ when !MayEnter(context) => FailAsync(context, 401, "The account is not known."),
                ("DELETE", _) => SignOutAsync(context),
                ("POST", _) => ActAsync(context, path, body),
                ("PATCH", _) => PatchAsync(context, path, body),
                _ => GetAsync(context, path),
            });
        }
        finally
        {
            lock (gate) atOnce--;
        }
    }

    bool MayEnter(HttpContext context)
    {
        lock (gate)
        {
            if (context.Request.Headers["X-Auth-Token"].ToString() is { Length: > 0 } token) return sessions.Contains(token);
        }
        return context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{options.User}:{options.Password}"));
    }

    Task SignInAsync(HttpContext context, JsonObject? body)
    {
        if (!HasSessions) return FailAsync(context, 404, "There are no sessions.");
        if ((string?)body?["UserName"] != options.User || (string?)body?["Password"] != options.Password) return FailAsync(context, 401, "The account or its password is wrong.");
        var token = Guid.NewGuid().ToString("n");
        lock (gate)
        {
            sessions.Add(token);
            Tokens.Add(token);
        }
        context.Response.Headers["X-Auth-Token"] = token;
        if (SaysLocation) context.Response.Headers.Location = $"https://bmc.example/redfish/v1/SessionService/Sessions/{token}";
        return SayAsync(context, Resource("Session", $"/redfish/v1/SessionService/Sessions/{token}"), 201);
    }

    Task SignOutAsync(HttpContext context)
    {
        lock (gate) sessions.Remove(context.Request.Path.Value!.Split('/')[^1]);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    async Task ActAsync(HttpContext context, string path, JsonObject? body)
    {
        switch (path)
        {
            case "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset":
                var type = (string?)body?["ResetType"] ?? "";
                if (!ResetTypes.Contains(type))
                {
                    await FailAsync(context, 400, $"The value {type} for the parameter ResetType is not in the list of acceptable values.");
                    return;
                }
                await ResetAsync(type, context.RequestAborted);
                break;
            case "/redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia":
                if (WantsProtocol && body?["TransferProtocolType"] is null)
                {
                    await FailAsync(context, 400, "The action requires the parameter TransferProtocolType to be present in the request body.");
                    return;
                }
                if (Image is not null)
                {
                    await FailAsync(context, 409, "There is an image already.");
                    return;
                }
                Image = (string?)body?[nameof(Image)];
                break;
            case "/redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia.EjectMedia":
                Image = null;
                break;
            default:
                await FailAsync(context, 404, "There is no such action.");
                return;
        }
        Keep();
        context.Response.StatusCode = 204;
    }

    async Task ResetAsync(string type, CancellationToken cancellation)
    {
        Resets.Add(type);
        if (options.Chassis is { } chassis) await chassis.ResetAsync(type, (string?)Boot["BootSourceOverrideTarget"] ?? "None", cancellation);
        PowerState = type is "ForceOff" or "GracefulShutdown" ? "Off" : "On";
        // Once: the start that it was for has begun.
        if (PowerState == "On" && type != "Nmi" && options.Chassis is not null && (string?)Boot["BootSourceOverrideEnabled"] == "Once") (Boot["BootSourceOverrideEnabled"], Boot["BootSourceOverrideTarget"]) = ("Disabled", "None");
        if (type != "Nmi") Raise($"The machine is {(PowerState == "On" ? "on" : "off")} ({type}).");
    }

    /// <summary>Puts an entry into the log, and tells everybody who listens.</summary>
    public void Raise(string message, string severity = "OK")
    {
        lock (gate)
        {
            var id = $"{raised.Count + 100}";
            var at = options.Clock.GetUtcNow().ToString("o");
            raised.Add(new JsonObject { ["Id"] = id, ["Created"] = at, ["Message"] = message, ["Severity"] = severity, ["EntryType"] = "Event" });
            var told = new JsonObject
            {
                ["@odata.type"] = "#Event.v1_7_0.Event", ["Id"] = id, ["Name"] = "Event",
                ["Events"] = new JsonArray(new JsonObject { ["EventId"] = id, ["EventTimestamp"] = at, ["Message"] = message, ["MessageSeverity"] = severity, ["MessageId"] = "ResourceEvent.1.3.ResourceChanged", ["OriginOfCondition"] = Link("/redfish/v1/Systems/1") }),
            };
            foreach (var listener in listeners) listener.Writer.TryWrite((JsonObject)told.DeepClone());
        }
    }

    /// <summary>Ends the streams, as a device does that restarts.</summary>
    public void HangUp() { lock (gate) foreach (var listener in listeners) listener.Writer.TryComplete(); }

    async Task StreamAsync(HttpContext context)
    {
        // A listener that does not read loses the newest, as on a device.
        var listener = Channel.CreateBounded<JsonObject>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(": hello\r\n\r\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        lock (gate) listeners.Add(listener);
        try
        {
            await foreach (var told in listener.Reader.ReadAllAsync(context.RequestAborted))
            {
                // In two lines of data, which readers put together again.
                var text = told.ToJsonString();
                var cut = text.IndexOf(',') + 1;
                await context.Response.WriteAsync($"id: {told["Id"]}\r\ndata: {text[..cut]}\r\ndata: {text[cut..]}\r\n\r\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever listened has gone.
        }
        finally
        {
            lock (gate) listeners.Remove(listener);
        }
    }

    Task PatchAsync(HttpContext context, string path, JsonObject? body)
    {
        if (path != "/redfish/v1/Systems/1") return FailAsync(context, 405, "This cannot be changed.");
        if (context.Request.Headers.IfMatch != $"\"{ETag}\"") return FailAsync(context, 412, "The ETag is another one.");
        foreach (var (name, value) in body?[nameof(Boot)] as JsonObject ?? []) Boot[name] = value?.DeepClone();
        if (body?["LocationIndicatorActive"] is { } light) Light = (bool)light;
        ETag++;
        Keep();
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    public static Task FailAsync(HttpContext context, int status, string message) => SayAsync(context, new JsonObject
    {
        ["error"] = new JsonObject { ["code"] = "Base.1.0.GeneralError", ["message"] = "See ExtendedInfo.", ["@Message.ExtendedInfo"] = new JsonArray(new JsonObject { ["Message"] = message }) },
    }, status);
}
