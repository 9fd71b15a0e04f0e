using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GridAppliance.Tests.Power.Redfish;

/// <summary>
/// A Redfish service that keeps state, over real TLS with a certificate of its own: sessions, power, boot override, light, log and virtual media of one machine, laid out as DSP0266 and its schemas
/// have it. Misbehaves where a test says so.
/// </summary>
sealed class RedfishSimulator : IAsyncDisposable
{
    public const string User = "admin";
    public const string Password = "Pa55w0rd";

    readonly Lock gate = new();
    readonly HashSet<string> sessions = [];
    WebApplication app;
    X509Certificate2 certificate;
    int port;

    RedfishSimulator()
    {
        certificate = NewCertificate();
        app = Build();
    }

    public Uri Address => new($"redfish+https://127.0.0.1:{port}");

    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

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
    public int OpenSessions { get { lock (gate) return sessions.Count; } }
    public string[] ResetTypes { get; set; } = ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle", "Nmi"];

    public bool HasSessions { get; set; } = true;
    public bool SaysLocation { get; set; } = true;
    public bool WantsProtocol { get; set; }
    /// <summary>Answers instead of the service, once; null goes on as usual.</summary>
    public Func<HttpContext, Task<bool>>? Instead { get; set; }

    int atOnce;

    public static async Task<RedfishSimulator> StartAsync()
    {
        var simulator = new RedfishSimulator();
        await simulator.app.StartAsync();
        simulator.port = new Uri(simulator.app.Urls.Single()).Port;
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
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(certificate)));
        var built = builder.Build();
        built.Run(AnswerAsync);
        return built;
    }

    static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bmc", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(10)); // expired, as they are
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
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
                ("GET", "/redfish/v1") => SayAsync(context, Resource("ServiceRoot", path, ("Systems", Link("/redfish/v1/Systems")))),
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
        return context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Password}"));
    }

    Task SignInAsync(HttpContext context, JsonObject? body)
    {
        if (!HasSessions) return FailAsync(context, 404, "There are no sessions.");
        if ((string?)body?["UserName"] != User || (string?)body?["Password"] != Password) return FailAsync(context, 401, "The account or its password is wrong.");
        var token = Guid.NewGuid().ToString("n");
        lock (gate) sessions.Add(token);
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

    Task ActAsync(HttpContext context, string path, JsonObject? body)
    {
        switch (path)
        {
            case "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset":
                var type = (string?)body?["ResetType"] ?? "";
                if (!ResetTypes.Contains(type)) return FailAsync(context, 400, $"The value {type} for the parameter ResetType is not in the list of acceptable values.");
                Resets.Add(type);
                PowerState = type is "ForceOff" or "GracefulShutdown" ? "Off" : "On";
                break;
            case "/redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia":
                if (WantsProtocol && body?["TransferProtocolType"] is null) return FailAsync(context, 400, "The action requires the parameter TransferProtocolType to be present in the request body.");
                if (Image is not null) return FailAsync(context, 409, "There is an image already.");
                Image = (string?)body?[nameof(Image)];
                break;
            case "/redfish/v1/Managers/1/VirtualMedia/CD1/Actions/VirtualMedia.EjectMedia":
                Image = null;
                break;
            default: return FailAsync(context, 404, "There is no such action.");
        }
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    Task PatchAsync(HttpContext context, string path, JsonObject? body)
    {
        if (path != "/redfish/v1/Systems/1") return FailAsync(context, 405, "This cannot be changed.");
        if (context.Request.Headers.IfMatch != $"\"{ETag}\"") return FailAsync(context, 412, "The ETag is another one.");
        foreach (var (name, value) in body?[nameof(Boot)] as JsonObject ?? []) Boot[name] = value?.DeepClone();
        if (body?["LocationIndicatorActive"] is { } light) Light = (bool)light;
        ETag++;
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    Task GetAsync(HttpContext context, string path) => path switch
    {
        "/redfish/v1/Systems" => SayAsync(context, Collection(path, "/redfish/v1/Systems/1")),
        "/redfish/v1/Systems/1" => SayAsync(context, Machine(path)),
        "/redfish/v1/Systems/1/ResetInfo" => SayAsync(context, Resource("ActionInfo", path, ("Parameters", new JsonArray(new JsonObject { ["Name"] = "ResetType", ["AllowableValues"] = Texts(ResetTypes) })))),
        "/redfish/v1/Systems/1/Nics" => SayAsync(context, Collection(path, "/redfish/v1/Systems/1/Nics/1")),
        "/redfish/v1/Systems/1/Nics/1" => SayAsync(context, Resource("EthernetInterface", path, ("MACAddress", "52:54:00:00:00:01"))),
        "/redfish/v1/Systems/1/Logs" => SayAsync(context, Collection(path, "/redfish/v1/Systems/1/Logs/Sel")),
        "/redfish/v1/Systems/1/Logs/Sel" => SayAsync(context, Resource("LogService", path, ("Entries", Link(path + "/Entries")))),
        "/redfish/v1/Systems/1/Logs/Sel/Entries" => SayAsync(context, Entries(path, 1, path + "/More")),
        // A page that names itself as the next.
        "/redfish/v1/Systems/1/Logs/Sel/Entries/More" => SayAsync(context, Entries(path, 2, path)),
        "/redfish/v1/Managers/1" => SayAsync(context, Resource("Manager", path, ("VirtualMedia", Link(path + "/VirtualMedia")))),
        "/redfish/v1/Managers/1/VirtualMedia" => SayAsync(context, Collection(path, path + "/CD1")),
        "/redfish/v1/Managers/1/VirtualMedia/CD1" => SayAsync(context, Resource("VirtualMedia", path, ("Name", "Virtual CD"), ("MediaTypes", Texts(["CD"])), ("Image", Image), ("Inserted", Image is not null), ("Actions", new JsonObject
        {
            ["#VirtualMedia.InsertMedia"] = new JsonObject { ["target"] = path + "/Actions/VirtualMedia.InsertMedia" }, ["#VirtualMedia.EjectMedia"] = new JsonObject { ["target"] = path + "/Actions/VirtualMedia.EjectMedia" },
        }))),
        _ => FailAsync(context, 404, "There is nothing here."),
    };

    JsonObject Machine(string path)
    {
        var boot = (JsonObject)Boot.DeepClone();
        boot["BootSourceOverrideTarget@Redfish.AllowableValues"] = Texts(["None", "Pxe", "Hdd", "Cd", "BiosSetup", "UefiHttp"]);
        return Resource("ComputerSystem", path, ("@odata.etag", $"\"{ETag}\""), ("UUID", "4c4c4544-0057-4610-8038-b2c04f385032"), ("Manufacturer", "Example"), ("Model", "R1"), ("SerialNumber", "S1"),
            ("PowerState", PowerState), ("Boot", boot), ("LocationIndicatorActive", Light), ("EthernetInterfaces", Link(path + "/Nics")), ("LogServices", Link(path + "/Logs")),
            ("Links", new JsonObject { ["ManagedBy"] = new JsonArray(Link("/redfish/v1/Managers/1")) }),
            ("Actions", new JsonObject { ["#ComputerSystem.Reset"] = new JsonObject { ["target"] = path + "/Actions/ComputerSystem.Reset", ["@Redfish.ActionInfo"] = path + "/ResetInfo" } }));
    }

    static JsonObject Entries(string path, int id, string next) => Resource("LogEntryCollection", path, ("Members@odata.nextLink", next), ("Members", new JsonArray(new JsonObject
    {
        ["Id"] = $"{id}", ["Created"] = $"2026-01-0{id}T00:00:00Z", ["Message"] = $"event {id}", ["EntryType"] = "SEL",
    })));

    static JsonObject Collection(string path, params string[] members) => Resource("Collection", path, ("Members", new JsonArray([.. members.Select(Link)])));

    static JsonObject Link(string path) => new() { ["@odata.id"] = path };

    static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);

    static JsonObject Resource(string type, string path, params (string Name, JsonNode? Value)[] fields)
    {
        var resource = new JsonObject { ["@odata.id"] = path, ["@odata.type"] = $"#{type}.v1_0_0.{type}" };
        foreach (var (name, value) in fields) resource[name] = value;
        return resource;
    }

    static Task SayAsync(HttpContext context, JsonObject body, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString());
    }

    public static Task FailAsync(HttpContext context, int status, string message) => SayAsync(context, new JsonObject
    {
        ["error"] = new JsonObject { ["code"] = "Base.1.0.GeneralError", ["message"] = "See ExtendedInfo.", ["@Message.ExtendedInfo"] = new JsonArray(new JsonObject { ["Message"] = message }) },
    }, status);
}
