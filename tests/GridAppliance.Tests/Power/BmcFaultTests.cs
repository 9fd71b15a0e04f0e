using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Power;

/// <summary>Requests to BMCs as they are: late, double, lost, out of order, busy. Real datagrams, and a clock that moves when the test says so.</summary>
public sealed class BmcFaultTests : WithScriptedBmc
{
    const string Status = "Chassis/01";

    [Fact]
    public async Task An_answer_that_comes_after_the_request_was_sent_again_is_dropped()
    {
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PowerState.Off, await asked);
        bmc.State.IsOn = true;
        bmc.Release();
        Assert.Equal(PowerState.On, await port.GetPowerAsync(Patience));
        Assert.Equal(3, bmc.Count(Status));
    }

    [Fact]
    public async Task Answers_out_of_order_are_sorted_out()
    {
        var left = 2;
        bmc.Script = name => name == Status && left-- > 0 ? Reaction.Hold : Reaction.Answer;
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        bmc.State.IsOn = true;
        clock.Advance(TimeSpan.FromSeconds(1));
        await bmc.ArrivedAsync(Status);
        bmc.Release(backwards: true);
        // The second answer came first, and both carry the same number: it is the one that counts.
        Assert.Equal(PowerState.On, await asked);
        bmc.State.IsOn = false;
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task A_bmc_that_says_everything_twice_is_understood_once()
    {
        bmc.Script = _ => Reaction.AnswerTwice;
        await using var port = bench.Open(bmc);
        for (var i = 0; i < 20; i++)
        {
            bmc.State.IsOn = i % 2 == 0;
            Assert.Equal(bmc.State.IsOn ? PowerState.On : PowerState.Off, await port.GetPowerAsync(Patience));
        }
        Assert.Equal(20, bmc.Count(Status));
    }

    [Theory]
    [InlineData(nameof(Reaction.WrongSession))]
    [InlineData(nameof(Reaction.BadCode))]
    [InlineData(nameof(Reaction.Lose))]
    [InlineData(nameof(Reaction.LoseAnswer))]
    public async Task An_answer_that_is_not_genuine_or_is_lost_is_asked_for_again(string reaction)
    {
        bmc.Script = ScriptedBmc.Once(Status, Enum.Parse<Reaction>(reaction));
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PowerState.Off, await asked);
        Assert.Equal(2, bmc.Count(Status));
        Assert.Equal(1, bmc.Count("Rakp3"));
    }

    [Fact]
    public async Task An_order_that_must_not_be_repeated_is_sent_once_and_its_silence_is_told()
    {
        bmc.State.IsOn = true;
        bmc.Script = ScriptedBmc.Once("Chassis/02", Reaction.LoseAnswer);
        await using var port = bench.Open(bmc, clock);
        var asked = port.SetPowerAsync(PowerAction.Reset, Patience);
        await bmc.ArrivedAsync("Chassis/02");
        clock.Advance(TimeSpan.FromMinutes(1));
        var e = await Assert.ThrowsAsync<DeviceException>(() => asked);
        Assert.Equal((DeviceFault.TimedOut, true), (e.Fault, e.IsTransient));
        Assert.Equal([3], bmc.State.Actions);
    }

    [Fact]
    public async Task Before_such_an_order_an_old_session_is_proved_alive()
    {
        bmc.State.IsOn = true;
        await using var port = bench.Open(bmc, clock);
        await port.GetPowerAsync(Patience);
        clock.Advance(TimeSpan.FromSeconds(10));
        bmc.Reboot();
        var asked = port.SetPowerAsync(PowerAction.Reset, Patience);
        for (var i = 0; i < 2; i++)
        {
            await bmc.ArrivedAsync(ScriptedBmc.UnknownSession);
            clock.Advance(TimeSpan.FromSeconds(5));
        }
        await asked;
        Assert.Equal([3], bmc.State.Actions);
    }

    [Fact]
    public async Task Turning_on_may_be_said_twice()
    {
        bmc.Script = ScriptedBmc.Once("Chassis/02", Reaction.LoseAnswer);
        await using var port = bench.Open(bmc, clock);
        var asked = port.SetPowerAsync(PowerAction.On, Patience);
        await bmc.ArrivedAsync("Chassis/02");
        clock.Advance(TimeSpan.FromSeconds(1));
        await asked;
        Assert.Equal([1, 1], bmc.State.Actions);
    }

    [Fact]
    public async Task A_dead_bmc_costs_its_callers_a_few_datagrams_and_the_others_nothing()
    {
        using var dead = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        dead.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var silent = bench.Open((IPEndPoint)dead.LocalEndPoint!, "ADMIN", bmc.Password, clock, new() { BreakAfter = 1 });
        await using var port = bench.Open(bmc, clock);
        var asked = silent.GetPowerAsync(Patience);
        var buffer = new byte[512];
        // What it can do, three times, and whether anybody is there at all.
        for (var i = 0; i < 4; i++)
        {
            await dead.ReceiveAsync(buffer, SocketFlags.None, Patience);
            Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
            Assert.False(asked.IsCompleted);
            clock.Advance(TimeSpan.FromSeconds(4));
        }
        Assert.Equal(DeviceFault.Unreachable, (await Assert.ThrowsAsync<DeviceException>(() => asked)).Fault);
        // The circuit is open: at once, and without a datagram.
        for (var i = 0; i < 5; i++) Assert.Equal(DeviceFault.Unreachable, (await Assert.ThrowsAsync<DeviceException>(() => silent.GetPowerAsync(Patience))).Fault);
        Assert.Equal(0, dead.Available);
    }

    [Fact]
    public async Task No_bmc_is_asked_two_things_at_once()
    {
        await using var port = bench.Open(bmc, clock);
        await port.GetPowerAsync(Patience);
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        var asked = Enumerable.Range(0, 50).Select(_ => port.GetPowerAsync(Patience)).ToList();
        await bmc.ArrivedAsync(Status, 2);
        bmc.Release();
        await Task.WhenAll(asked);
        Assert.Equal((0, 51), (bmc.Overlaps, bmc.Count(Status)));
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_the_bmc_to_finish()
    {
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        await using var port = bench.Open(bmc, clock);
        using var impatient = new CancellationTokenSource();
        var asked = port.GetPowerAsync(impatient.Token);
        await bmc.ArrivedAsync(Status);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        var next = port.GetPowerAsync(Patience);
        bmc.Release();
        Assert.Equal(PowerState.Off, await next);
        Assert.Equal(0, bmc.Overlaps);
    }

    [Fact]
    public async Task A_busy_bmc_is_given_a_moment()
    {
        var busy = 2;
        bmc.Script = name => name == Status && busy-- > 0 ? Reaction.Busy : Reaction.Answer;
        await using var port = bench.Open(bmc, timings: new() { BusyWait = TimeSpan.FromMilliseconds(1) });
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        Assert.Equal(3, bmc.Count(Status));
    }

    [Fact]
    public async Task An_address_has_one_owner()
    {
        await using (var port = bench.Open(bmc)) Assert.Throws<InvalidOperationException>(() => bench.Open(bmc));
        await using var next = bench.Open(bmc);
        await next.GetPowerAsync(Patience);
    }

    [Fact]
    public async Task Noise_from_the_right_address_changes_nothing()
    {
        bmc.Script = ScriptedBmc.Once(Status, Reaction.Hold);
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        byte[] sample = Convert.FromHexString("0600ff0706c0a4a3a2a00100000020000ac7e07b90362ab4e64cfc7a2d97e04777871e13f812ca9f61a3ba6ec2fa9090ffff02070e9e6bd01449d60cb7d5615783118220");
        foreach (var noise in Mutations.Of(sample, seed: 41, count: 2000).Where(n => n.Length > 0)) bmc.Blurt(noise);
        bmc.Release();
        // Noise may have filled the inbox: then the answer is one of the datagrams that a network loses.
        for (var i = 0; i < 1000 && !asked.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(asked, Task.Delay(5));
        }
        Assert.Equal(PowerState.Off, await asked);
    }
}
