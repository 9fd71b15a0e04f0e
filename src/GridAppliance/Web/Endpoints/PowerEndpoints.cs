using System.Diagnostics.CodeAnalysis;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Power;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Ports;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class PowerEndpoints
{
    public static void MapPower(this IEndpointRouteBuilder api)
    {
        api.MapGet("/power", Status).WithTags("power").WithName("getPower").WithSummary("The power of every node with a port for it, or of those of ?range=, asked now.").ProducesProblem(400);
        var nodes = api.MapGroup("/nodes").WithTags("power");
        nodes.MapPost("/power", Set).WithName("setPower").WithSummary("Switch the machines of a range on or off, cycle or reset them.");
        nodes.MapPost("/boot", Boot).WithName("setBoot").WithSummary("Say what the machines of a range boot from, once or for good, and restart them if asked.");
        nodes.MapPost("/identify", Identify).WithName("identify").WithSummary("Light the machines of a range for whoever stands before the rack.");
        nodes.MapPost("/power-policy", Policy).WithName("setPowerPolicy").WithSummary("Only observe the power of the nodes of a range, or see to it that what was asked for comes true.");
        nodes.MapGet("/{name}/sensors", Sensors).WithName("getSensors").WithSummary("A node's sensors, read now.");
        nodes.MapGet("/{name}/media", Media).WithName("getMedia").WithSummary("The virtual drives of a node's BMC.");
        nodes.MapPut("/{name}/media", Insert).WithName("insertMedia").WithSummary("Put an image into a virtual drive of a node's BMC.");
        nodes.MapDelete("/{name}/media", Eject).WithName("ejectMedia").WithSummary("Empty the virtual drives of a node's BMC.");
        nodes.MapGet("/{name}/sel", Log).WithName("getDeviceLog").WithSummary("The event log of a node's BMC, oldest first.");
        nodes.MapDelete("/{name}/sel", ClearLog).WithName("clearDeviceLog").WithSummary("Empty the event log of a node's BMC.");
    }

    static async Task<Results<Ok<PowerStatusDocument>, ProblemHttpResult>> Status(string? range, NodeDirectory directory, NodePorts ports, NodePower power, CancellationToken cancellation)
    {
        if (range is null) return TypedResults.Ok(await power.StatusAsync([.. directory.Current.Nodes.Where(node => ports.For<IPowerControl>(node.Id) is not null)], cancellation));
        if (!RangeSelection.TryRead(range, directory, out var selection, out var problem)) return problem;
        var status = await power.StatusAsync(selection.Nodes, cancellation);
        return TypedResults.Ok(status with { Nodes = [.. status.Nodes, .. selection.Missing.Select(name => new NodePowerDocument { Node = name, Power = "unknown", Policy = "observe", Problem = "there is no such node" })] });
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Set(PowerRequest request, HttpContext context, NodeDirectory directory, NodePower power, CancellationToken cancellation) =>
        PowerWords.Actions.TryGetValue(request.Action, out var action)
            ? RangeSelection.ChangeAsync(request.Range, directory, nodes => power.SetAsync(nodes, action, request.Via, request.DryRun, Caller.Of(context).Actor, cancellation))
            : Bad($"'{Problems.Short(request.Action)}' is no power action", PowerWords.Actions.Keys);

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Boot(BootRequest request, HttpContext context, NodeDirectory directory, NodePower power, CancellationToken cancellation)
    {
        var isHttp = request.Device == "http";
        if (!PowerWords.Devices.TryGetValue(isHttp ? "net" : request.Device, out var device)) return Bad($"'{Problems.Short(request.Device)}' is nothing to boot from", [.. PowerWords.Devices.Keys, "http"]);
        Uri? uri = null;
        if (request.Uri is not null && (!isHttp || !IsWebAddress(request.Uri, out uri))) return Bad("the address of a boot file goes with http, and is one of http or https", []);
        if (isHttp && request.Persistent) return Bad("HTTP boot is for the next boot only", []);
        if (request.Firmware is not (null or "bios" or "uefi")) return Bad($"'{Problems.Short(request.Firmware)}' is no firmware", ["bios", "uefi"]);
        BootFirmware? firmware = request.Firmware switch { null => null, "bios" => BootFirmware.Bios, _ => BootFirmware.Uefi };
        var order = new BootOrder(device, request.Persistent, request.Power, firmware, request.Via) { IsHttp = isHttp, HttpUri = uri };
        return RangeSelection.ChangeAsync(request.Range, directory, nodes => power.BootAsync(nodes, order, request.DryRun, Caller.Of(context).Actor, cancellation));
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Identify(IdentifyRequest request, HttpContext context, NodeDirectory directory, NodePower power, CancellationToken cancellation) =>
        request.Seconds is < 0 or > 255
            ? Bad("a light is on for 0 to 255 seconds, or without a limit", [])
            : RangeSelection.ChangeAsync(request.Range, directory, nodes => power.IdentifyAsync(nodes, request.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, request.DryRun, Caller.Of(context).Actor, cancellation));

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Policy(PowerPolicyRequest request, HttpContext context, NodeDirectory directory, NodePower power, CancellationToken cancellation) =>
        request.Policy is "observe" or "enforce"
            ? RangeSelection.ChangeAsync(request.Range, directory, nodes => power.SetPolicyAsync(nodes, request.Policy == "enforce", request.DryRun, Caller.Of(context).Actor, cancellation))
            : Bad($"'{Problems.Short(request.Policy)}' is no policy", ["observe", "enforce"]);

    static Task<Results<Ok<SensorsDocument>, ProblemHttpResult>> Sensors(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation) =>
        Ask<ISensorSource, SensorsDocument>(name, directory, ports, async (node, source) => new()
        {
            Node = node.Name,
            Sensors = [.. (await source.ReadSensorsAsync(cancellation)).Select(reading => new SensorDocument
            {
                Name = reading.Name, Kind = reading.Kind, Value = reading.Value, Unit = reading.Unit.Length == 0 ? null : reading.Unit, Health = reading.Health.ToString().ToLowerInvariant(),
            })],
        }, cancellation);

    static Task<Results<Ok<DeviceLogDocument>, ProblemHttpResult>> Log(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation) =>
        Ask<IEventLog, DeviceLogDocument>(name, directory, ports, async (node, log) => Tell(node, await log.ReadEventsAsync(cancellation)), cancellation);

    static Task<Results<Ok<DeviceLogDocument>, ProblemHttpResult>> ClearLog(string name, HttpContext context, NodeDirectory directory, NodePorts ports, Timeline timeline, CancellationToken cancellation) =>
        Ask<IEventLog, DeviceLogDocument>(name, directory, ports, async (node, log) =>
        {
            await log.ClearEventsAsync(cancellation);
            var actor = Caller.Of(context).Actor;
            await timeline.AppendAsync(NewEvent.About(node, "port.log-cleared", $"the event log of {node.Name}'s BMC was emptied by {actor}") with { Actor = actor }, cancellation);
            return Tell(node, []);
        }, cancellation);

    static Task<Results<Ok<MediaDocument>, ProblemHttpResult>> Media(string name, NodeDirectory directory, NodePorts ports, CancellationToken cancellation) =>
        Ask<IVirtualMedia, MediaDocument>(name, directory, ports, (node, media) => DrivesAsync(node, media, cancellation), cancellation);

    static async Task<Results<Ok<MediaDocument>, ProblemHttpResult>> Insert(string name, MediaRequest request, HttpContext context, NodeDirectory directory, NodePorts ports, Timeline timeline, CancellationToken cancellation)
    {
        if (!IsWebAddress(request.Image, out var image)) return Problems.Answer(StatusCodes.Status400BadRequest, "an image is an address of http or https");
        return await Ask<IVirtualMedia, MediaDocument>(name, directory, ports, async (node, media) =>
        {
            await media.InsertMediaAsync(image, cancellation);
            return await TellAsync(node, $"{image} was put into {node.Name}'s virtual drive", context, media, timeline, cancellation);
        }, cancellation);
    }

    static Task<Results<Ok<MediaDocument>, ProblemHttpResult>> Eject(string name, HttpContext context, NodeDirectory directory, NodePorts ports, Timeline timeline, CancellationToken cancellation) =>
        Ask<IVirtualMedia, MediaDocument>(name, directory, ports, async (node, media) =>
        {
            await media.EjectMediaAsync(cancellation);
            return await TellAsync(node, $"{node.Name}'s virtual drives were emptied", context, media, timeline, cancellation);
        }, cancellation);

    static async Task<MediaDocument> TellAsync(Node node, string message, HttpContext context, IVirtualMedia media, Timeline timeline, CancellationToken cancellation)
    {
        var actor = Caller.Of(context).Actor;
        await timeline.AppendAsync(NewEvent.About(node, "port.media", $"{message} by {actor}") with { Actor = actor }, cancellation);
        return await DrivesAsync(node, media, cancellation);
    }

    static async Task<MediaDocument> DrivesAsync(Node node, IVirtualMedia media, CancellationToken cancellation) => new()
    {
        Node = node.Name, Drives = [.. (await media.ListMediaAsync(cancellation)).Select(drive => new MediaDriveDocument { Name = drive.Name, Kinds = drive.Kinds, Image = drive.Image })],
    };

    /// <summary>An address with an account in it would put that into the device's pages and our timeline.</summary>
    static bool IsWebAddress(string text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.Scheme is "http" or "https" && uri is { UserInfo.Length: 0, OriginalString.Length: <= 255 };

    static DeviceLogDocument Tell(Node node, IReadOnlyList<DeviceEvent> events) => new()
    {
        Node = node.Name, Events = [.. events.Select(e => new DeviceEventDocument { Id = e.Id, At = e.At, Source = e.Source, Text = e.Text, IsOver = e.IsOver })],
    };

    static async Task<Results<Ok<TDocument>, ProblemHttpResult>> Ask<T, TDocument>(string name, NodeDirectory directory, NodePorts ports, Func<Node, T, Task<TDocument>> ask, CancellationToken cancellation)
        where T : class
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (ports.For<T>(node.Id) is not { } port) return Problems.Answer(StatusCodes.Status409Conflict, $"{node.Name} has no port that can tell this", $"tell its BMC with `gridctl port set {node.Name} ipmi://…`");
        return await DeviceAnswer.OfAsync<TDocument>($"see `gridctl why {node.Name}`", async () => TypedResults.Ok(await ports.UseAsync<T, TDocument>(port, (device, _) => ask(node, device), cancellation)));
    }

    static Task<Results<Ok<ChangeDocument>, ProblemHttpResult>> Bad(string detail, IEnumerable<string> words) =>
        Task.FromResult<Results<Ok<ChangeDocument>, ProblemHttpResult>>(Problems.Answer(StatusCodes.Status400BadRequest, detail, words.Any() ? $"write one of {string.Join(", ", words.Order())}" : null));
}
