using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Tests.Power;

/// <summary>Faults while a session is being opened, where nothing is signed yet, and answers that try to get round the session later.</summary>
public sealed class BmcHandshakeFaultTests : WithScriptedBmc
{
    const string Status = "Chassis/01";

    [Theory]
    [InlineData("OpenSession")]
    [InlineData("Rakp1")]
    [InlineData("Rakp3")]
    public async Task A_handshake_message_with_another_sessions_id_is_not_taken_and_all_is_begun_anew(string step)
    {
        bmc.Script = ScriptedBmc.Once(step, Reaction.WrongSession);
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(step);
        Assert.Equal(0, bmc.Count(Status));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PowerState.Off, await asked);
        Assert.Equal((2, 1), (bmc.Count("OpenSession"), bmc.Count(Status)));
    }

    [Theory]
    [InlineData("OpenSession", "Rakp1")]
    [InlineData("Rakp1", "Rakp3")]
    [InlineData("Rakp3", "App/3b")]
    public async Task A_handshake_message_that_comes_late_belongs_to_no_later_handshake(string step, string next)
    {
        var held = 2;
        bmc.Script = name => name == step && held-- > 0 ? Reaction.Hold : Reaction.Answer;
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(step);
        clock.Advance(TimeSpan.FromSeconds(1));
        await bmc.ArrivedAsync(step);
        // First the one of the handshake that was given up, then the one that is waited for.
        bmc.Release();
        Assert.Equal(PowerState.Off, await asked);
        Assert.Equal((2, 1), (bmc.Count("OpenSession"), bmc.Count(next)));
    }

    [Theory]
    [InlineData("Rakp1")]
    [InlineData("Rakp3")]
    public async Task A_handshake_message_with_a_bad_code_opens_nothing_and_is_not_tried_on(string step)
    {
        bmc.Script = ScriptedBmc.Once(step, Reaction.BadCode);
        await using var port = bench.Open(bmc, clock);
        for (var i = 0; i < 3; i++)
        {
            var e = await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
            Assert.Equal((DeviceFault.CredentialsRefused, false), (e.Fault, e.IsTransient));
        }
        Assert.Equal((1, 0, 0), (bmc.Count("OpenSession"), bmc.Count("App/3b"), bmc.Count(Status)));
    }

    [Fact]
    public async Task An_answer_outside_the_session_is_not_one_to_what_was_asked_inside()
    {
        bmc.State.IsOn = true;
        await using var port = bench.Open(bmc, clock);
        await port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        // Whoever can send from the BMC's address may guess the number of the request, of which there are 64; the session's key is what cannot be guessed. "Off", in both wrappers.
        var datagram = new byte[64];
        for (byte number = 0; number < 64; number++)
        {
            var length = IpmbMessage.WriteAnswer(datagram.AsSpan(RmcpPlusPacket.HeaderLength), NetFunction.Chassis, 1, number, [0, 0, 0, 0]);
            bmc.Blurt(datagram[..RmcpPlusPacket.Wrap(datagram, PayloadType.IpmiMessage, length)]);
            length = IpmbMessage.WriteAnswer(datagram.AsSpan(Session15Packet.Overhead), NetFunction.Chassis, 1, number, [0, 0, 0, 0]);
            bmc.Blurt(datagram[..Session15Packet.Wrap(datagram, length)]);
        }
        bmc.Release();
        // So many may have filled the inbox: then the answer is one of the datagrams that a network loses.
        for (var i = 0; i < 1000 && !asked.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(asked, Task.Delay(5));
        }
        Assert.Equal(PowerState.On, await asked);
    }

    [Fact]
    public async Task An_answer_that_was_genuine_once_is_not_taken_again()
    {
        await using var port = bench.Open(bmc, clock);
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Keep);
        // "Off", recorded by somebody on the way; 64 requests later the same number is under way again, and the machine is on.
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        for (var i = 1; i < 64; i++) await port.GetPowerAsync(Patience);
        bmc.State.IsOn = true;
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        await bmc.ArrivedAsync(Status, 64);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        bmc.Replay();
        bmc.Release();
        Assert.Equal(PowerState.On, await asked);
    }

    [Fact]
    public async Task A_bmc_is_asked_no_more_often_than_its_rate_allows()
    {
        // A clock that hurries does not make it impatient.
        await using var port = bench.Open(bmc, clock, new() { Rate = 2, Burst = 3, FirstWait = TimeSpan.FromHours(1) });
        var at = new List<DateTimeOffset>();
        bmc.Script = name =>
        {
            if (name == Status) at.Add(clock.GetUtcNow());
            return Reaction.Answer;
        };
        // While the clock stands still, so many may come without a pause.
        for (var i = 0; i < 3; i++) await port.GetPowerAsync(Patience);
        var asked = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => port.GetPowerAsync(Patience)));
        for (var i = 0; i < 10_000 && !asked.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAny(asked, Task.Delay(1));
        }
        await asked.WaitAsync(Patience);
        for (var i = 0; i < 3; i++) Assert.True(at[3 + i] - at[0] >= TimeSpan.FromSeconds(0.5 * (i + 1)), $"request {3 + i} came {(at[3 + i] - at[0]).TotalSeconds} s after the first");
    }

    [Fact]
    public async Task Waits_before_repeating_grow_and_are_no_two_alike()
    {
        bmc.Script = _ => Reaction.Lose;
        var waits = new List<TimeSpan>();
        await using var port = bench.Open(bmc, new WatchedClock(clock, waits), new() { FirstWait = TimeSpan.FromSeconds(1), Jitter = 0.25, BreakAfter = 1000 });
        for (var i = 0; i < 5; i++)
        {
            var asked = port.GetPowerAsync(Patience);
            for (var moved = 0; !asked.IsCompleted; moved++)
            {
                Assert.True(moved < 30_000, "it never gave up");
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.WhenAny(asked, Task.Delay(1));
            }
            Assert.Equal(DeviceFault.Unreachable, (await Assert.ThrowsAsync<DeviceException>(() => asked)).Fault);
        }
        List<TimeSpan> armed;
        lock (waits) armed = [.. waits];
        foreach (var (least, most) in ((double, double)[])[(1, 1.25), (2, 2.5), (4, 5)])
        {
            var attempt = armed.Where(wait => wait.TotalSeconds >= least && wait.TotalSeconds <= most).Distinct().Count();
            Assert.True(attempt >= 4, $"{attempt} waits between {least} and {most} s among {string.Join(", ", armed)}");
        }
        Assert.DoesNotContain(armed, wait => wait.TotalSeconds is > 5);
    }

    /// <summary>Writes down for how long its timers are set.</summary>
    sealed class WatchedClock(TimeProvider clock, List<TimeSpan> waits) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new WatchedTimer(clock.CreateTimer(callback, state, dueTime, period), waits);

        sealed class WatchedTimer(ITimer timer, List<TimeSpan> waits) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime != Timeout.InfiniteTimeSpan) lock (waits) waits.Add(dueTime);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
