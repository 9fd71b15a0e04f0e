using System.Buffers;
using System.Text;
using System.Text.Json;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Web.Consoles;

/// <summary>
/// A console's record with its timing, as an asciicast (version 2: a header line, then <c>[seconds, "o", text]</c> each): asciinema's players show it too. Marks are <c>"m"</c> events.
/// Without <paramref name="raw"/> no escape sequence is in it.
/// </summary>
sealed class ConsoleReplayAnswer(string node, string record, RecordPosition until, ConsoleLogQuery query, bool raw) : IResult
{
    const int Piece = 32 * 1024;

    public async Task ExecuteAsync(HttpContext context)
    {
        var (response, cancellationToken) = (context.Response, context.RequestAborted);
        response.ContentType = "application/x-asciicast; charset=utf-8";
        var terminal = new TerminalText();
        var decoder = Encoding.UTF8.GetDecoder();
        var chars = new char[Encoding.UTF8.GetMaxCharCount(ConsoleFrame.MostOctets)];
        DateTimeOffset? began = null;
        await foreach (var entry in ConsoleRecordReader.ReadAsync(record, query.From, until, cancellationToken))
        {
            if (entry.At > query.To) continue;
            if (began is null) WriteHeader(response.BodyWriter, entry.At);
            began ??= entry.At;
            string text;
            if (raw) text = new(chars, 0, decoder.GetChars(entry.Octets.Span, chars, flush: entry.Kind == ConsoleEntryKind.Mark));
            else
            {
                var clean = new StringBuilder();
                terminal.Append(entry.Octets.Span, clean);
                text = clean.Replace("\n", "\r\n").ToString();
            }
            if (text.Length > 0) WriteEvent(response.BodyWriter, (entry.At - began.Value).TotalSeconds, entry.Kind == ConsoleEntryKind.Mark ? "m" : "o", text);
            if (response.BodyWriter.UnflushedBytes > Piece) await response.BodyWriter.FlushAsync(cancellationToken);
        }
        if (began is null) WriteHeader(response.BodyWriter, DateTimeOffset.UnixEpoch);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }

    void WriteHeader(IBufferWriter<byte> body, DateTimeOffset at)
    {
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 2);
            // Serial consoles are of this size unless somebody told the far end otherwise.
            json.WriteNumber("width", 80);
            json.WriteNumber("height", 24);
            json.WriteNumber("timestamp", at.ToUnixTimeSeconds());
            json.WriteString("title", node);
            json.WriteEndObject();
        }
        body.Write("\n"u8);
    }

    static void WriteEvent(IBufferWriter<byte> body, double seconds, string kind, string text)
    {
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartArray();
            json.WriteNumberValue(Math.Round(Math.Max(0, seconds), 6));
            json.WriteStringValue(kind);
            json.WriteStringValue(text);
            json.WriteEndArray();
        }
        body.Write("\n"u8);
    }
}
