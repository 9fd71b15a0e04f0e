using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Power.Redfish;

/// <summary>Sensors, log, inventory and virtual media: what takes other resources than the machine's own.</summary>
sealed partial class RedfishBmc
{
    /// <summary>Pages and members that are followed at most: a chain that bites its own tail ends here.</summary>
    const int MostPages = 50;
    const int MostNics = 64;
    const int MostSensors = 256;
    const int MostEvents = 4096;

    public async Task<IReadOnlyList<SensorReading>> ReadSensorsAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        List<SensorReading> readings = [];
        foreach (var chassis in LinksOf(system, "Chassis").Take(MostPages))
        {
            if (await session.TryGetAsync(chassis, cancellationToken) is not { } resource) continue;
            var before = readings.Count;
            if (await session.TryGetAsync(resource.Link("Thermal"), cancellationToken) is { } thermal)
            {
                readings.AddRange(thermal.Items("Temperatures").Select(item => Reading(item, "Temperature", "ReadingCelsius", "°C")));
                readings.AddRange(thermal.Items("Fans").Select(item => Reading(item, "Fan", "Reading", RedfishResource.TextOf(item, "ReadingUnits") ?? "RPM")));
            }
            if (await session.TryGetAsync(resource.Link("Power"), cancellationToken) is { } power)
            {
                readings.AddRange(power.Items("Voltages").Select(item => Reading(item, "Voltage", "ReadingVolts", "V")));
                readings.AddRange(power.Items("PowerControl").Select(item => Reading(item, "Power", "PowerConsumedWatts", "W")));
            }
            // The newer services have a resource for each sensor instead: one page becomes many.
            if (readings.Count == before) await ReadSensorResourcesAsync(resource, readings, cancellationToken);
        }
        return readings;
    }

    async Task ReadSensorResourcesAsync(RedfishResource chassis, List<SensorReading> readings, CancellationToken cancellationToken)
    {
        var sensors = await session.TryGetAsync(chassis.Link("Sensors"), cancellationToken);
        foreach (var path in (sensors?.Members ?? []).Take(MostSensors))
        {
            if (await session.TryGetAsync(path, cancellationToken) is { } sensor) readings.Add(Reading(sensor.Json, sensor.Text("ReadingType") ?? "Sensor", "Reading", UnitOf(sensor.Text("ReadingUnits"))));
        }
    }

    /// <summary>Units are UCUM codes there; these two are not what people write.</summary>
    static string UnitOf(string? code) => code switch { "Cel" => "°C", "{rev}/min" => "RPM", null => "", _ => code };

    public async Task<EventLogSize> GetEventLogSizeAsync(CancellationToken cancellationToken) => new((await ReadEventsAsync(cancellationToken)).Count, HasOverflowed: false);

    public async Task<IReadOnlyList<DeviceEvent>> ReadEventsAsync(CancellationToken cancellationToken)
    {
        List<DeviceEvent> events = [];
        if (await LogAsync(cancellationToken) is not { } log) return events;
        var page = await session.TryGetAsync(log.Link("Entries"), cancellationToken);
        for (var pages = 0; page is not null && pages < MostPages && events.Count < MostEvents; pages++)
        {
            events.AddRange(page.Items("Members").Where(entry => entry.TryGetProperty("Message", out _)).Select(Tell));
            page = await session.TryGetAsync(RedfishPath.TryRead(page.Text("Members@odata.nextLink"), out var next) ? next : null, cancellationToken);
        }
        return [.. events.OrderBy(entry => entry.At ?? DateTimeOffset.MinValue)];
    }

    public async IAsyncEnumerable<DeviceEvent> WatchEventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var service = await session.TryGetAsync((await session.GetAsync(RedfishPath.Root, cancellationToken)).Link("EventService"), cancellationToken);
        if (service is null || RedfishResource.FlagOf(service.Json, "ServiceEnabled") == false || !RedfishPath.TryRead(service.Text("ServerSentEventUri"), out var stream))
            throw Unsupported("offers no stream of events");
        await foreach (var message in session.StreamAsync(stream, cancellationToken))
        {
            foreach (var item in RedfishResource.ItemsOf(message, "Events").Take(MostEvents)) yield return Notice(item);
        }
    }

    public async Task ClearEventsAsync(CancellationToken cancellationToken)
    {
        var log = await LogAsync(cancellationToken);
        if (log?.Object("Actions") is not { } actions || RedfishResource.ObjectOf(actions, "#LogService.ClearLog") is not { } clear || !RedfishPath.TryRead(RedfishResource.TextOf(clear, "target"), out var target))
            throw Unsupported("has no event log that could be emptied");
        await session.PostAsync(target, [], cancellationToken);
    }

    public async Task<IReadOnlyList<PartLabel>> ReadPartsAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        List<PartLabel> parts = [Label(system, system.Text("Name") ?? "System")];
        foreach (var chassis in LinksOf(system, "Chassis").Take(MostPages))
        {
            if (await session.TryGetAsync(chassis, cancellationToken) is { } resource) parts.Add(Label(resource, resource.Text("Name") ?? "Chassis"));
        }
        return parts;
    }

    public async Task<IReadOnlyList<Guid>> ReadSystemUuidAsync(CancellationToken cancellationToken) =>
        Guid.TryParse((await MachineAsync(cancellationToken)).Text("UUID"), out var uuid) && uuid != Guid.Empty ? [uuid] : [];

    public async Task<IReadOnlyList<MacAddress>> ReadMachineMacsAsync(CancellationToken cancellationToken)
    {
        List<MacAddress> macs = [];
        if (await session.TryGetAsync((await MachineAsync(cancellationToken)).Link("EthernetInterfaces"), cancellationToken) is not { } nics) return macs;
        foreach (var path in nics.Members.Take(MostNics))
        {
            if (await session.TryGetAsync(path, cancellationToken) is not { } nic) continue;
            if (MacAddress.TryParse(nic.Text("PermanentMACAddress") ?? nic.Text("MACAddress"), CultureInfo.InvariantCulture, out var mac) && mac != default) macs.Add(mac);
        }
        return macs;
    }

    public async Task<IReadOnlyList<MediaDrive>> ListMediaAsync(CancellationToken cancellationToken) =>
        [.. (await DrivesAsync(cancellationToken)).Select(drive => new MediaDrive(drive.Text("Name") ?? drive.Path.ToString(), KindsOf(drive), ImageIn(drive)))];

    public async Task InsertMediaAsync(Uri image, CancellationToken cancellationToken)
    {
        var drives = await DrivesAsync(cancellationToken);
        if (drives.Count == 0) throw Unsupported("has no virtual media");
        var drive = drives.FirstOrDefault(d => KindsOf(d).Any(kind => kind is "CD" or "DVD")) ?? drives[0];
        if (ImageIn(drive) is not null) await EjectAsync(drive, cancellationToken);
        if (ActionOf(drive, "#VirtualMedia.InsertMedia") is not { } insert)
        {
            await session.PatchAsync(drive, new() { ["Image"] = image.AbsoluteUri, ["Inserted"] = true }, cancellationToken);
            return;
        }
        var body = new JsonObject { ["Image"] = image.AbsoluteUri, ["Inserted"] = true, ["WriteProtected"] = true };
        try
        {
            await session.PostAsync(insert, body, cancellationToken);
        }
        catch (Hosting.DeviceException e) when (e.Message.Contains("TransferProtocolType", StringComparison.Ordinal))
        {
            // Told in the image's address already, and asked for once more by some.
            body["TransferProtocolType"] = image.Scheme.ToUpperInvariant();
            await session.PostAsync(insert, body, cancellationToken);
        }
    }

    public async Task EjectMediaAsync(CancellationToken cancellationToken)
    {
        foreach (var drive in (await DrivesAsync(cancellationToken)).Where(drive => ImageIn(drive) is not null)) await EjectAsync(drive, cancellationToken);
    }

    Task EjectAsync(RedfishResource drive, CancellationToken cancellationToken) => ActionOf(drive, "#VirtualMedia.EjectMedia") is { } eject
        ? session.PostAsync(eject, [], cancellationToken)
        : session.PatchAsync(drive, new() { ["Image"] = null, ["Inserted"] = false }, cancellationToken);

    /// <summary>Beside the machine in newer services, beside its manager in older ones.</summary>
    async Task<IReadOnlyList<RedfishResource>> DrivesAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        var collection = await session.TryGetAsync(system.Link("VirtualMedia"), cancellationToken);
        if (collection is null && LinksOf(system, "ManagedBy").FirstOrDefault() is var manager && manager != default)
        {
            collection = await session.TryGetAsync((await session.TryGetAsync(manager, cancellationToken))?.Link("VirtualMedia"), cancellationToken);
        }
        List<RedfishResource> drives = [];
        foreach (var path in (collection?.Members ?? []).Take(MostPages))
        {
            if (await session.TryGetAsync(path, cancellationToken) is { } drive) drives.Add(drive);
        }
        return drives;
    }

    /// <summary>The machine's log, or its manager's; where there are several, the one that is called the event log.</summary>
    async Task<RedfishResource?> LogAsync(CancellationToken cancellationToken)
    {
        var system = await MachineAsync(cancellationToken);
        List<RedfishPath?> services = [system.Link("LogServices")];
        foreach (var manager in LinksOf(system, "ManagedBy").Take(1)) services.Add((await session.TryGetAsync(manager, cancellationToken))?.Link("LogServices"));
        foreach (var service in services)
        {
            if (await session.TryGetAsync(service, cancellationToken) is not { } collection) continue;
            var members = collection.Members.ToList();
            var chosen = members.FirstOrDefault(path => path.ToString().EndsWith("/Sel", StringComparison.OrdinalIgnoreCase)) is var sel && sel != default ? sel : members.FirstOrDefault();
            if (chosen != default && await session.TryGetAsync(chosen, cancellationToken) is { } log) return log;
        }
        return null;
    }

    static IEnumerable<RedfishPath> LinksOf(RedfishResource system, string name)
    {
        if (system.Object("Links") is not { } links) yield break;
        foreach (var item in RedfishResource.ItemsOf(links, name))
        {
            if (RedfishPath.TryRead(RedfishResource.TextOf(item, "@odata.id"), out var path)) yield return path;
        }
    }

    static RedfishPath? ActionOf(RedfishResource resource, string name) =>
        resource.Object("Actions") is { } actions && RedfishResource.ObjectOf(actions, name) is { } action && RedfishPath.TryRead(RedfishResource.TextOf(action, "target"), out var target) ? target : null;

    static IReadOnlyList<string> KindsOf(RedfishResource drive) => RedfishResource.TextsOf(drive.Json, "MediaTypes") ?? [];

    static string? ImageIn(RedfishResource drive) => RedfishResource.FlagOf(drive.Json, "Inserted") == false ? null : drive.Text("Image") is { Length: > 0 } image ? image : null;

    static SensorReading Reading(JsonElement item, string kind, string value, string unit) => new()
    {
        Name = RedfishResource.TextOf(item, "Name") ?? RedfishResource.TextOf(item, "FanName") ?? kind,
        Kind = kind,
        Value = RedfishResource.NumberOf(item, value),
        Unit = unit,
        Health = RedfishResource.ObjectOf(item, "Status") is { } status
            ? HealthIn(RedfishResource.TextOf(status, "Health"))
            : SensorHealth.Unknown,
    };

    static DeviceEvent Tell(JsonElement entry) => new()
    {
        Id = RedfishResource.TextOf(entry, "Id") ?? "",
        At = DateTimeOffset.TryParse(RedfishResource.TextOf(entry, "Created"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null,
        Source = RedfishResource.TextOf(entry, "SensorType") ?? RedfishResource.TextOf(entry, "EntryType") ?? "log",
        Text = RedfishResource.TextOf(entry, "Message") ?? "",
        Health = HealthIn(RedfishResource.TextOf(entry, "Severity")),
    };

    /// <summary>An event as it is sent, which has other names for its fields than an entry of the log.</summary>
    static DeviceEvent Notice(JsonElement item) => new()
    {
        Id = RedfishResource.TextOf(item, "EventId") ?? "",
        At = DateTimeOffset.TryParse(RedfishResource.TextOf(item, "EventTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null,
        Source = RedfishResource.LinkOf(item, "OriginOfCondition")?.ToString() ?? RedfishResource.TextOf(item, "EventType") ?? "event",
        Text = RedfishResource.TextOf(item, "Message") is { Length: > 0 } message ? message : RedfishResource.TextOf(item, "MessageId") ?? "",
        Health = HealthIn(RedfishResource.TextOf(item, "MessageSeverity") ?? RedfishResource.TextOf(item, "Severity")),
    };

    static SensorHealth HealthIn(string? word) => word switch { "OK" => SensorHealth.Ok, "Warning" => SensorHealth.Warning, "Critical" => SensorHealth.Critical, _ => SensorHealth.Unknown };

    static PartLabel Label(RedfishResource resource, string name) => new()
    {
        Name = name,
        Maker = Known(resource, "Manufacturer"),
        Product = Known(resource, "Model"),
        PartNumber = Known(resource, "PartNumber"),
        Serial = Known(resource, "SerialNumber"),
        AssetTag = Known(resource, "AssetTag"),
    };

    static string? Known(RedfishResource resource, string field) => resource.Text(field) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
