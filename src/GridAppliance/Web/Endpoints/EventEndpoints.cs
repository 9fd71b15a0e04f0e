using System.Globalization;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GridAppliance.Web.Endpoints;

static class EventEndpoints
{
    const int DefaultLimit = 200;
    const int LargestLimit = 5000;

    public static void MapEvents(this IEndpointRouteBuilder api) =>
        api.MapGet("/events", Get).WithName("getEvents").WithTags("events").Produces<IReadOnlyList<EventDocument>>(200, "application/json", "text/event-stream")
            .WithSummary("Live events as server-sent events, resumed after Last-Event-ID or ?after=; with Accept: application/json a list: after ?after=, or the newest ones.");

    static IResult Get(long? after, int? limit, HttpContext context, Timeline timeline, EventStreams streams)
    {
        if (limit is <= 0 or > LargestLimit) return Problems.Answer(StatusCodes.Status400BadRequest, $"limit is between 1 and {LargestLimit}");
        var accepted = context.Request.GetTypedHeaders().Accept;
        var wantsList = accepted.Any(type => type.MediaType == "application/json") && accepted.All(type => type.MediaType != "text/event-stream");
        if (wantsList) return List(after, limit ?? DefaultLimit, timeline);

        // What the client has already seen is newer than what its first address said.
        if (long.TryParse(context.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen)) after = seen;
        return streams.Open(after);
    }

    static Ok<IReadOnlyList<EventDocument>> List(long? after, int limit, Timeline timeline) =>
        TypedResults.Ok(timeline.Read(after ?? Math.Max(0, timeline.Last - limit), limit));
}
