using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Ipmi;
using GridAppliance.Power;
using GridAppliance.Power.Ipmi;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Testing;
using GridAppliance.Tests.Power;

namespace GridAppliance.Tests.Consoles;

public sealed class SolConsoleTests : WithScriptedBmc
{
    /// <summary>Get Payload Instance Info, Get Payload Activation Status and Activate Payload, as the BMC logs them.</summary>
    const string WhoHasIt = "App/4b", IsIt = "App/4a", Activate = "App/48";

    static async Task<string> ReadAsync(IConsole console, int count)
    {
        var buffer = new byte[count];
        for (var at = 0; at < count;) at += await console.ReadAsync(buffer.AsMemory(at), Patience);
        return Encoding.Latin1.GetString(buffer);
    }

    [Fact]
    public async Task What_the_node_says_is_read_once_and_acknowledged()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        bmc.Say(1, "hello "u8);
        bmc.Say(2, "wor"u8);
        // A repeat that has grown meanwhile.
        bmc.Say(2, "world"u8);
        bmc.Say(3, "!"u8);
        Assert.Equal("hello world!", await ReadAsync(console, 12));
        var acknowledged = new List<(byte, byte)>();
        while (acknowledged.Count < 4) acknowledged.Add(await bmc.Acknowledged.Reader.ReadAsync(Patience));
        Assert.Equal([(1, 6), (2, 3), (2, 5), (3, 1)], acknowledged);
    }

    static readonly IpmiTimings ShownAtOnce = new() { SolGathering = TimeSpan.Zero };

    /// <summary>A console whose line has had all the acknowledgements that come at once; nothing moves the clock.</summary>
    async Task<IConsole> OpenBusyAsync(IpmiBmc port)
    {
        var console = await new SolConsolePort(port).OpenAsync(Patience);
        for (byte number = 1; number <= Busy; number++)
        {
            bmc.Say(number, "."u8);
            Assert.Equal((number, (byte)1), await bmc.Acknowledged.Reader.ReadAsync(Patience));
        }
        Assert.Equal("........", await ReadAsync(console, Busy));
        return console;
    }

    static readonly byte Busy = (byte)new IpmiTimings().SolBurst;

    [Fact]
    public async Task A_busy_line_is_acknowledged_at_a_pace_but_for_packets_that_are_full()
    {
        await using var port = bench.Open(bmc, clock, ShownAtOnce);
        await using var console = await OpenBusyAsync(port);
        bmc.Say(9, "kept back"u8);
        Assert.Equal("kept back", await ReadAsync(console, 9));
        // What is sent at once is sent before it is read, and the BMC has it before the next command.
        await port.GetPowerAsync(Patience);
        Assert.False(bmc.Acknowledged.Reader.TryRead(out _));
        clock.Advance(TimeSpan.FromSeconds(1) / new IpmiTimings().SolPackets);
        Assert.Equal(((byte)9, (byte)9), await bmc.Acknowledged.Reader.ReadAsync(Patience));

        bmc.Say(10, new byte[255]);
        Assert.Equal(((byte)10, (byte)255), await bmc.Acknowledged.Reader.ReadAsync(Patience));
    }

    [Fact]
    public async Task Full_packets_have_their_share_of_a_busy_lines_pace_and_no_more()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await OpenBusyAsync(port);
        clock.Advance(TimeSpan.FromSeconds(1) / new IpmiTimings().SolPackets);
        for (byte number = 9; number < 12; number++)
        {
            bmc.Say(number, new byte[255]);
            Assert.Equal((number, (byte)255), await bmc.Acknowledged.Reader.ReadAsync(Patience));
        }
        bmc.Say(12, "kept back"u8);
        // The BMC has this command after whatever was sent at once.
        await port.GetPowerAsync(Patience);
        Assert.False(bmc.Acknowledged.Reader.TryRead(out _));
        clock.Advance(TimeSpan.FromSeconds(1) / new IpmiTimings().SolPackets);
        Assert.Equal(((byte)12, (byte)9), await bmc.Acknowledged.Reader.ReadAsync(Patience));
    }

    [Fact]
    public async Task A_bmc_that_says_more_without_waiting_for_its_acknowledgement_gets_both_and_what_it_said_is_shown_together_a_moment_later()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await OpenBusyAsync(port);
        bmc.Say(9, "one"u8);
        bmc.Say(10, "and two"u8);
        Assert.Equal(((byte)9, (byte)3), await bmc.Acknowledged.Reader.ReadAsync(Patience));
        Assert.Equal(((byte)10, (byte)7), await bmc.Acknowledged.Reader.ReadAsync(Patience));
        var reading = ReadAsync(console, 10);
        await port.GetPowerAsync(Patience);
        Assert.False(reading.IsCompleted);
        clock.Advance(new IpmiTimings().SolGathering);
        Assert.Equal("oneand two", await reading);
    }

    [Fact]
    public async Task A_bmc_that_repeats_what_is_not_acknowledged_yet_gets_its_acknowledgement()
    {
        await using var port = bench.Open(bmc, clock, ShownAtOnce);
        await using var console = await OpenBusyAsync(port);
        bmc.Say(9, "kept back"u8);
        bmc.Say(9, "kept back"u8);
        Assert.Equal(((byte)9, (byte)9), await bmc.Acknowledged.Reader.ReadAsync(Patience));
        Assert.Equal("kept back", await ReadAsync(console, 9));
    }

    [Fact]
    public async Task What_was_read_is_acknowledged_before_the_console_is_given_back()
    {
        await using var port = bench.Open(bmc, clock, ShownAtOnce);
        await using (var console = await OpenBusyAsync(port))
        {
            bmc.Say(9, "kept back"u8);
            Assert.Equal("kept back", await ReadAsync(console, 9));
        }
        Assert.Equal(((byte)9, (byte)9), await bmc.Acknowledged.Reader.ReadAsync(Patience));
    }

    [Fact]
    public async Task What_the_node_says_before_the_answer_to_the_opening_has_come_is_kept()
    {
        bmc.Script = ScriptedBmc.Once(Activate, Reaction.Hold);
        await using var port = bench.Open(bmc, clock);
        var opening = new SolConsolePort(port).OpenAsync(Patience);
        await bmc.ArrivedAsync(Activate);
        bmc.Say(1, "the first words"u8);
        bmc.Release();
        await using var console = await opening;
        Assert.Equal("the first words", await ReadAsync(console, 15));
        Assert.Equal(((byte)1, (byte)15), await bmc.Acknowledged.Reader.ReadAsync(Patience));
    }

    [Fact]
    public async Task Ten_thousand_octets_typed_arrive_in_order_though_packets_get_lost()
    {
        var asked = 0;
        bmc.Script = name => name != "Sol" ? Reaction.Answer : (asked++ % 40) switch { 7 => Reaction.Lose, 23 => Reaction.LoseAnswer, 31 => Reaction.AnswerTwice, _ => Reaction.Answer };
        await using var port = bench.Open(bmc, timings: new() { SolWait = TimeSpan.FromMilliseconds(5) });
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        var paste = new byte[10_000];
        new Random(5).NextBytes(paste);
        await console.WriteAsync(paste, Patience);
        Assert.Equal(paste, bmc.Typed);
    }

    [Fact]
    public async Task A_port_that_takes_part_of_a_packet_gets_the_rest_again()
    {
        bmc.TypedLimit = 5;
        await using var port = bench.Open(bmc, timings: new() { SolPause = TimeSpan.FromMilliseconds(1) });
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        await console.WriteAsync("a line that is longer than the port likes\r"u8.ToArray(), Patience);
        Assert.Equal("a line that is longer than the port likes\r", Encoding.ASCII.GetString([.. bmc.Typed]));
    }

    [Fact]
    public async Task A_break_is_sent_once()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        await Assert.IsAssignableFrom<ISerialBreak>(console).SendBreakAsync(Patience);
        Assert.Equal(1, bmc.Breaks);
    }

    [Fact]
    public async Task Power_and_console_share_one_session()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        await port.SetPowerAsync(PowerAction.On, Patience);
        bmc.Say(1, "POST"u8);
        Assert.Equal("POST", await ReadAsync(console, 4));
        Assert.Equal((1, 1), (bmc.OpenSessions, bmc.Count("Rakp3")));
    }

    [Fact]
    public async Task A_console_that_another_has_is_taken()
    {
        bmc.StealConsole();
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        bmc.Say(1, "ours"u8);
        Assert.Equal("ours", await ReadAsync(console, 4));
    }

    [Fact]
    public async Task A_console_that_is_stolen_silently_is_noticed_within_twenty_seconds_and_taken_back()
    {
        await using var port = bench.Open(bmc, clock);
        var sol = new SolConsolePort(port);
        await using var console = await sol.OpenAsync(Patience);
        var reading = console.ReadAsync(new byte[10], Patience).AsTask();
        bmc.StealConsole();
        // What else is asked of the BMC meanwhile does not hide the silence of the line.
        for (var second = 0; second < 9; second++)
        {
            await port.GetPowerAsync(Patience);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        var loss = await Assert.ThrowsAsync<IOException>(() => reading);
        Assert.Contains("another", loss.Message, StringComparison.Ordinal);
        await using var again = await sol.OpenAsync(Patience);
        bmc.Say(1, "back"u8);
        Assert.Equal("back", await ReadAsync(again, 4));
    }

    /// <summary>Of a BMC without Get Payload Instance Info that answers every packet to whoever has the console, or none that has no characters.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_theft_that_the_bmc_has_no_word_for_is_noticed_within_twenty_seconds(bool ignoresEmptyPackets)
    {
        bmc.State.Unsupported.Add(WhoHasIt);
        bmc.IgnoresEmptyPackets = ignoresEmptyPackets;
        await using var port = bench.Open(bmc, clock);
        var sol = new SolConsolePort(port);
        await using var console = await sol.OpenAsync(Patience);
        var reading = console.ReadAsync(new byte[10], Patience).AsTask();
        bmc.StealConsole();
        var waited = await SilenceAsync(ScriptedBmc.NotYourConsole);
        Assert.Contains("another", (await Assert.ThrowsAsync<IOException>(() => reading)).Message, StringComparison.Ordinal);
        Assert.True(waited < TimeSpan.FromSeconds(20), waited.ToString());
        await using var again = await sol.OpenAsync(Patience);
        bmc.Say(1, "back"u8);
        Assert.Equal("back", await ReadAsync(again, 4));
    }

    [Fact]
    public async Task A_quiet_line_that_the_bmc_has_no_word_for_stays_and_nothing_is_typed_at_it()
    {
        bmc.State.Unsupported.Add(WhoHasIt);
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        for (var minute = 0; minute < 8; minute++)
        {
            clock.Advance(TimeSpan.FromSeconds(8));
            await bmc.ArrivedAsync("Sol");
            // The owner has done with the acknowledgement when it has done what came after it.
            await port.GetPowerAsync(Patience);
        }
        bmc.Say(1, "here"u8);
        Assert.Equal("here", await ReadAsync(console, 4));
        Assert.Equal((0, 0, 1), (bmc.Typed.Count, bmc.Breaks, bmc.Count(Activate)));
    }

    /// <summary>What it does not acknowledge on a line that is ours says nothing about later ones: one gap, and no more.</summary>
    [Fact]
    public async Task A_bmc_that_acknowledges_no_empty_packet_loses_its_line_once_and_not_again()
    {
        bmc.State.Unsupported.Add(WhoHasIt);
        bmc.IgnoresEmptyPackets = true;
        await using var port = bench.Open(bmc, clock);
        var sol = new SolConsolePort(port);
        await using var first = await sol.OpenAsync(Patience);
        var reading = first.ReadAsync(new byte[10], Patience).AsTask();
        await SilenceAsync("Sol");
        await Assert.ThrowsAsync<IOException>(() => reading);

        await using var second = await sol.OpenAsync(Patience);
        for (var packet = 0; packet < new IpmiTimings().SolAttempts; packet++)
        {
            await bmc.ArrivedAsync("Sol");
            clock.Advance(TimeSpan.FromMilliseconds(500));
        }
        var probes = bmc.Count("Sol");
        for (var look = 0; look < 4; look++)
        {
            clock.Advance(TimeSpan.FromSeconds(8));
            await bmc.ArrivedAsync(IsIt);
            await port.GetPowerAsync(Patience);
        }
        bmc.Say(1, "here"u8);
        Assert.Equal("here", await ReadAsync(second, 4));
        Assert.Equal((probes, 2), (bmc.Count("Sol"), bmc.Count(Activate)));

        // And one that lets go of the console without a word still says so when it is asked.
        reading = second.ReadAsync(new byte[10], Patience).AsTask();
        bmc.DropConsole();
        clock.Advance(TimeSpan.FromSeconds(8));
        Assert.Contains("ended", (await Assert.ThrowsAsync<IOException>(() => reading)).Message, StringComparison.Ordinal);
    }

    /// <summary>Eight silent seconds, and then as long as a packet without characters is sent again in vain; returns how long that was.</summary>
    async Task<TimeSpan> SilenceAsync(string packet)
    {
        var timings = new IpmiTimings();
        clock.Advance(timings.SolCheck);
        for (var attempt = 0; attempt < timings.SolAttempts; attempt++)
        {
            await bmc.ArrivedAsync(packet);
            clock.Advance(timings.SolWait);
        }
        return timings.SolCheck + timings.SolAttempts * timings.SolWait;
    }

    [Fact]
    public async Task A_bmc_that_dies_under_a_console_is_noticed_within_twenty_seconds()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        var reading = console.ReadAsync(new byte[10], Patience).AsTask();
        bmc.Reboot();
        var waited = TimeSpan.FromSeconds(8);
        clock.Advance(waited);
        foreach (var wait in (double[])[0.7, 1.4, 2.8])
        {
            await bmc.ArrivedAsync(ScriptedBmc.UnknownSession);
            // With the most jitter there is.
            clock.Advance(TimeSpan.FromSeconds(wait * 1.25));
            waited += TimeSpan.FromSeconds(wait * 1.25);
        }
        await Assert.ThrowsAsync<IOException>(() => reading);
        Assert.True(waited < TimeSpan.FromSeconds(20), waited.ToString());
    }

    [Fact]
    public async Task A_bmc_that_says_it_ends_the_console_is_believed()
    {
        await using var port = bench.Open(bmc, clock);
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        bmc.Say(1, default, SolCondition.Deactivating);
        await Assert.ThrowsAsync<IOException>(() => console.ReadAsync(new byte[10], Patience).AsTask());
        await Assert.ThrowsAsync<IOException>(() => console.WriteAsync("x"u8.ToArray(), Patience).AsTask());
    }

    [Fact]
    public async Task A_closed_console_is_given_back()
    {
        await using var port = bench.Open(bmc, clock);
        var console = await new SolConsolePort(port).OpenAsync(Patience);
        await console.DisposeAsync();
        Assert.Equal(0u, bmc.ConsoleSession);
    }

    [Fact]
    public async Task The_simulators_serial_port_carries_binary_both_ways()
    {
        using var serial = new TcpListener(IPAddress.Loopback, 0);
        serial.Start();
        using var simulator = IpmiSimulator.Start(serialPort: ((IPEndPoint)serial.LocalEndpoint).Port);
        await using var port = bench.Open(simulator.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password));
        await using var console = await new SolConsolePort(port).OpenAsync(Patience);
        using var machine = await serial.AcceptTcpClientAsync(Patience);
        var line = machine.GetStream();

        var said = RandomNumberGenerator.GetBytes(4000);
        await line.WriteAsync(said, Patience);
        Assert.Equal(Encoding.Latin1.GetString(said), await ReadAsync(console, said.Length));

        var typed = RandomNumberGenerator.GetBytes(4000);
        var typing = console.WriteAsync(typed, Patience).AsTask();
        var arrived = new byte[typed.Length];
        await line.ReadExactlyAsync(arrived, Patience);
        await typing;
        Assert.Equal(typed, arrived);
    }
}
