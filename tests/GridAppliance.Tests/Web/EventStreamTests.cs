using GridAppliance.Api.Client;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Web;

public sealed class EventStreamTests
{
    static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_stream_begins_with_the_past_it_asks_for_and_goes_on_with_the_present()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var before = plane.Timeline.Last;
        await Say(plane, 1, 700); // more than a page of the store
        using var client = plane.Client();
        await using var events = client.StreamEvents(before + 3, null, Never).GetAsyncEnumerator(Never);
        var seen = await Take(events, 697);
        await Say(plane, 701, 3);
        seen.AddRange(await Take(events, 3));

        Assert.Equal(Enumerable.Range(4, 700).Select(n => $"event {n}"), seen.Select(e => e.Message));
        Assert.Equal(seen.Select(e => e.Sequence).Order().Distinct(), seen.Select(e => e.Sequence));
    }

    [Fact]
    public async Task A_stream_without_a_resume_point_begins_now()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await Say(plane, 1, 5);
        using var http = plane.Http();
        using var stream = await http.GetStreamAsync("/api/v1/events");
        using var reader = new StreamReader(stream);
        using var patience = new CancellationTokenSource(Eventually.Patience);
        Assert.StartsWith(":", await reader.ReadLineAsync(patience.Token));
        await Say(plane, 6, 1);

        string? line;
        do line = await reader.ReadLineAsync(patience.Token); while (line?.StartsWith("id: ", StringComparison.Ordinal) == false);
        Assert.Equal($"id: {plane.Timeline.Last}", line);
        Assert.Contains("\"message\":\"event 6\"", await reader.ReadLineAsync(patience.Token));
    }

    [Fact]
    public async Task A_stream_that_breaks_is_resumed_without_a_gap_and_without_a_repeat()
    {
        var first = await ManagementPlaneHost.StartAsync();
        var port = first.Loopback.Port;
        Assert.True(ApplianceAddress.TryParse(first.Loopback.ToString(), out var address));
        using var client = new ApplianceClient(address);
        var lost = new List<string>();
        await using var events = client.StreamEvents(first.Timeline.Last, e => lost.Add(e.Message), Never).GetAsyncEnumerator(Never);
        await Say(first, 1, 3);
        var seen = await Take(events, 3);

        await first.StopAsync();
        await first.RestartAsync(port);
        await using var second = first;
        await Say(second, 4, 3);
        seen.AddRange(await Take(events, 3));

        Assert.NotEmpty(lost);
        Assert.Equal([1, 2, 3, 4, 5, 6], seen.Select(e => int.Parse(e.Message.AsSpan(6))));
    }

    [Fact]
    public async Task The_first_connection_has_to_succeed()
    {
        using var client = new ApplianceClient(new ApplianceAddress.Unix("/nonexistent/api.sock"));
        await using var events = client.StreamEvents(null, null, Never).GetAsyncEnumerator(Never);
        var refused = await Assert.ThrowsAsync<ApplianceException>(async () => await events.MoveNextAsync());
        Assert.Equal(ApplianceFault.Unreachable, refused.Fault);
    }

    [Fact]
    public async Task A_quiet_stream_says_that_it_is_alive()
    {
        var clock = new ManualClock();
        await using var plane = await ManagementPlaneHost.StartAsync(clock: clock);
        using var http = plane.Http();
        using var stream = await http.GetStreamAsync("/api/v1/events");
        using var reader = new StreamReader(stream);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var line = reader.ReadLineAsync(patience.Token).AsTask();
        // Time is moved until the stream has come to wait for it.
        while (await line is var said && said != "event: alive")
        {
            Assert.True(said is not null, "the stream ended without a word that it is alive");
            line = reader.ReadLineAsync(patience.Token).AsTask();
            while (!line.IsCompleted)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Asked_for_json_the_same_address_answers_a_list()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var before = plane.Timeline.Last;
        await Say(plane, 1, 250);
        using var client = plane.Client();

        Assert.Equal(Enumerable.Range(51, 200).Select(n => $"event {n}"), (await client.GetEvents(null, Never)).Select(e => e.Message));
        Assert.Equal("event 101", (await client.GetEvents(before + 100, Never))[0].Message);
        using var http = plane.Http();
        http.DefaultRequestHeaders.Accept.Add(new("application/json"));
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await http.GetAsync("/api/v1/events?limit=0")).StatusCode);
    }

    static async Task Say(ManagementPlaneHost plane, int first, int count) =>
        await plane.Timeline.AppendAsync([.. Enumerable.Range(first, count).Select(n => new NewEvent("test.said", $"event {n}"))], Never);

    static async Task<List<EventDocument>> Take(IAsyncEnumerator<EventDocument> events, int count)
    {
        var taken = new List<EventDocument>();
        while (taken.Count < count && await events.MoveNextAsync()) taken.Add(events.Current);
        return taken;
    }
}
