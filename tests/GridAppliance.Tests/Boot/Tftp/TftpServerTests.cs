using GridAppliance.Boot;
using GridAppliance.Boot.Tftp;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Tftp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Tftp;

/// <summary>A scripted client on a real socket, and a clock that moves only when told to.</summary>
public sealed class TftpServerTests : IAsyncLifetime, IDisposable
{
    static readonly byte[] Content = BootBench.Filler(5000);

    readonly ManualClock clock = new();
    readonly TftpTestServer server;
    readonly ScriptedTftpClient client;

    public TftpServerTests()
    {
        server = new(BootBench.Catalog(BootBench.File("file", Content), BootBench.File("exact", BootBench.Filler(1024)), BootBench.File("long", BootBench.Filler(70_000 * 8))), clock,
            new TftpSettings { MaxTransfers = 6, MaxTransfersPerClient = 4 });
        client = new(server.Port);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await server.DisposeAsync();

    public void Dispose() => client.Dispose();

    IEnumerable<BootStage> Stages => BootBench.Seen(server.Observer).Select(o => o.Stage);

    /// <summary>Moves the clock until the server loses patience, once, and hears what it sends then.</summary>
    async Task<byte[]> HearAfterSilenceAsync()
    {
        var before = server.Counters.Retransmissions;
        await Eventually.UntilAsync(() =>
        {
            if (server.Counters.Retransmissions == before) clock.Advance(TimeSpan.FromMilliseconds(100));
            return server.Counters.Retransmissions != before;
        }, "a repetition");
        return await client.HearAsync();
    }

    [Fact]
    public async Task Without_options_a_file_goes_in_blocks_of_512_one_at_a_time()
    {
        client.Ask("file");
        var got = new List<byte>();
        for (var block = 1; ; block++)
        {
            var (number, payload) = await client.HearDataAsync();
            Assert.Equal(block, number);
            Assert.True(client.HearsNothing);
            got.AddRange(payload);
            client.Acknowledge(block);
            if (payload.Length < 512) break;
        }
        Assert.Equal(Content, got);
        await server.IdleAsync();
        Assert.Equal([BootStage.LoaderStarted, BootStage.LoaderFinished], Stages);
        Assert.Equal((1, 1, 0, 0, 5000), (server.Counters.Started, server.Counters.Completed, server.Counters.Failed, server.Counters.Retransmissions, server.Counters.Bytes));
    }

    [Fact]
    public async Task A_file_that_fills_its_last_block_ends_with_an_empty_one()
    {
        client.Ask("exact");
        for (var block = 1; block <= 2; block++)
        {
            Assert.Equal(512, (await client.HearDataAsync()).Payload.Length);
            client.Acknowledge(block);
        }
        Assert.Equal((3, 0), await client.HearDataAsync() is var (number, payload) ? (number, payload.Length) : default);
    }

    [Fact]
    public async Task Options_are_acknowledged_before_the_first_block_and_only_those_that_were_asked_for()
    {
        client.Ask("file", new() { TransferSize = 0, BlockSize = 1468, WindowSize = 4000, TimeoutSeconds = 7 });
        Assert.Equal(new() { TransferSize = 5000, BlockSize = 1468, WindowSize = 64, TimeoutSeconds = 7 }, await client.HearOptionsAsync());
        client.Acknowledge(0);
        Assert.Equal(1, (await client.HearDataAsync()).Block);

        using var other = new ScriptedTftpClient(server.Port);
        other.Ask("file", new() { BlockSize = 1024 });
        Assert.Equal(new() { BlockSize = 1024 }, await other.HearOptionsAsync());
    }

    [Fact]
    public async Task A_window_is_sent_at_once_and_the_next_follows_its_last_acknowledgement()
    {
        client.Ask("file", new() { BlockSize = 600, WindowSize = 4 });
        await client.HearOptionsAsync();
        client.Acknowledge(0);
        var got = new List<byte>();
        foreach (var window in new[] { new[] { 1, 2, 3, 4 }, [5, 6, 7, 8], [9] })
        {
            foreach (var block in window)
            {
                var (number, payload) = await client.HearDataAsync();
                Assert.Equal(block, number);
                got.AddRange(payload);
            }
            Assert.True(client.HearsNothing);
            client.Acknowledge(window[^1]);
        }
        Assert.Equal(Content, got);
        await server.IdleAsync();
        Assert.Equal(1, server.Counters.Completed);
    }

    [Fact]
    public async Task A_gap_in_a_window_is_sent_again_from_where_it_began()
    {
        client.Ask("file", new() { BlockSize = 600, WindowSize = 4 });
        await client.HearOptionsAsync();
        client.Acknowledge(0);
        for (var block = 1; block <= 4; block++) await client.HearDataAsync();
        client.Acknowledge(2);
        foreach (var block in new[] { 3, 4, 5, 6 }) Assert.Equal(block, (await client.HearDataAsync()).Block);
        // The window's first block lost: the last acknowledgement comes again, and is believed once.
        client.Acknowledge(2);
        client.Acknowledge(2);
        client.Acknowledge(2);
        foreach (var block in new[] { 3, 4, 5, 6 }) Assert.Equal(block, (await client.HearDataAsync()).Block);
        client.Acknowledge(6);
        foreach (var block in new[] { 7, 8, 9 }) Assert.Equal(block, (await client.HearDataAsync()).Block);
        Assert.True(client.HearsNothing);
    }

    [Fact]
    public async Task A_duplicate_acknowledgement_is_never_answered_in_lock_step()
    {
        client.Ask("file");
        await client.HearDataAsync();
        client.Acknowledge(1);
        client.Acknowledge(1);
        client.Acknowledge(0);
        client.Acknowledge(60000);
        Assert.Equal(2, (await client.HearDataAsync()).Block);
        client.Acknowledge(2);
        Assert.Equal(3, (await client.HearDataAsync()).Block);
        Assert.True(client.HearsNothing);
        Assert.Equal(0, server.Counters.Retransmissions);
    }

    [Fact]
    public async Task A_lost_block_is_sent_again_and_a_client_that_is_gone_is_given_up()
    {
        client.Ask("file");
        var first = await client.HearAsync();
        var began = clock.GetUtcNow();
        for (var attempt = 2; attempt <= 6; attempt++) Assert.Equal(first, await HearAfterSilenceAsync());
        Assert.True(TftpPacket.TryReadError(await HearAfterSilenceAsync(), out _, out _, out _));
        // 1 + 2 + 4 + 8 + 8 + 8 seconds: doubled each time, and bounded.
        Assert.True(clock.GetUtcNow() - began >= TimeSpan.FromSeconds(31));
        await server.IdleAsync();
        Assert.Equal([BootStage.LoaderStarted, BootStage.TransferFailed], Stages);
        Assert.Equal((1, 6), (server.Counters.Failed, server.Counters.Retransmissions));
    }

    [Fact]
    public async Task A_lost_option_acknowledgement_is_sent_again()
    {
        client.Ask("file", new() { TimeoutSeconds = 2, WindowSize = 2 });
        var oack = await client.HearAsync();
        Assert.Equal(oack, await HearAfterSilenceAsync());
        client.Acknowledge(0);
        Assert.Equal(1, (await client.HearDataAsync()).Block);
        Assert.Equal(2, (await client.HearDataAsync()).Block);
    }

    [Fact]
    public async Task After_a_loss_patience_starts_anew()
    {
        client.Ask("file");
        await client.HearAsync();
        await HearAfterSilenceAsync();
        client.Acknowledge(1);
        Assert.Equal(2, (await client.HearDataAsync()).Block);
        var again = await HearAfterSilenceAsync();
        Assert.True(TftpPacket.TryReadData(again, out var block, out _, out _));
        Assert.Equal(2, block);
        client.Acknowledge(2);
        Assert.Equal(3, (await client.HearDataAsync()).Block);
    }

    [Fact]
    public async Task Block_numbers_go_from_65535_to_0()
    {
        client.Ask("long", new() { BlockSize = 8, WindowSize = 64 });
        await client.HearOptionsAsync();
        client.Acknowledge(0);
        var expected = 1;
        var got = 0;
        while (true)
        {
            var (block, payload) = await client.HearDataAsync();
            Assert.Equal((ushort)expected, block);
            got += payload.Length;
            if (expected % 64 == 0 || payload.Length < 8) client.Acknowledge((ushort)expected);
            expected++;
            if (payload.Length < 8) break;
        }
        Assert.Equal(70_000 * 8, got);
        await server.IdleAsync();
        Assert.Equal(1, server.Counters.Completed);
    }

    [Fact]
    public async Task Ovmf_hanging_up_after_its_size_probe_is_no_failure()
    {
        client.Ask("file", new() { TransferSize = 0, BlockSize = 1468, WindowSize = 4 });
        Assert.Equal(5000, (await client.HearOptionsAsync()).TransferSize);
        client.Error(TftpErrorCode.OptionsRefused, "User aborted the transfer");
        await server.IdleAsync();
        Assert.Empty(Stages);
        Assert.Equal(0, server.Counters.Failed);
    }

    [Fact]
    public async Task A_client_that_gives_up_on_the_way_is_a_failure_in_its_own_words()
    {
        client.Ask("file");
        await client.HearDataAsync();
        client.Acknowledge(1);
        await client.HearDataAsync();
        client.Error(TftpErrorCode.DiskFull, "no \u001b[31mroom\n");
        await server.IdleAsync();
        var seen = BootBench.Seen(server.Observer);
        Assert.Equal([BootStage.LoaderStarted, BootStage.TransferFailed], seen.Select(o => o.Stage));
        Assert.Equal("file: the client gave up (error 3: no ?[31mroom?)", seen[1].Detail);
        Assert.Equal(512, seen[1].Bytes);
    }

    [Fact]
    public async Task A_packet_from_another_port_gets_error_5_and_disturbs_nothing()
    {
        client.Ask("file");
        await client.HearDataAsync();
        using var stranger = new ScriptedTftpClient(client.Transfer.Port);
        stranger.SendRaw([0, 4, 0, 1]);
        Assert.Equal(TftpErrorCode.UnknownTransfer, (await stranger.HearErrorAsync()).Code);
        Assert.True(client.HearsNothing);
        client.Acknowledge(1);
        Assert.Equal(2, (await client.HearDataAsync()).Block);
    }

    [Fact]
    public async Task A_request_sent_twice_starts_one_transfer_and_a_new_one_from_the_same_port_replaces_the_old()
    {
        client.Ask("file");
        client.Ask("file");
        await client.HearDataAsync();
        client.Ask("exact");
        // Same port, other file: what comes next is its first block, from another transfer.
        var before = client.Transfer.Port;
        Assert.Equal(1, (await client.HearDataAsync()).Block);
        Assert.NotEqual(before, client.Transfer.Port);
        Assert.Equal(2, server.Counters.Started);
    }

    [Fact]
    public async Task Transfers_are_bounded_for_each_client_and_the_bound_frees_up()
    {
        var clients = Enumerable.Range(0, 5).Select(_ => new ScriptedTftpClient(server.Port)).ToList();
        foreach (var one in clients)
        {
            one.Ask("file");
            if (one != clients[4]) await one.HearDataAsync();
        }
        clients[0].Ask("nothing");
        Assert.Equal(TftpErrorCode.FileNotFound, (await clients[0].HearErrorAsync()).Code);
        Assert.Equal((4, 1), (server.Listener.Active, server.Counters.TurnedAway));
        clients[1].Error(TftpErrorCode.Undefined, "bye");
        await Eventually.UntilAsync(() => server.Listener.Active < 4, "the end of the second's transfer");
        clients[4].Ask("file");
        Assert.Equal(1, (await clients[4].HearDataAsync()).Block);
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task A_malformed_request_is_counted_and_told_and_anything_else_is_left_alone()
    {
        client.SendRaw("\0\u0001file\0telepathy\0"u8);
        Assert.Equal(TftpErrorCode.IllegalOperation, (await client.HearErrorAsync()).Code);
        client.SendRaw([0, 5, 0, 0, 0]);
        client.SendRaw([9]);
        client.Ask("file", mode: TftpMode.Mail);
        Assert.Equal(TftpErrorCode.IllegalOperation, (await client.HearErrorAsync()).Code);
        client.Ask("file", opcode: TftpOpcode.WriteRequest);
        Assert.Equal(TftpErrorCode.AccessViolation, (await client.HearErrorAsync()).Code);
        Assert.Equal((1, 1, 1), (server.Counters.Defects(TftpDefect.UnknownMode), server.Counters.Defects(TftpDefect.UnexpectedOpcode), server.Counters.Defects(TftpDefect.Truncated)));
    }

    [Fact]
    public async Task Damaged_requests_and_packets_leave_the_server_serving()
    {
        var request = new byte[512];
        var length = new TftpRequest { Opcode = TftpOpcode.ReadRequest, FileName = "nothing"u8, Mode = TftpMode.Octet, Options = new() { BlockSize = 1468 } }.Write(request);
        using var vandal = new ScriptedTftpClient(server.Port);
        // A few at a time, and then a question: UDP loses what the server has no time for, and this is not about that.
        foreach (var some in Mutations.Of(request[..length], seed: 42, count: 2000).Chunk(40))
        {
            foreach (var damaged in some) vandal.SendRaw(damaged);
            client.Ask("nothing");
            Assert.Equal(TftpErrorCode.FileNotFound, (await client.HearErrorAsync()).Code);
        }
        client.Ask("file");
        await client.HearDataAsync();
        foreach (var damaged in Mutations.Of([0, 4, 0, 1], seed: 43, count: 200).Where(d => d.Length < 2 || d[1] is not (4 or 5))) client.Say(damaged);
        client.Acknowledge(1);
        Assert.Equal(2, (await client.HearDataAsync()).Block);
    }

    [Fact]
    public async Task Stopping_ends_transfers_at_once_and_frees_the_port()
    {
        client.Ask("file");
        await client.HearDataAsync();
        var port = server.Port;
        await server.DisposeAsync();
        Assert.Equal(0, server.Listener.Active);
        await using var next = new TftpListener(BootBench.Loopback, new() { Port = port }, new(), new(), new BootReporter(new(), new(), clock), clock, NullLogger.Instance);
        Assert.Equal(port, next.Port);
    }

    [Fact]
    public void A_taken_port_is_one_sentence_that_says_what_to_do()
    {
        var refused = Assert.Throws<StartupException>(() =>
            new TftpListener(BootBench.Loopback, new() { Port = server.Port }, new(), new(), new BootReporter(new(), new(), clock), clock, NullLogger.Instance));
        Assert.Equal($"TFTP cannot listen on lo: another program has UDP port {server.Port}", refused.Message);
        Assert.Equal($"Find it with \"ss -lunp 'sport = :{server.Port}'\" and stop it, or take network 'bench' out of the configuration.", refused.NextStep);
    }

    [Fact]
    public void A_missing_interface_is_one_sentence()
    {
        var refused = Assert.Throws<StartupException>(() => new TftpListener(
            BootBench.Loopback with { Interface = "nosuch0" }, new() { Port = 0 }, new(), new(), new BootReporter(new(), new(), clock), clock, NullLogger.Instance));
        Assert.Contains("nosuch0", refused.Message);
        Assert.Equal("Check that the interface of network 'bench' is there.", refused.NextStep);
    }
}
