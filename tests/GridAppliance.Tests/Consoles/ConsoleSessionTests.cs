using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Record;
using GridAppliance.Consoles.Tcp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Consoles;

/// <summary>A session on a console server of our own over real TCP.</summary>
public sealed class ConsoleSessionTests : IAsyncDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
    readonly TcpListener server = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new(TimeSpan.FromSeconds(60));
    readonly Channel<ConsoleSighting> sightings = Channel.CreateUnbounded<ConsoleSighting>();
    readonly ManualClock clock = new();
    readonly ConsoleSession session;
    readonly Task running;

    public ConsoleSessionTests()
    {
        server.Start();
        session = new("n1", new TcpConsolePort((IPEndPoint)server.LocalEndpoint), ConsoleRecordWriter.Open(directory, new(), clock), clock, s => sightings.Writer.TryWrite(s), NullLogger.Instance);
        running = session.RunAsync(stopping.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        session.Dispose();
        server.Dispose();
        stopping.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    async Task<string> SeeAsync(ConsoleViewer viewer, string until)
    {
        var text = new StringBuilder();
        while (!text.ToString().Contains(until, StringComparison.Ordinal))
        {
            var entry = await viewer.ReadAsync(stopping.Token);
            text.Append(entry.Kind == ConsoleEntryKind.Mark ? "<" : "").Append(Encoding.UTF8.GetString(entry.Octets.Span)).Append(entry.Kind == ConsoleEntryKind.Mark ? ">" : "");
        }
        return text.ToString();
    }

    [Fact]
    public async Task Every_viewer_sees_the_same_and_a_newcomer_sees_the_recent_past()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var first = session.TryJoin("ann")!;
        await node.GetStream().WriteAsync("booting"u8.ToArray(), stopping.Token);
        await SeeAsync(first, "booting");

        using var second = session.TryJoin("ben")!;
        Assert.Contains("booting", await SeeAsync(second, "booting"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_types_and_another_only_after_an_open_take_over()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var ann = session.TryJoin("ann")!;
        using var ben = session.TryJoin("ben")!;
        await SeeAsync(ann, "connected");

        Assert.Equal(TypeResult.Typed, await ann.TypeAsync("a"u8.ToArray(), stopping.Token));
        Assert.Equal(TypeResult.NotYours, await ben.TypeAsync("b"u8.ToArray(), stopping.Token));
        ben.TakeOver();
        Assert.Equal(TypeResult.Typed, await ben.TypeAsync("b"u8.ToArray(), stopping.Token));
        Assert.Equal(TypeResult.NotYours, await ann.TypeAsync("c"u8.ToArray(), stopping.Token));

        Assert.Contains("<ben took over from ann>", await SeeAsync(ann, "took over"), StringComparison.Ordinal);
        var typed = new byte[2];
        await node.GetStream().ReadExactlyAsync(typed, stopping.Token);
        Assert.Equal("ab"u8.ToArray(), typed);
    }

    [Fact]
    public async Task A_lost_line_is_taken_back_and_the_gap_is_in_the_record()
    {
        using var viewer = session.TryJoin("ann")!;
        using (var node = await server.AcceptTcpClientAsync(stopping.Token))
        {
            await node.GetStream().WriteAsync("before"u8.ToArray(), stopping.Token);
            await SeeAsync(viewer, "before");
        }
        await SeeAsync(viewer, "lost");
        Assert.Equal(TypeResult.NotConnected, await viewer.TypeAsync("x"u8.ToArray(), stopping.Token));
        var accepting = server.AcceptTcpClientAsync(stopping.Token).AsTask();
        // The retry's timer is armed right after the mark that was just seen: move on until it has fired.
        while (!accepting.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(accepting, Task.Delay(5, stopping.Token));
        }
        using var again = await accepting;
        await again.GetStream().WriteAsync("after"u8.ToArray(), stopping.Token);
        await SeeAsync(viewer, "after");
        session.Sync();

        var record = new StringBuilder();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, default, default)) record.Append(Encoding.UTF8.GetString(entry.Octets.Span)).Append('|');
        Assert.Matches("connected.*before.*lost.*connected.*after", record.ToString());
    }

    [Fact]
    public async Task A_paste_of_ten_kilobytes_arrives_whole()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var ann = session.TryJoin("ann")!;
        await SeeAsync(ann, "connected");
        var paste = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i:d9}\n")));
        var typing = ann.TypeAsync(paste, stopping.Token);
        var arrived = new byte[paste.Length];
        await node.GetStream().ReadExactlyAsync(arrived, stopping.Token);

        Assert.Equal(TypeResult.Typed, await typing);
        Assert.Equal(paste, arrived);
    }

    [Fact]
    public async Task A_viewer_that_does_not_read_is_told_what_it_missed_and_the_record_has_everything()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var slow = session.TryJoin("ann")!;
        using var quick = session.TryJoin("ben")!;
        var said = new byte[2_000_000];
        for (var i = 0; i < said.Length; i++) said[i] = (byte)('a' + i / 8000 % 26);
        "the end"u8.CopyTo(said.AsSpan(said.Length - 7));
        var saying = node.GetStream().WriteAsync(said, stopping.Token).AsTask();
        await SeeAsync(quick, "the end");
        await saying;

        Assert.Contains("octets were passed over", await SeeAsync(slow, "the end"), StringComparison.Ordinal);
        session.Sync();
        using var record = new MemoryStream();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, default, default)) if (entry.Kind == ConsoleEntryKind.Output) record.Write(entry.Octets.Span);
        Assert.Equal(said, record.ToArray());
    }

    [Fact]
    public async Task As_many_look_as_anybody_could_want_and_one_who_leaves_makes_room_for_another()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        var viewers = Enumerable.Range(0, ConsoleSession.MostViewers).Select(i => session.TryJoin($"viewer {i}")!).ToList();
        Assert.Null(session.TryJoin("one too many"));
        Assert.Null(session.TryFollow("one too many", out _));
        await node.GetStream().WriteAsync("for all of you"u8.ToArray(), stopping.Token);
        foreach (var viewer in viewers) Assert.EndsWith("for all of you", await SeeAsync(viewer, "for all of you"), StringComparison.Ordinal);
        viewers[500].Dispose();
        using (var another = session.TryJoin("another")) Assert.NotNull(another);
        foreach (var viewer in viewers) viewer.Dispose();
        Assert.Equal(0, session.State.Viewers);
    }

    [Fact]
    public async Task A_writer_who_leaves_or_releases_lets_others_type()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var ben = session.TryJoin("ben")!;
        using (var ann = session.TryJoin("ann")!)
        {
            Assert.True(ann.Claim());
            Assert.False(ben.Claim());
            Assert.Equal(("ann", 2), (ben.State.Writer, ben.State.Viewers));
            ann.Release();
            Assert.True(ben.Claim());
            ann.TakeOver();
        }
        Assert.Null(ben.State.Writer);
        Assert.True(ben.Claim());
        ben.Dispose();
        Assert.Equal(0, session.State.Viewers);
    }

    [Fact]
    public async Task A_follower_gets_what_comes_after_the_record_once()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        using var ann = session.TryJoin("ann")!;
        await node.GetStream().WriteAsync("before"u8.ToArray(), stopping.Token);
        await SeeAsync(ann, "before");
        using var follower = session.TryFollow("ben", out var from)!;
        await node.GetStream().WriteAsync("after"u8.ToArray(), stopping.Token);
        var live = await SeeAsync(follower, "after");
        session.Flush();

        var past = new StringBuilder();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, default, from, default)) past.Append(Encoding.UTF8.GetString(entry.Octets.Span));
        Assert.EndsWith("before", past.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("before", live, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_panic_on_the_console_is_told()
    {
        using var node = await server.AcceptTcpClientAsync(stopping.Token);
        await node.GetStream().WriteAsync("[ 1.0] Kernel panic - not syncing: no init\r\n"u8.ToArray(), stopping.Token);

        Assert.Equal("console.panic", (await sightings.Reader.ReadAsync(stopping.Token)).Kind);
    }
}
