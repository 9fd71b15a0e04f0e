using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Tests.Power;

/// <summary>Sessions with BMCs as they are: with few suites, forgetful, full, another's. Real datagrams, and a clock that moves when the test says so.</summary>
public sealed class BmcSessionTests : WithScriptedBmc
{
    const string Status = "Chassis/01";

    [Theory]
    [InlineData(3)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    public async Task A_session_opens_with_each_suite_that_is_used(byte suite)
    {
        bmc.Suites.RemoveAll(s => s.Id != suite);
        bmc.State.IsOn = true;
        await using var port = bench.Open(bmc);
        Assert.Equal(PowerState.On, await port.GetPowerAsync(Patience));
        Assert.Equal(suite, port.Owner.Suite!.Id);
    }

    [Fact]
    public async Task The_strongest_suite_that_is_offered_is_taken()
    {
        await using var port = bench.Open(bmc);
        await port.GetPowerAsync(Patience);
        Assert.Equal(17, port.Owner.Suite!.Id);
    }

    [Fact]
    public async Task A_suite_that_is_refused_gives_way_to_the_next()
    {
        bmc.Suites.RemoveAll(s => s.Id == 17);
        bmc.Suites.Reverse();
        // Its algorithms are all there, in other suites: 17 is proposed and refused.
        await using var port = bench.Open(bmc);
        await port.GetPowerAsync(Patience);
        Assert.Equal((3, 2), (port.Owner.Suite!.Id, bmc.Count("OpenSession")));
    }

    [Fact]
    public async Task A_bmc_whose_suites_change_is_asked_anew()
    {
        await using var port = bench.Open(bmc, clock, new() { IdleClose = TimeSpan.FromSeconds(10) });
        await port.GetPowerAsync(Patience);
        clock.Advance(TimeSpan.FromSeconds(20));
        await bmc.ArrivedAsync("App/3c");
        bmc.Suites.RemoveAll(s => s.Id != 3);
        await port.GetPowerAsync(Patience);
        Assert.Equal(3, port.Owner.Suite!.Id);
    }

    [Fact]
    public async Task A_bmc_with_nothing_but_suite_0_is_not_talked_to()
    {
        bmc.Suites.Clear();
        bmc.Suites.Add(CipherSuite.Zero);
        await using var port = bench.Open(bmc);
        var e = await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
        Assert.Equal((DeviceFault.Insecure, false), (e.Fault, e.IsTransient));
        Assert.Equal(0, bmc.Count("Rakp1"));
    }

    [Fact]
    public async Task A_bmc_that_drops_a_proposal_it_does_not_know_is_asked_with_the_next()
    {
        bmc.Suites.RemoveAll(s => s.Id != 3);
        bmc.IgnoresUnknownSuites = true;
        // Nor does it tell what it knows.
        bmc.State.Unsupported.Add("App/54");
        await using var port = bench.Open(bmc, clock, new() { Attempts = 2 });
        var asked = port.GetPowerAsync(Patience);
        for (var i = 0; i < 2; i++)
        {
            await bmc.ArrivedAsync("OpenSession");
            clock.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.Equal(PowerState.Off, await asked);
        Assert.Equal(3, port.Owner.Suite!.Id);
    }

    [Theory]
    [InlineData("OpenSession")]
    [InlineData("Rakp1")]
    [InlineData("Rakp3")]
    public async Task A_handshake_with_a_loss_at_any_step_starts_again_and_succeeds(string step)
    {
        bmc.Script = ScriptedBmc.Once(step, Reaction.LoseAnswer);
        await using var port = bench.Open(bmc, clock);
        var asked = port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(step);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PowerState.Off, await asked);
        Assert.Equal(2, bmc.Count("OpenSession"));
    }

    [Fact]
    public async Task A_bmc_that_restarts_is_signed_in_to_again_and_the_caller_does_not_notice()
    {
        await using var port = bench.Open(bmc, clock);
        await port.GetPowerAsync(Patience);
        bmc.Reboot();
        bmc.State.IsOn = true;
        var asked = port.GetPowerAsync(Patience);
        for (var i = 0; i < 2; i++)
        {
            await bmc.ArrivedAsync(ScriptedBmc.UnknownSession);
            clock.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.Equal(PowerState.On, await asked);
        Assert.Equal(2, bmc.Count("Rakp3"));
    }

    [Fact]
    public async Task A_wrong_password_is_said_once_and_never_proved_to_the_bmc()
    {
        await using (var port = bench.Open(bmc, password: "wrong"u8.ToArray()))
        {
            for (var i = 0; i < 10; i++)
            {
                var e = await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
                Assert.Equal(DeviceFault.CredentialsRefused, e.Fault);
                Assert.DoesNotContain("wrong\"", e.Message, StringComparison.Ordinal);
            }
            Assert.Equal((1, 0, 0), (bmc.Count("OpenSession"), bmc.Count("Rakp3"), bmc.State.BadPasswords));
        }
        await using var right = bench.Open(bmc);
        Assert.Equal(PowerState.Off, await right.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task An_account_that_is_not_there_is_said_once()
    {
        await using var port = bench.Open(bmc.EndPoint, "nobody", bmc.Password);
        for (var i = 0; i < 3; i++) Assert.Equal(DeviceFault.CredentialsRefused, (await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience))).Fault);
        Assert.Equal(1, bmc.Count("Rakp1"));
    }

    [Fact]
    public async Task A_key_of_the_bmc_itself_is_used_and_its_lack_is_told()
    {
        bmc.DeviceKey = "twenty octets of key"u8.ToArray();
        await using (var port = bench.Open(bmc)) Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        await using (var without = bench.Open(bmc.EndPoint, bmc.User, bmc.Password))
        {
            var e = await Assert.ThrowsAsync<DeviceException>(() => without.GetPowerAsync(Patience));
            Assert.Equal(DeviceFault.CredentialsRefused, e.Fault);
            Assert.Contains("K_g", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_bmc_whose_sessions_are_all_taken_is_left_alone_for_a_while_and_then_asked_again()
    {
        bmc.MaxSessions = 0;
        await using var port = bench.Open(bmc, clock);
        for (var i = 0; i < 10; i++)
        {
            var e = await Assert.ThrowsAsync<DeviceException>(() => port.GetPowerAsync(Patience));
            Assert.True(e.IsTransient);
            Assert.Equal(i < 3 ? DeviceFault.Busy : DeviceFault.Unreachable, e.Fault);
        }
        Assert.Equal(3, bmc.Count("OpenSession"));
        bmc.MaxSessions = 4;
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task A_session_is_kept_alive_and_given_back_when_nobody_needs_it()
    {
        await using var port = bench.Open(bmc, clock, new() { IdleClose = TimeSpan.FromSeconds(70) });
        await port.GetPowerAsync(Patience);
        await bmc.ArrivedAsync(Status);
        for (var i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(26));
            await bmc.ArrivedAsync("App/01");
            // An errand outside the session: when it is done, the owner has taken the answer and rests.
            await port.AuditAsync(Patience);
        }
        clock.Advance(TimeSpan.FromSeconds(26));
        await bmc.ArrivedAsync("App/3c");
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        Assert.Equal(2, bmc.Count("Rakp3"));
    }

    [Fact]
    public async Task A_closed_driver_gives_its_session_back()
    {
        var port = bench.Open(bmc);
        await port.GetPowerAsync(Patience);
        await port.DisposeAsync();
        await bmc.ArrivedAsync("App/3c");
    }

    [Fact]
    public async Task A_bmc_that_lets_anybody_in_is_reported()
    {
        bmc.Suites.Add(CipherSuite.Zero);
        bmc.State.AuthenticationTypes = 0x05;
        bmc.State.LoginStatus = 0x07;
        await using var port = bench.Open(bmc);
        var findings = await port.AuditAsync(Patience);
        Assert.Equal([SecurityWeakness.AnonymousLogin, SecurityWeakness.NamelessAccounts, SecurityWeakness.UnsignedSessions, SecurityWeakness.NoAuthentication], findings.Select(f => f.Weakness));
        // Proposed, never used.
        Assert.Equal(0, bmc.Count("Rakp1"));
    }

    [Fact]
    public async Task A_bmc_that_is_well_kept_is_not()
    {
        await using var port = bench.Open(bmc);
        Assert.Empty(await port.AuditAsync(Patience));
    }
}
