using System.Globalization;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api.Consoles;
using GridAppliance.Api.Modules;

namespace GridAppliance.Api.Client;

/// <summary>What part of a console's record is wanted.</summary>
public sealed record ConsoleLogRequest
{
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }
    /// <summary>A regular expression, whatever the case of letters.</summary>
    public string? Pattern { get; init; }
    /// <summary>Only so many of the newest lines.</summary>
    public int? Last { get; init; }
    /// <summary>Go on with what comes.</summary>
    public bool Follow { get; init; }

    internal string Query
    {
        get
        {
            var query = new StringBuilder();
            Add("from", From?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            Add("to", To?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            Add("grep", Pattern);
            Add("last", Last?.ToString(CultureInfo.InvariantCulture));
            Add("follow", Follow ? "true" : null);
            return query.ToString();

            void Add(string key, string? value)
            {
                if (value is not null) query.Append(query.Length == 0 ? '?' : '&').Append(key).Append('=').Append(Uri.EscapeDataString(value));
            }
        }
    }
}

/// <summary>A piece of a recorded console.</summary>
/// <param name="At">Since the beginning.</param>
/// <param name="IsMark">The appliance's own words.</param>
/// <param name="Text">Without escape sequences.</param>
public readonly record struct ConsolePiece(TimeSpan At, bool IsMark, string Text);

/// <summary>Consoles.</summary>
public sealed partial class ApplianceClient
{
    /// <summary>Lines of a node's console, as they are read; with <see cref="ConsoleLogRequest.Follow"/> for ever.</summary>
    public async IAsyncEnumerable<ConsoleLineDocument> ReadConsoleLog(string node, ConsoleLogRequest wanted, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/nodes/{Key(node)}/console/log{wanted.Query}");
        await foreach (var line in Lines(request, ApiJson.Default.ConsoleLineDocument, cancellation)) yield return line;
    }

    /// <summary>Makes the node's next boot over the network one for a person at its console.</summary>
    public Task<NodeChangeDocument> Recover(string node, RecoverRequest request, CancellationToken cancellation) =>
        Send(HttpMethod.Post, $"api/v1/nodes/{Key(node)}/recover", JsonContent.Create(request, ApiJson.Default.RecoverRequest), ApiJson.Default.NodeChangeDocument, cancellation);

    public Task<IReadOnlyList<ConsoleScriptDocument>> GetConsoleScripts(CancellationToken cancellation) =>
        Get("api/v1/console-scripts", ApiJson.Default.IReadOnlyListConsoleScriptDocument, cancellation);

    /// <summary>Runs a script at a node's console: its steps as they are begun, and how it ended. Leaving the enumeration ends the run.</summary>
    public async IAsyncEnumerable<ConsoleScriptProgress> RunConsoleScript(string node, ConsoleScriptRequest wanted, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/v1/nodes/{Key(node)}/console/script") { Content = JsonContent.Create(wanted, ApiJson.Default.ConsoleScriptRequest) };
        await foreach (var progress in Lines(request, ApiJson.Default.ConsoleScriptProgress, cancellation)) yield return progress;
    }

    /// <summary>An answer of one document per line, as they come.</summary>
    async IAsyncEnumerable<T> Lines<T>(HttpRequestMessage request, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellation) where T : class
    {
        request.Headers.Accept.Add(new("application/x-ndjson"));
        using var response = await Open(request, cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        await using var lines = JsonSerializer.DeserializeAsyncEnumerable(body, type, topLevelValues: true, cancellation).GetAsyncEnumerator(cancellation);
        while (true)
        {
            try
            {
                if (!await lines.MoveNextAsync()) yield break;
            }
            catch (Exception e) when (e is IOException or HttpRequestException) { throw Lost(e); }
            catch (JsonException e) { throw NotUnderstood("an answer that breaks off", e); }
            if (lines.Current is { } line) yield return line;
        }
    }

    /// <summary>A console's record with its timing.</summary>
    public async IAsyncEnumerable<ConsolePiece> ReadConsoleReplay(string node, ConsoleLogRequest wanted, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await Open($"api/v1/nodes/{Key(node)}/console/replay{wanted.Query}", "application/x-asciicast", cancellation);
        using var body = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation), Encoding.UTF8);
        // The first line is the header.
        for (var first = true; await ReadLine() is { } line; first = false)
            if (!first) yield return Parse(line);

        async Task<string?> ReadLine()
        {
            try { return await body.ReadLineAsync(cancellation); }
            catch (Exception e) when (e is IOException or HttpRequestException) { throw Lost(e); }
        }
    }

    /// <summary>Attaches to a node's console; see <see cref="ConsoleMessage"/> and <see cref="ConsoleRequest"/>. The caller disposes of the socket.</summary>
    /// <param name="node">Its name.</param>
    /// <param name="write">To type, if nobody else does; otherwise to look.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<WebSocket> AttachConsole(string node, bool write, CancellationToken cancellation)
    {
        var path = $"api/v1/nodes/{Key(node)}/console?mode={(write ? "write" : "view")}&via=gridctl";
        var url = new UriBuilder(new Uri(address.BaseUrl, path));
        url.Scheme = url.Scheme == "https" ? "wss" : "ws";
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("grid.console");
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(10);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(20);
        try
        {
            await socket.ConnectAsync(url.Uri, http, cancellation);
            return socket;
        }
        catch (WebSocketException e)
        {
            socket.Dispose();
            // A failed handshake keeps its reason to itself; the same address, asked plainly, tells it.
            using (await Open(path, "application/json", cancellation)) throw Lost(e);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw;
        }
    }

    async Task<HttpResponseMessage> Open(string path, string accept, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new(accept));
        return await Open(request, cancellation);
    }

    async Task<HttpResponseMessage> Open(HttpRequestMessage request, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        try { response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation); }
        catch (Exception e) when (e is HttpRequestException or IOException) { throw Lost(e); }
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await Refusal(response, cancellation);
    }

    ConsolePiece Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var seconds = json.RootElement[0].GetDouble();
            return new(TimeSpan.FromSeconds(seconds), json.RootElement[1].GetString() == "m", json.RootElement[2].GetString() ?? "");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or OverflowException)
        {
            throw NotUnderstood("a recording that breaks off", e);
        }
    }
}
