using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Api.Consoles;
using GridAppliance.Consoles;
using GridAppliance.Nodes;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>A node's console through the management plane.</summary>
public sealed class ConsolePlaneTests : WithScriptedConsole
{
    readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    CancellationToken Patience => patience.Token;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        patience.Dispose();
    }

    async Task<string> GetAsync(string path, string accept = "text/plain")
    {
        using var http = plane.Http();
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        return await http.GetStringAsync($"/api/v1/nodes/n1/console/{path}", Patience);
    }

    /// <summary>Says something and returns once it is in the record.</summary>
    async Task RecordAsync(string text, string until)
    {
        // The directory opens a node's console when it hears of the port, which is a moment after the test has said so.
        while (plane.Get<ConsoleDirectory>().Find(node.Id) is null) await Task.Delay(10, Patience);
        using var viewer = plane.Get<ConsoleDirectory>().Find(node.Id)!.TryJoin("test")!;
        await console.SayAsync(text);
        for (var seen = ""; !seen.Contains(until, StringComparison.Ordinal);) seen += Encoding.UTF8.GetString((await viewer.ReadAsync(Patience)).Octets.Span);
    }

    [Fact]
    public async Task The_log_has_every_line_with_its_time_and_no_escape_sequence()
    {
        await RecordAsync("\e[1;31mred\e[0m alert\r\n\e]0;title\asecond\tline\r\nlogin: ", "login: ");

        var lines = (await GetAsync("log")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  -- connected to tcp://127.0.0.1:\d+ --$", lines[0]);
        Assert.Equal(["red alert", "second\tline", "login: "], lines[1..].Select(line => line[26..]));
        var json = JsonSerializer.Deserialize(await GetAsync("log", "application/json"), ApiJson.Default.IReadOnlyListConsoleLineDocument)!;
        Assert.Equal([("mark", 'c'), ("output", 'r'), ("output", 's'), ("output", 'l')], json.Select(line => (line.Kind, line.Text[0])));
        Assert.Equal("[]\n", await GetAsync("log?from=2100-01-01T00:00:00Z", "application/json"));
        Assert.Contains("\e[1;31mred", await GetAsync("log?raw=true"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_searched_and_cut()
    {
        await RecordAsync("one\r\nKernel panic - not syncing\r\nthree\r\nfour\r\n", "four");

        Assert.EndsWith("  Kernel panic - not syncing\n", await GetAsync("log?grep=PANIC"), StringComparison.Ordinal);
        Assert.Equal(2, (await GetAsync("log?last=2")).Count(c => c == '\n'));
        Assert.Equal("", await GetAsync("log?to=2000-01-01T00:00:00Z"));
        using var http = plane.Http();
        foreach (var wrong in (string[])["grep=(", "grep=(a)%5C1", "from=yesterday", "last=0", "last=1000000"])
            Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync($"/api/v1/nodes/n1/console/log?{wrong}", Patience)).StatusCode);
    }

    [Fact]
    public async Task The_log_goes_on_with_what_comes()
    {
        await RecordAsync("past\r\n", "past");
        using var client = plane.Client();
        await using var lines = client.ReadConsoleLog("n1", new() { Follow = true }, Patience).GetAsyncEnumerator(Patience);
        var seen = new List<string>();
        while (seen.Count == 0 || seen[^1] != "past")
        {
            Assert.True(await lines.MoveNextAsync());
            seen.Add(lines.Current.Text);
        }
        await console.SayAsync("fut");
        await console.SayAsync("ure\r\n");
        Assert.True(await lines.MoveNextAsync());
        Assert.Equal("future", lines.Current.Text);
    }

    [Fact]
    public async Task The_replay_is_an_asciicast_without_escape_sequences_unless_asked()
    {
        await RecordAsync("\e[2Jhello\r\nworld", "world");

        var lines = (await GetAsync("replay")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using var header = JsonDocument.Parse(lines[0]);
        Assert.Equal((2, "n1"), (header.RootElement.GetProperty("version").GetInt32(), header.RootElement.GetProperty("title").GetString()));
        var pieces = lines[1..].Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal("m", pieces[0][1].GetString());
        Assert.Equal("hello\r\nworld", string.Concat(pieces.Where(p => p[1].GetString() == "o").Select(p => p[2].GetString())));
        Assert.All(pieces.Zip(pieces.Skip(1)), pair => Assert.True(pair.First[0].GetDouble() <= pair.Second[0].GetDouble()));
        Assert.Contains("\\u001B[2Jhello", await GetAsync("replay?raw=true"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_panic_and_a_lost_line_are_on_the_timeline()
    {
        using var live = plane.Timeline.Subscribe();
        await console.SayAsync("Kernel panic - not syncing: no init\r\n");
        await ToldAsync("console.panic", "no init", "node");
        console.HangUp();
        await ToldAsync("console.lost", "closed the line", "appliance");

        async Task ToldAsync(string kind, string text, string actor)
        {
            while (true)
            {
                var happened = await live.Reader.ReadAsync(Patience);
                if (happened.Kind != kind) continue;
                Assert.Contains(text, happened.Message, StringComparison.Ordinal);
                Assert.Equal(("n1", actor), (happened.Node, happened.Actor));
                return;
            }
        }
    }

    [Fact]
    public async Task Over_a_websocket_one_types_and_the_other_sees_it_taken_over()
    {
        using var ann = await Attached.OpenAsync(plane.Client(), write: true, Patience);
        await ann.UntilAsync(message => message is { Type: "state", You: true, Connected: true });
        using var ben = await Attached.OpenAsync(plane.Client(), write: true, Patience);
        await ben.UntilAsync(message => message is { Type: "state", You: false, Writer: not null, Viewers: 2 });

        await ann.TypeAsync("dhcp\r");
        Assert.Equal("dhcp\r", await console.HearAsync("\r"));
        await console.SayAsync("BOOTP broadcast 1");
        await ann.SeeAsync("broadcast 1");
        await ben.SeeAsync("broadcast 1");
        await ben.TypeAsync("x");
        Assert.Contains("take over first", (await ben.UntilAsync(message => message.Type == "refused")).Text, StringComparison.Ordinal);

        await ben.AskAsync(new() { Type = ConsoleRequest.TakeOver });
        await ben.UntilAsync(message => message is { Type: "state", You: true });
        Assert.Contains("took over", (await ann.UntilAsync(message => message is { Type: "mark" } && message.Text!.Contains("took over", StringComparison.Ordinal))).Text, StringComparison.Ordinal);
        await ann.UntilAsync(message => message is { Type: "state", You: false });
        await ben.TypeAsync("y\r");
        Assert.Equal("y\r", await console.HearAsync("\r"));
        await ben.AskAsync(new() { Type = ConsoleRequest.Break });
        Assert.Contains("cannot do that", (await ben.UntilAsync(message => message.Type == "refused")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_only_looks_types_nothing_until_it_claims()
    {
        using var ann = await Attached.OpenAsync(plane.Client(), write: false, Patience);
        await ann.TypeAsync("oops\r");
        Assert.Contains("claim", (await ann.UntilAsync(message => message.Type == "refused")).Text, StringComparison.Ordinal);
        await ann.AskAsync(new() { Type = ConsoleRequest.Claim });
        await ann.UntilAsync(message => message is { Type: "state", You: true });
        await ann.TypeAsync("meant\r");
        Assert.Equal("meant\r", await console.HearAsync("\r"));
    }

    [Fact]
    public async Task A_socket_that_is_never_read_from_holds_nothing_up()
    {
        using var stuck = await plane.Client().AttachConsole("n1", write: false, Patience);
        var said = new byte[20_000_000];
        new Random(7).NextBytes(said);
        await console.SayAsync(said);
        await RecordAsync("\r\nthe end\r\n", "the end");

        using var http = plane.Http();
        var record = await http.GetByteArrayAsync("/api/v1/nodes/n1/console/log?raw=true", Patience);
        Assert.True(said.AsSpan().SequenceEqual(record.AsSpan(0, said.Length)));
    }

    [Fact]
    public async Task Nonsense_in_a_text_frame_is_refused_and_a_long_one_ends_the_connection()
    {
        using var ann = await Attached.OpenAsync(plane.Client(), write: true, Patience);
        foreach (var nonsense in (string[])["{", "null", "[]", "{\"type\":\"explode\"}", "{\"type\":\"sysrq\",\"key\":\"bb\"}", "{\"type\":\"resize\",\"columns\":-1,\"rows\":5}"])
        {
            await ann.Socket.SendAsync(Encoding.UTF8.GetBytes(nonsense), WebSocketMessageType.Text, true, Patience);
            await ann.UntilAsync(message => message.Type == "refused");
        }
        await ann.Socket.SendAsync(new byte[5000], WebSocketMessageType.Text, true, Patience);
        await Assert.ThrowsAsync<EndOfStreamException>(() => ann.UntilAsync(static _ => false));
    }

    [Fact]
    public async Task A_page_from_elsewhere_cannot_attach_and_our_own_can()
    {
        var url = new UriBuilder(plane.Loopback) { Scheme = "ws", Path = "/api/v1/nodes/n1/console" }.Uri;
        using var foreign = new ClientWebSocket();
        foreign.Options.SetRequestHeader("Origin", "http://evil.example");
        foreign.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => foreign.ConnectAsync(url, Patience));
        Assert.Equal(HttpStatusCode.Forbidden, foreign.HttpStatusCode);

        using var own = new ClientWebSocket();
        own.Options.SetRequestHeader("Origin", plane.Loopback.GetLeftPart(UriPartial.Authority));
        own.Options.AddSubProtocol("grid.console");
        await own.ConnectAsync(url, Patience);
        Assert.Equal("grid.console", own.SubProtocol);
    }

    [Fact]
    public async Task A_node_without_a_console_says_so_and_a_console_that_is_taken_away_ends_its_viewers()
    {
        await SampleNodes.DiscoverAsync(plane, 2);
        using var client = plane.Client();
        Assert.Contains("n2 has no console", (await Assert.ThrowsAsync<ApplianceException>(() => client.AttachConsole("n2", write: false, Patience))).Message, StringComparison.Ordinal);
        Assert.Contains("no node", (await Assert.ThrowsAsync<ApplianceException>(() => client.AttachConsole("n9", write: false, Patience))).Message, StringComparison.Ordinal);

        await RecordAsync("last words\r\n", "last words");
        using var ann = await Attached.OpenAsync(client, write: false, Patience);
        Assert.Equal(0, (await plane.Gridctl("port", "remove", "n1", $"tcp://{console.EndPoint}")).Status);
        await Assert.ThrowsAsync<EndOfStreamException>(() => ann.UntilAsync(static _ => false));
        Assert.Contains("last words", await GetAsync("log"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_console_that_is_as_full_as_it_may_be_says_so_to_whoever_wants_in()
    {
        await RecordAsync("here\r\n", "here");
        var session = plane.Get<ConsoleDirectory>().Find(node.Id)!;
        var viewers = Enumerable.Range(0, ConsoleSession.MostViewers).Select(i => session.TryJoin($"viewer {i}")!).ToList();
        using var client = plane.Client();
        Assert.Contains("has 1000 viewers", (await Assert.ThrowsAsync<ApplianceException>(() => client.AttachConsole("n1", write: false, Patience))).Message, StringComparison.Ordinal);
        Assert.Contains("has 1000 viewers", (await plane.Gridctl("log", "n1", "--follow")).Error, StringComparison.Ordinal);
        Assert.Contains("has 1000 viewers", (await plane.Gridctl("console-script", "run", "n1", "uboot-dhcp")).Error, StringComparison.Ordinal);
        // Who only reads the record is not counted.
        Assert.Contains("here", (await plane.Gridctl("log", "n1")).Output, StringComparison.Ordinal);
        foreach (var viewer in viewers) viewer.Dispose();
        using var ann = await Attached.OpenAsync(plane.Client(), write: false, Patience);
        await ann.SeeAsync("here");
    }

    /// <summary>One viewer, as a program has it.</summary>
    sealed class Attached(ApplianceClient client, WebSocket socket, CancellationToken patience) : IDisposable
    {
        readonly byte[] buffer = new byte[64 * 1024];

        public WebSocket Socket => socket;

        public static async Task<Attached> OpenAsync(ApplianceClient client, bool write, CancellationToken patience) => new(client, await client.AttachConsole("n1", write, patience), patience);

        public Task TypeAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, true, patience);

        public Task AskAsync(ConsoleRequest request) => socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.ConsoleRequest), WebSocketMessageType.Text, true, patience);

        public async Task SeeAsync(string text)
        {
            for (var seen = ""; !seen.Contains(text, StringComparison.Ordinal);)
            {
                var (type, octets) = await NextAsync();
                if (type == WebSocketMessageType.Binary) seen += Encoding.UTF8.GetString(octets);
            }
        }

        public async Task<ConsoleMessage> UntilAsync(Func<ConsoleMessage, bool> awaited)
        {
            while (true)
            {
                var (type, octets) = await NextAsync();
                if (type == WebSocketMessageType.Text && JsonSerializer.Deserialize(octets, ApiJson.Default.ConsoleMessage) is { } message && awaited(message)) return message;
            }
        }

        public void Dispose()
        {
            socket.Dispose();
            client.Dispose();
        }

        async Task<(WebSocketMessageType Type, byte[] Octets)> NextAsync()
        {
            var length = 0;
            while (true)
            {
                var heard = await socket.ReceiveAsync(buffer.AsMemory(length), patience);
                if (heard.MessageType == WebSocketMessageType.Close) throw new EndOfStreamException(socket.CloseStatusDescription);
                length += heard.Count;
                if (heard.EndOfMessage) return (heard.MessageType, buffer[..length]);
            }
        }
    }
}
