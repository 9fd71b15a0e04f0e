using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;

namespace GridAppliance.Web;

/// <summary>
/// Live events over HTTP (server-sent events, WHATWG HTML §9.2). A reader gets each event after its resume point once and in order: it subscribes first, reads the past from
/// the store until it meets the present, and goes back to the store when it was too slow to keep up.
/// </summary>
sealed class EventStreams(Timeline timeline, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>Each open stream is a connection and a subscription; a page has one.</summary>
    const int MostStreams = 256;
    const int PageSize = 500;

    /// <summary>A reader that hears nothing for three of these knows that its connection is dead.</summary>
    static readonly TimeSpan AliveInterval = TimeSpan.FromSeconds(10);

    int open;

    public IResult Open(long? after) => new Answer(this, after);

    async Task Serve(HttpContext context, long? after)
    {
        if (Interlocked.Increment(ref open) > MostStreams)
        {
            Interlocked.Decrement(ref open);
            await Problems.Answer(StatusCodes.Status503ServiceUnavailable, $"{MostStreams} event streams are open already", "close some pages, or try again later").ExecuteAsync(context);
            return;
        }
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            await Run(context.Response, after, ended.Token);
        }
        catch (OperationCanceledException) { /* The reader went away, or we do. */ }
        finally { Interlocked.Decrement(ref open); }
    }

    async Task Run(HttpResponse response, long? after, CancellationToken cancellation)
    {
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        response.BodyWriter.Write(": GridAppliance events\nretry: 1000\n\n"u8);
        await response.BodyWriter.FlushAsync(cancellation);
        var sent = after ?? timeline.Last;
        while (!cancellation.IsCancellationRequested)
        {
            using var live = timeline.Subscribe();
            sent = await SendPast(response, sent, cancellation);
            sent = await SendLive(response, live, sent, cancellation);
        }
    }

    async Task<long> SendPast(HttpResponse response, long sent, CancellationToken cancellation)
    {
        while (true)
        {
            var page = timeline.Read(sent, PageSize);
            foreach (var happened in page) Write(response.BodyWriter, happened);
            if (page.Count == 0) return sent;
            sent = page[^1].Sequence;
            await response.BodyWriter.FlushAsync(cancellation);
        }
    }

    /// <summary>Until the reader leaves (cancelled) or has fallen too far behind (returns).</summary>
    async Task<long> SendLive(HttpResponse response, Timeline.Subscription live, long sent, CancellationToken cancellation)
    {
        while (true)
        {
            switch (await Wait(live.Reader, cancellation))
            {
                case Waited.Silence:
                    response.BodyWriter.Write("event: alive\ndata: {}\n\n"u8);
                    break;
                case Waited.Something:
                    while (live.Reader.TryRead(out var happened))
                    {
                        if (happened.Sequence <= sent) continue;
                        Write(response.BodyWriter, happened);
                        sent = happened.Sequence;
                    }
                    break;
                case Waited.End:
                    return sent;
            }
            await response.BodyWriter.FlushAsync(cancellation);
        }
    }

    async Task<Waited> Wait(ChannelReader<EventDocument> reader, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(AliveInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token);
        try { return await reader.WaitToReadAsync(either.Token) ? Waited.Something : Waited.End; }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested) { return Waited.Silence; }
    }

    // JSON text has no line breaks of its own, so one data line holds it.
    static void Write(IBufferWriter<byte> body, EventDocument happened)
    {
        var id = body.GetSpan(32);
        "id: "u8.CopyTo(id);
        System.Buffers.Text.Utf8Formatter.TryFormat(happened.Sequence, id[4..], out var digits);
        body.Advance(4 + digits);
        body.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(body)) JsonSerializer.Serialize(json, happened, ApiJson.Default.EventDocument);
        body.Write("\n\n"u8);
    }

    enum Waited { Something, Silence, End }

    sealed class Answer(EventStreams streams, long? after) : IResult
    {
        public Task ExecuteAsync(HttpContext context) => streams.Serve(context, after);
    }
}
