using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Api.Client;

/// <summary>
/// Server-sent events (WHATWG HTML §9.2) that outlive their connection: after a loss it reconnects with <c>Last-Event-ID</c>, so that no event is missed and none comes twice.
/// The first connection has to succeed; later ones are tried for as long as the reader stays.
/// </summary>
sealed class EventStream(HttpClient http, TimeProvider clock, ApplianceClient client)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>The appliance says "alive" every 10 seconds; silence for three of them is a dead connection that TCP has not noticed.</summary>
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    public async IAsyncEnumerable<EventDocument> Read(long? after, Action<ApplianceException>? lost, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var pause = FirstPause;
        var connectedOnce = false;
        while (true)
        {
            HttpResponseMessage? response = null;
            ApplianceException? loss = null;
            try { response = await Open(after, cancellation); }
            catch (ApplianceException e) when (connectedOnce && e.Fault == ApplianceFault.Unreachable) { loss = e; }

            if (response is not null)
            {
                connectedOnce = true;
                pause = FirstPause;
                using var _ = response;
                await using var body = await response.Content.ReadAsStreamAsync(cancellation);
                using var silence = new CancellationTokenSource(LongestSilence, clock);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token);
                await using var items = SseParser.Create(body, Decode).EnumerateAsync(either.Token).GetAsyncEnumerator(either.Token);
                while (true)
                {
                    try
                    {
                        if (!await items.MoveNextAsync()) break;
                        silence.CancelAfter(LongestSilence);
                    }
                    catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                    {
                        loss = new(ApplianceFault.Unreachable, "the appliance has gone silent", "it is being tried again");
                        break;
                    }
                    catch (Exception e) when (e is IOException or HttpRequestException) { loss = client.Lost(e); break; }
                    // "alive" and event types of a newer appliance say nothing here.
                    if (items.Current.Data is not { } happened || happened.Sequence <= after) continue;
                    after = happened.Sequence;
                    yield return happened;
                }
            }
            lost?.Invoke(loss ?? new(ApplianceFault.Unreachable, "the appliance closed the event stream", "it is being tried again"));
            await Task.Delay(pause, clock, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    async Task<HttpResponseMessage> Open(long? after, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/events");
        request.Headers.Accept.Add(new("text/event-stream"));
        if (after is { } sequence) request.Headers.Add("Last-Event-ID", sequence.ToString());
        HttpResponseMessage response;
        try { response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation); }
        catch (HttpRequestException e) { throw client.Lost(e); }
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await client.Refusal(response, cancellation);
    }

    static EventDocument? Decode(string type, ReadOnlySpan<byte> data) =>
        type is SseParser.EventTypeDefault or "event" ? JsonSerializer.Deserialize(data, ApiJson.Default.EventDocument) : null;
}
