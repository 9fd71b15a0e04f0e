using System.Globalization;
using System.Text;
using GridAppliance.Api.Ports;
using GridAppliance.Consoles;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Power;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class PortEndpoints
{
    const int MostSecret = 128;
    const int MostText = 200;
    const int MostPorts = 5000;
    /// <summary>What a request may wait for: twenty seconds or so.</summary>
    const int MostScanned = 1024;

    /// <summary>How long the first look at a port that was just set may take; its state shows later otherwise.</summary>
    static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(8);

    public static void MapPorts(this IEndpointRouteBuilder api)
    {
        api.MapGet("/ports", List).WithTags("ports").WithName("listPorts").WithSummary("Every privileged port, or those of the nodes of ?range=. Secrets are never shown.").ProducesProblem(400);
        api.MapPost("/ports/import", Import).WithTags("ports").WithName("importPorts").WithSummary("Take in ports whose nodes are found out when they boot.").ProducesProblem(400);
        api.MapPost("/discover/bmc", Scan).WithTags("ports").WithName("scanForBmcs").WithSummary("Look for BMCs in a range of addresses.").ProducesProblem(400);
        api.MapPost("/ports/boot", Boot).WithTags("ports").WithName("bootPorts").WithSummary("Make machines that are no node yet boot from the network.").ProducesProblem(400);
        var ports = api.MapGroup("/nodes/{name}/ports").WithTags("ports");
        ports.MapGet("/", Of).WithName("getPorts").WithSummary("A node's privileged ports, the preferred one first.");
        ports.MapPut("/", Set).WithName("setPort").WithSummary("Make or change a port of a node, and look whether it answers.");
        ports.MapDelete("/", Remove).WithName("removePort").WithSummary("Forget the port with ?address=.");
    }

    static Results<Ok<IReadOnlyList<PortDocument>>, ProblemHttpResult> List(string? range, NodeDirectory directory, NodePorts ports)
    {
        var table = ports.Current;
        if (range is null) return TypedResults.Ok<IReadOnlyList<PortDocument>>([.. table.ByAddress.Values.Select(ports.ToDocument).OrderBy(p => p.Address, StringComparer.Ordinal)]);
        if (!RangeSelection.TryRead(range, directory, out var selection, out var problem)) return problem;
        return TypedResults.Ok<IReadOnlyList<PortDocument>>([.. selection.Nodes.SelectMany(node => table.Of(node.Id)).Select(ports.ToDocument)]);
    }

    static Results<Ok<IReadOnlyList<PortDocument>>, ProblemHttpResult> Of(string name, NodeDirectory directory, NodePorts ports) =>
        directory.Current.Find(name) is { } node ? TypedResults.Ok<IReadOnlyList<PortDocument>>([.. ports.Current.Of(node.Id).Select(ports.ToDocument)]) : Problems.NoSuchNode(name);

    static async Task<Results<Ok<PortImportDocument>, ProblemHttpResult>> Import(PortImportRequest request, HttpContext context, NodePorts ports, CancellationToken cancellation)
    {
        if (request.Ports.Count > MostPorts) return Bad($"an import has at most {MostPorts} ports, this one has {request.Ports.Count}");
        var imported = new List<ImportedPortDocument>(request.Ports.Count);
        foreach (var port in request.Ports)
        {
            if (!PortScheme.TryRead(port.Address, out var address, out var defect) || Excess(port, PortScheme.Of(address)) is { } excess && (defect = excess).Length > 0)
            {
                imported.Add(new() { Address = Problems.Short(port.Address), Accepted = false, Message = defect });
                continue;
            }
            var known = ports.Current.Find(address);
            var words = known is null ? "added" : ports.NodeOf(known) is { } owner ? $"changed; it is {owner.Name}'s" : "changed";
            if (!request.DryRun) await ports.SetAsync(known?.NodeId, Setting(port, address, ports), Caller.Of(context).Actor, cancellation);
            imported.Add(new() { Address = address.OriginalString, Accepted = true, Message = request.DryRun ? $"would be {words}" : words });
        }
        return TypedResults.Ok(new PortImportDocument { Ports = imported, DryRun = request.DryRun });
    }

    static async Task<Results<Ok<PortImportDocument>, ProblemHttpResult>> Boot(PortBootRequest request, HttpContext context, NodePorts ports, StrangerBoot boot, CancellationToken cancellation)
    {
        var chosen = new List<NodePort>();
        foreach (var text in request.Addresses ?? [])
        {
            if (!PortScheme.TryRead(text, out var address, out var defect)) return Bad(defect);
            if (ports.Current.Find(address) is not { } port) return Problems.Answer(StatusCodes.Status404NotFound, $"there is no port {address.OriginalString}", "list them with `gridctl port list`");
            chosen.Add(port);
        }
        if (request.Addresses is null) chosen.AddRange(ports.Current.ByAddress.Values.Where(port => ports.NodeOf(port) is null && port.Scheme.Can(typeof(IPowerControl))));
        var booted = await boot.BootAsync(chosen, request.Force, request.DryRun, Caller.Of(context).Actor, cancellation);
        return TypedResults.Ok(new PortImportDocument { Ports = booted, DryRun = request.DryRun });
    }

    static async Task<Results<Ok<BmcScanDocument>, ProblemHttpResult>> Scan(BmcScanRequest request, HttpContext context, NodePorts ports, BmcScan scan, OwnedBmcs owned, Timeline timeline, CancellationToken cancellation)
    {
        if (!TryReadRange(request.Range, out var range)) return Bad("a range is written like 10.1.0.0/24 or 10.1.0.10-10.1.0.90");
        if (range.Count > MostScanned) return Bad($"at most {MostScanned} addresses are looked at at once, this range has {range.Count}");
        if ((request.User is null) != (request.Password is null)) return Bad("an account has a user and a password");
        var actor = Caller.Of(context).Actor;
        var looking = owned.AskAsync(range, cancellation);
        var strangers = await scan.ScanAsync(range, owned.Addresses, cancellation);
        var (knowns, found) = (owned.ByAddress(), strangers.Concat(await looking).OrderBy(bmc => bmc.Address).ToList());
        await timeline.AppendAsync(new NewEvent("port.scan", $"{actor} looked for BMCs in {range}: {found.Count} found") { Actor = actor }, cancellation);
        var documents = new List<FoundBmcDocument>(found.Count);
        foreach (var bmc in found)
        {
            var known = knowns.GetValueOrDefault(bmc.Address)?[0];
            if (known is null && request.User is not null)
            {
                var taken = new PortRequest { Address = scan.AddressOf(bmc), User = request.User, Password = request.Password };
                if (PortScheme.TryRead(taken.Address, out var address, out _) && Excess(taken, PortScheme.Of(address)) is null && await ports.SetAsync(null, Setting(taken, address, ports), actor, cancellation) is PortChange.Done done) known = done.Port;
            }
            documents.Add(new()
            {
                Ip = bmc.Address.ToString(), Ipmi = !bmc.SpeaksIpmi ? null : bmc.SpeaksIpmi20 switch { true => "2.0", false => "1.5", null => "?" }, Redfish = bmc.Redfish, Product = bmc.Product,
                AllowsAnonymous = bmc.AllowsAnonymous, Address = known?.Address.OriginalString, Node = known is null ? null : ports.NodeOf(known)?.Name,
            });
        }
        return TypedResults.Ok(new BmcScanDocument { Range = range.ToString(), Found = documents });
    }

    static bool TryReadRange(string text, out Ipv4Range range)
    {
        if (!Ipv4Network.TryParse(text, CultureInfo.InvariantCulture, out var network)) return Ipv4Range.TryParse(text, CultureInfo.InvariantCulture, out range);
        // The first and the last address of a network are nobody's.
        range = network.PrefixLength >= 31 ? new(network.Network, network.DirectedBroadcast) : new(new(network.Network.Value + 1), new(network.DirectedBroadcast.Value - 1));
        return true;
    }

    static PortSetting Setting(PortRequest request, Uri address, NodePorts ports) => new()
    {
        Address = address,
        User = request.User ?? ports.Current.Find(address)?.User ?? "",
        Password = Octets(request.Password),
        DeviceKey = Octets(request.DeviceKey),
        Location = request.Location,
        ForgetsCertificate = request.NewCertificate,
    };

    static async Task<Results<Ok<PortDocument>, ProblemHttpResult>> Set(
        string name, PortRequest request, HttpContext context, NodeDirectory directory, NodePorts ports, ConsoleReconciler consoles, TimeProvider time, CancellationToken cancellation)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (!PortScheme.TryRead(request.Address, out var address, out var defect)) return Bad(defect);
        if (Excess(request, PortScheme.Of(address)) is { } excess) return Bad(excess);
        switch (await ports.SetAsync(node.Id, Setting(request, address, ports), Caller.Of(context).Actor, cancellation))
        {
            case PortChange.Done done:
                await consoles.ReconcileAsync(cancellation);
                await LookAsync(done.Port, ports, time, cancellation);
                return TypedResults.Ok(ports.ToDocument(ports.Current.Find(address) ?? done.Port));
            case PortChange.BelongsTo taken:
                return Problems.Answer(StatusCodes.Status409Conflict, $"{address.OriginalString} is {taken.Node}'s", $"if it is not, run `gridctl port remove {taken.Node} {address.OriginalString}` first");
            case PortChange.NoSuchPort: throw new InvalidOperationException("a port that is set is there");
            case var other: throw new InvalidOperationException($"a change of no known kind: {other}");
        }
    }

    static async Task<Results<Ok<PortDocument>, ProblemHttpResult>> Remove(string name, string address, HttpContext context, NodeDirectory directory, NodePorts ports, ConsoleReconciler consoles, CancellationToken cancellation)
    {
        if (directory.Current.Find(name) is not { } node) return Problems.NoSuchNode(name);
        if (!PortScheme.TryRead(address, out var read, out var defect)) return Bad(defect);
        if (ports.Current.Find(read) is not { } port || port.NodeId != node.Id || await ports.RemoveAsync(read, Caller.Of(context).Actor, cancellation) is not PortChange.Done)
            return Problems.Answer(StatusCodes.Status404NotFound, $"{node.Name} has no port {read.OriginalString}", $"list them with `gridctl port list {node.Name}`");
        await consoles.ReconcileAsync(cancellation);
        return TypedResults.Ok(port.ToDocument(node.Name, PortState.Unknown));
    }

    /// <summary>A password that is wrong is best told to whoever has just typed it.</summary>
    static async Task LookAsync(NodePort port, NodePorts ports, TimeProvider time, CancellationToken cancellation)
    {
        if (!port.Scheme.Can(typeof(IPowerControl))) return;
        using var patience = new CancellationTokenSource(FirstLook, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            await ports.UseAsync<IPowerControl, PowerState>(port, (power, token) => power.GetPowerAsync(token), either.Token);
        }
        catch (DeviceException)
        {
            // It is in the port's state.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // It is set, and will show whether it answers.
        }
    }

    static string? Excess(PortRequest request, PortScheme scheme)
    {
        var (user, password) = (Encoding.UTF8.GetByteCount(request.User ?? ""), Encoding.UTF8.GetByteCount(request.Password ?? ""));
        if (user > (scheme.MostUser ?? MostText)) return $"a user's name has at most {scheme.MostUser ?? MostText} octets, this one has {user}";
        if (password > (scheme.MostPassword ?? MostSecret)) return $"a password has at most {scheme.MostPassword ?? MostSecret} octets here, this one has {password}";
        if (Encoding.UTF8.GetByteCount(request.DeviceKey ?? "") > MostSecret) return $"a device key has at most {MostSecret} octets";
        return request.Location?.Length > MostText ? $"a location has at most {MostText} characters" : null;
    }

    static ReadOnlyMemory<byte>? Octets(string? secret) => secret is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(secret);

    static ProblemHttpResult Bad(string defect) => Problems.Answer(StatusCodes.Status400BadRequest, defect, "see `gridctl port set --help`");
}
