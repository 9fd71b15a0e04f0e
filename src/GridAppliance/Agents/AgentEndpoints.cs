using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Boot;
using GridAppliance.Boot.Http;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Resources;
using GridAppliance.Store;
using Microsoft.AspNetCore.WebUtilities;

namespace GridAppliance.Agents;

/// <summary>
/// <c>/agent/v1</c> on the boot plane; the protocol stands at the top of <see cref="EnrollRequest"/>'s file. 401 means "this appliance does not take your key": the agent
/// enrols again. 403 means no, and no again. 503 means later.
/// </summary>
sealed partial class AgentEndpoints(AgentEnrolment enrolment, AgentSessions sessions, AgentPresence presence, AgentOrders orders, OrderWaiters waiters, ModuleFiles modules, ModuleMirror mirror,
    ResourceLedger ledger, ManagerRelations relations, BootTickets tickets, OrderSecrets secrets, NodeDirectory nodes, ApplianceKey key, BootReporter clients, TimeProvider time, ILogger<AgentEndpoints> logger) : IBootPlaneEndpoints
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        var plane = endpoints.MapGroup("/agent/v1");
        plane.MapPost("/enroll", Guarded(EnrolAsync));
        plane.MapPost("/heartbeat", Guarded(Signed(HeartbeatAsync)));
        plane.MapGet("/order", Guarded(Signed(NextOrderAsync)));
        plane.MapPost("/order/{id}", Guarded(Signed(ReportAsync)));
        plane.MapPost("/boot", Guarded(Signed(BootAsync)));
        plane.MapPost("/secret", Guarded(Signed(SecretAsync)));
        plane.MapGet("/module/{digest}", Guarded(Signed(ModuleAsync)));
    }

    async Task EnrolAsync(HttpContext context)
    {
        var arrived = time.GetTimestamp();
        if (await AgentBody.ReadAsync(context, context.RequestAborted) is not { } body || AgentInput.Clean(Parse(body, ApiJson.Default.EnrollRequest)) is not { } request)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "the body is not an enrolment");
            return;
        }
        switch (await enrolment.EnrolAsync(request, clients.Identify(context.BootNetwork, context.ClientAddress), arrived, context.RequestAborted))
        {
            case EnrolmentAnswer.Enrolled enrolled: await Write(context, enrolled.Response, ApiJson.Default.EnrollResponse); break;
            case EnrolmentAnswer.Refused refused: await Refuse(context, StatusCodes.Status403Forbidden, refused.Reason); break;
        }
    }

    async Task HeartbeatAsync(HttpContext context, Node node, byte[] body, long counter)
    {
        if (AgentInput.Clean(Parse(body, ApiJson.Default.HeartbeatRequest)) is not { } heartbeat)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "the body is not a heartbeat");
            return;
        }
        bool TryMakeLastWord() => sessions.TryMakeLastWord(node.Id, counter);
        var from = context.BootNetwork.Behind.Append(context.BootNetwork).Any(network => network.Address.Contains(context.ClientAddress)) ? context.ClientAddress : (Ipv4Address?)null;
        await presence.HeardAsync(node, heartbeat, from, TryMakeLastWord, context.RequestAborted);
        await mirror.KeepAsync(node.Id, heartbeat.Changes, TryMakeLastWord, context.RequestAborted);
        ledger.Heard(node.Id, heartbeat.Holdings);
        await relations.HeardAsync(node, heartbeat.RelationVersion, context.RequestAborted);
        await Write(context, new() { HeartbeatSeconds = AgentPolicy.NextHeartbeat(nodes.Current.ById.Count, Random.Shared), OrderWaiting = orders.HasOrder(node.Id) }, ApiJson.Default.HeartbeatResponse);
    }

    async Task NextOrderAsync(HttpContext context, Node node, byte[] body, long counter)
    {
        var seconds = int.TryParse(context.Request.Query["wait"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : 0;
        var wait = TimeSpan.FromSeconds(Math.Min(seconds, AgentPolicy.LongestWait.TotalSeconds));
        if (!orders.HasOrder(node.Id) && wait > TimeSpan.Zero) await waiters.WaitAsync(node.Id, wait, () => orders.HasOrder(node.Id), context.RequestAborted);
        if (await orders.TakeAsync(node.Id, context.RequestAborted) is not { } order)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        var bytes = JsonSerializer.SerializeToUtf8Bytes(order.Document, ApiJson.Default.OrderDocument);
        await Write(context, new()
        {
            Order = Convert.ToBase64String(bytes), Signature = Convert.ToBase64String(key.Sign(bytes)),
            Freshness = Convert.ToBase64String(key.Sign(AgentSignature.FreshText(node.Id.ToString(), counter, bytes))),
        }, ApiJson.Default.OrderEnvelope);
    }

    async Task ReportAsync(HttpContext context, Node node, byte[] body, long counter)
    {
        if (AgentInput.Clean(Parse(body, ApiJson.Default.OrderResult)) is not { } result)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, "the body is not an order's result");
            return;
        }
        // Before the order ends: whoever waits for that finds the node as it is now.
        bool TryMakeLastWord() => sessions.TryMakeLastWord(node.Id, counter);
        await presence.HasModulesAsync(node, result.Modules, TryMakeLastWord, context.RequestAborted);
        await mirror.KeepAsync(node.Id, result.Changes, TryMakeLastWord, context.RequestAborted);
        if (await orders.ReportAsync(node.Id, context.Request.RouteValues["id"] as string ?? "", result, context.RequestAborted)) context.Response.StatusCode = StatusCodes.Status204NoContent;
        else await Refuse(context, StatusCodes.Status404NotFound, $"{node.Name} has no such order");
    }

    async Task BootAsync(HttpContext context, Node node, byte[] body)
    {
        if (await tickets.IssueAsync(node, clients.Identify(context.BootNetwork, context.ClientAddress), context.RequestAborted) is { } ticket) await Write(context, ticket, ApiJson.Default.BootTicket);
        else await Refuse(context, StatusCodes.Status404NotFound, $"no order asks {node.Name} to boot");
    }

    async Task SecretAsync(HttpContext context, Node node, byte[] body)
    {
        if (Parse(body, ApiJson.Default.SecretRequest) is { OrderId: not null, Name: not null, SealTo: not null } request && secrets.Seal(node, request) is { } answer) await Write(context, answer, ApiJson.Default.SecretAnswer);
        else await Refuse(context, StatusCodes.Status404NotFound, $"no order of {node.Name} names such a secret");
    }

    async Task ModuleAsync(HttpContext context, Node node, byte[] body)
    {
        var digest = context.Request.RouteValues["digest"] as string ?? "";
        if (!orders.Names(node.Id, digest) || modules.Open(digest) is not { } file)
        {
            await Refuse(context, StatusCodes.Status404NotFound, $"no order of {node.Name} names such a package");
            return;
        }
        await using (file)
        {
            context.Response.ContentType = "application/octet-stream";
            context.Response.ContentLength = file.Length;
            await file.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }

    RequestDelegate Signed(Func<HttpContext, Node, byte[], Task> handler) => Signed((context, node, body, _) => handler(context, node, body));

    RequestDelegate Signed(Func<HttpContext, Node, byte[], long, Task> handler) => async context =>
    {
        switch (await SignedCall.ReadAsync(context, nodes, sessions, context.RequestAborted))
        {
            case { Node: { State: NodeState.Retired } retired }: await Refuse(context, StatusCodes.Status403Forbidden, $"{retired.Name} is retired"); break;
            case { Node: { } node, Body: var body, Counter: var counter }: await handler(context, node, body, counter); break;
            case { Refusal: var refusal }: await Refuse(context, StatusCodes.Status401Unauthorized, refusal ?? "not believed"); break;
        }
    };

    /// <summary>The boundary at which what went wrong below becomes an answer.</summary>
    RequestDelegate Guarded(RequestDelegate handler) => async context =>
    {
        try
        {
            await handler(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The agent hung up, or we stop: nobody reads the answer.
        }
        catch (BadHttpRequestException e)
        {
            await Refuse(context, e.StatusCode, "the request is not acceptable");
        }
        catch (StoreException e)
        {
            LogNotStored(context.Request.Path, e.Message);
            await Refuse(context, StatusCodes.Status503ServiceUnavailable, e.Message);
        }
    };

    static T? Parse<T>(byte[] body, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static Task Write<T>(HttpContext context, T document, JsonTypeInfo<T> type) => context.Response.WriteAsJsonAsync(document, type, "application/json", context.RequestAborted);

    static Task Refuse(HttpContext context, int status, string detail)
    {
        if (context.Response.HasStarted) return Task.CompletedTask;
        context.Response.StatusCode = status;
        // Each spreads it over as much again: see the agent's Backoff.
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "5";
        return context.Response.WriteAsJsonAsync(new ProblemDocument { Title = ReasonPhrases.GetReasonPhrase(status), Status = status, Detail = detail },
            ApiJson.Default.ProblemDocument, "application/problem+json", context.RequestAborted);
    }

    [LoggerMessage(LogLevel.Warning, "{Path} is answered with \"later\": {Reason}")]
    partial void LogNotStored(string path, string reason);
}
