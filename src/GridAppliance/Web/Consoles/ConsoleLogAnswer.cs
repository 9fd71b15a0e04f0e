using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Api.Consoles;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Web.Consoles;

/// <summary>How the lines are wanted.</summary>
enum ConsoleLogShape
{
    /// <summary>A time and a line each.</summary>
    Text,
    /// <summary>One array.</summary>
    Json,
    /// <summary>One document per line, which can go on for ever.</summary>
    JsonLines,
    /// <summary>The octets as they came, without times and marks.</summary>
    Raw,
}

/// <summary>A console's record as an answer, line by line as it is read from the disk; with a viewer it goes on with what comes.</summary>
sealed class ConsoleLogAnswer(string record, RecordPosition until, ConsoleLogQuery query, ConsoleLogShape shape, ConsoleViewer? following, IHostApplicationLifetime lifetime) : IResult
{
    /// <summary>What gathers before it goes out.</summary>
    const int Piece = 32 * 1024;

    public async Task ExecuteAsync(HttpContext context)
    {
        using var _ = following;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Response.ContentType = shape switch
        {
            ConsoleLogShape.Text => "text/plain; charset=utf-8",
            ConsoleLogShape.Json => "application/json; charset=utf-8",
            ConsoleLogShape.JsonLines => "application/x-ndjson; charset=utf-8",
            ConsoleLogShape.Raw => "application/octet-stream",
        };
        try
        {
            if (shape == ConsoleLogShape.Raw) await WriteRawAsync(context.Response, ended.Token);
            else await WriteLinesAsync(context.Response, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested) { /* The reader went away, or we do. */ }
        catch (ChannelClosedException) { /* The console was taken from the node. */ }
    }

    async Task WriteRawAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        await foreach (var entry in ConsoleRecordReader.ReadAsync(record, query.From, until, cancellationToken))
            if (entry.Kind == ConsoleEntryKind.Output && entry.At <= query.To) await response.BodyWriter.WriteAsync(entry.Octets, cancellationToken);
        while (following is not null)
            if (await following.ReadAsync(cancellationToken) is { Kind: ConsoleEntryKind.Output } entry) await response.BodyWriter.WriteAsync(entry.Octets, cancellationToken);
    }

    async Task WriteLinesAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        var lines = new ConsoleLines();
        var body = new LineWriter(response.BodyWriter, shape);
        if (query.Last is { } last) await WriteNewestAsync(lines, body, last, cancellationToken);
        else
        {
            await foreach (var entry in ConsoleRecordReader.ReadAsync(record, query.From, until, cancellationToken))
            {
                foreach (var line in lines.Add(entry)) if (query.Wants(line)) body.Write(line);
                if (response.BodyWriter.UnflushedBytes > Piece) await response.BodyWriter.FlushAsync(cancellationToken);
            }
        }
        if (following is null && lines.Rest() is { } rest && query.Wants(rest)) body.Write(rest);
        body.End();
        await response.BodyWriter.FlushAsync(cancellationToken);
        while (following is not null)
        {
            foreach (var line in lines.Add(await following.ReadAsync(cancellationToken))) if (query.Wants(line)) body.Write(line);
            await response.BodyWriter.FlushAsync(cancellationToken);
        }
    }

    async Task WriteNewestAsync(ConsoleLines lines, LineWriter body, int most, CancellationToken cancellationToken)
    {
        var newest = new Queue<ConsoleLine>();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(record, query.From, until, cancellationToken))
            foreach (var line in lines.Add(entry)) Keep(line);
        if (following is null && lines.Rest() is { } rest) Keep(rest);
        foreach (var line in newest) body.Write(line);

        void Keep(in ConsoleLine line)
        {
            if (!query.Wants(line)) return;
            newest.Enqueue(line);
            if (newest.Count > most) newest.Dequeue();
        }
    }

    sealed class LineWriter(System.IO.Pipelines.PipeWriter body, ConsoleLogShape shape)
    {
        bool any;

        public void Write(in ConsoleLine line)
        {
            switch (shape)
            {
                case ConsoleLogShape.Text:
                    WriteText(line);
                    break;
                case ConsoleLogShape.Json:
                    body.Write(any ? ",\n"u8 : "["u8);
                    WriteJson(line);
                    break;
                case ConsoleLogShape.JsonLines:
                    WriteJson(line);
                    body.Write("\n"u8);
                    break;
                case ConsoleLogShape.Raw:
                    throw new InvalidOperationException("octets have no lines");
            }
            any = true;
        }

        public void End()
        {
            if (shape == ConsoleLogShape.Json) body.Write(any ? "]\n"u8 : "[]\n"u8);
        }

        void WriteText(in ConsoleLine line)
        {
            var time = line.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            Encoding.UTF8.GetBytes(line.Kind == ConsoleEntryKind.Mark ? $"{time}  -- {line.Text} --\n" : $"{time}  {line.Text}\n", body);
        }

        void WriteJson(in ConsoleLine line)
        {
            using var json = new Utf8JsonWriter(body);
            JsonSerializer.Serialize(json, new ConsoleLineDocument { At = line.At, Kind = line.Kind == ConsoleEntryKind.Mark ? "mark" : "output", Text = line.Text }, ApiJson.Default.ConsoleLineDocument);
        }
    }
}
