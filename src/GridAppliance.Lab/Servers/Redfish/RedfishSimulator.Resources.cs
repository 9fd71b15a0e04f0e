using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace GridAppliance.Lab.Servers.Redfish;

/// <summary>The resources that it has, and what of them outlives it.</summary>
sealed partial class RedfishSimulator
{
    JsonObject Root(string path) => HasEvents
        ? Resource("ServiceRoot", path, ("RedfishVersion", "1.15.0"), ("Vendor", "GridLab"), ("Product", "Simulator"), ("UUID", options.Uuid.ToString()), ("Systems", Link("/redfish/v1/Systems")), ("EventService", Link("/redfish/v1/EventService")))
        : Resource("ServiceRoot", path, ("RedfishVersion", "1.15.0"), ("UUID", options.Uuid.ToString()), ("Systems", Link("/redfish/v1/Systems")));

    async Task GetAsync(HttpContext context, string path)
    {
        if (options.Chassis is { } chassis && path == "/redfish/v1/Systems/1") PowerState = await chassis.IsOnAsync(context.RequestAborted) ? "On" : "Off";
        await AnswerAsync(context, path);
    }

    Task AnswerAsync(HttpContext context, string path) => path switch
    {
        "/redfish/v1/EventService" when HasEvents => SayAsync(context, Resource("EventService", path, ("ServiceEnabled", true), ("ServerSentEventUri", path + "/SSE"))),
        "/redfish/v1/EventService/SSE" when HasEvents => StreamAsync(context),
        "/redfish/v1/Systems" => SayAsync(context, Collection(path, "/redfish/v1/Systems/1")),
        "/redfish/v1/Systems/1" => SayAsync(context, Machine(path)),
        "/redfish/v1/Systems/1/ResetInfo" => SayAsync(context, Resource("ActionInfo", path, ("Parameters", new JsonArray(new JsonObject { ["Name"] = "ResetType", ["AllowableValues"] = Texts(ResetTypes) })))),
        "/redfish/v1/Systems/1/Nics" => SayAsync(context, Collection(path, "/redfish/v1/Systems/1/Nics/1")),
        "/redfish/v1/Systems/1/Nics/1" => SayAsync(context, Resource("EthernetInterface", path, ("MACAddress", options.Mac))),
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
        return Resource("ComputerSystem", path, ("@odata.etag", $"\"{ETag}\""), ("UUID", options.Uuid.ToString()), ("Manufacturer", options.Maker), ("Model", options.Model), ("SerialNumber", options.Serial),
            ("PowerState", PowerState), ("Boot", boot), ("LocationIndicatorActive", Light), ("EthernetInterfaces", Link(path + "/Nics")), ("LogServices", Link(path + "/Logs")),
            ("Links", new JsonObject { ["ManagedBy"] = new JsonArray(Link("/redfish/v1/Managers/1")) }),
            ("Actions", new JsonObject { ["#ComputerSystem.Reset"] = new JsonObject { ["target"] = path + "/Actions/ComputerSystem.Reset", ["@Redfish.ActionInfo"] = path + "/ResetInfo" } }));
    }

    JsonObject Entries(string path, int id, string next)
    {
        var first = new JsonObject { ["Id"] = $"{id}", ["Created"] = $"2026-01-0{id}T00:00:00Z", ["Message"] = $"event {id}", ["EntryType"] = "SEL" };
        lock (gate) return Resource("LogEntryCollection", path, ("Members@odata.nextLink", next), ("Members", new JsonArray([first, .. id == 1 ? raised.Select(entry => entry!.DeepClone()) : []])));
    }

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

    /// <summary>A BMC that came back with another certificate would be a stranger, and be told nothing.</summary>
    X509Certificate2? KeptCertificate()
    {
        if (options.StateFile is not { } state) return null;
        var file = state + ".pfx";
        if (!File.Exists(file)) File.WriteAllBytes(file, NewCertificate().Export(X509ContentType.Pkcs12));
        return X509CertificateLoader.LoadPkcs12FromFile(file, null);
    }

    /// <summary>Boot device, light and image survive a restart of the BMC.</summary>
    void Keep()
    {
        if (options.StateFile is { } file) File.WriteAllText(file, new JsonObject { [nameof(Boot)] = Boot.DeepClone(), [nameof(Light)] = Light, [nameof(Image)] = Image }.ToJsonString());
    }

    void Restore()
    {
        if (options.StateFile is not { } file || !File.Exists(file) || JsonNode.Parse(File.ReadAllText(file)) is not JsonObject kept) return;
        foreach (var (name, value) in kept[nameof(Boot)]!.AsObject()) Boot[name] = value?.DeepClone();
        (Light, Image) = ((bool)kept[nameof(Light)]!, (string?)kept[nameof(Image)]);
    }
}
