using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>One JSON-RPC call to a daemon of Open vSwitch over its unix socket (RFC 7047, section 4): the database server, or a daemon's control socket.</summary>
static class UnixJsonRpc
{
    const int MaximumAnswer = 16 << 20;

    /// <exception cref="LabException">The daemon is not there, or answers with an error.</exception>
    public static async Task<JsonNode?> CallAsync(string socketPath, string method, JsonArray parameters, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            var request = new JsonObject { ["method"] = method, ["params"] = parameters, ["id"] = 1 };
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(request), SocketFlags.None, cancellationToken);
            var answer = await ReceiveAsync(socket, cancellationToken);
            return answer?["error"] is { } error ? throw new LabException($"{method} at {socketPath}: {error.ToJsonString()}") : answer?["result"];
        }
        catch (Exception e) when (e is SocketException or JsonException)
        {
            throw new LabException($"{method} at {socketPath}: {e.Message}");
        }
    }

    // Answers have no length in front: one is over when its braces are.
    static async Task<JsonNode?> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        var filled = 0;
        while (true)
        {
            if (filled == buffer.Length)
            {
                if (filled >= MaximumAnswer) throw new JsonException("an endless answer");
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, cancellationToken);
            if (read == 0) throw new JsonException("the connection ended in the middle of an answer");
            filled += read;
            if (TryParse(buffer.AsSpan(0, filled)) is { } answer) return answer;
        }
    }

    static JsonNode? TryParse(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
        return JsonDocument.TryParseValue(ref reader, out var document) ? JsonNode.Parse(document.RootElement.GetRawText()) : null;
    }
}
