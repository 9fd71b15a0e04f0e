using GridAppliance.Power;
using GridAppliance.Power.Nodes;

namespace GridAppliance.Tests.Power.Nodes;

public sealed class PowerPlanTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    static PowerWish Wish(PowerState desired, bool enforced = true, bool reached = false, int secondsAgo = 60) =>
        new() { Desired = desired, By = "root", At = Now.AddSeconds(-secondsAgo), IsEnforced = enforced, IsReached = reached };

    static PowerSighting Seen(PowerState state, PowerState? known = null) => new(state, known ?? state, Now.AddSeconds(-90));

    [Fact]
    public void A_machine_that_nobody_asked_anything_of_is_only_watched()
    {
        Assert.Equal(new(null), PowerPlan.Of(null, null, PowerState.On, Now));
        Assert.Equal(new(null), PowerPlan.Of(null, Seen(PowerState.On), PowerState.On, Now));
        var changed = PowerPlan.Of(null, Seen(PowerState.On), PowerState.Off, Now);
        Assert.Null(changed.Act);
        Assert.Equal("is off; nobody asked the appliance for it", changed.Tell);
    }

    [Fact]
    public void An_order_that_did_not_come_true_is_given_again_only_where_it_is_enforced_and_after_a_while()
    {
        Assert.Equal(PowerAction.On, PowerPlan.Of(Wish(PowerState.On), Seen(PowerState.Off), PowerState.Off, Now).Act);
        Assert.Equal(PowerAction.Off, PowerPlan.Of(Wish(PowerState.Off), Seen(PowerState.On), PowerState.On, Now).Act);
        Assert.Null(PowerPlan.Of(Wish(PowerState.On, enforced: false), Seen(PowerState.Off), PowerState.Off, Now).Act);
        // A cycle is off for a while.
        Assert.Null(PowerPlan.Of(Wish(PowerState.On, secondsAgo: 5), Seen(PowerState.On), PowerState.Off, Now).Act);
    }

    /// <summary>A look between the order and its off half sees the machine on, as it was before.</summary>
    [Fact]
    public void The_off_half_of_a_cycle_is_nobodys_decision_and_the_on_half_is_seen_to()
    {
        var wish = Wish(PowerState.On, secondsAgo: 1) with { IsCycle = true };
        var before = PowerPlan.Of(wish, Seen(PowerState.On), PowerState.On, Now);
        Assert.Equal(new(wish), before);
        var off = PowerPlan.Of(before.Wish, Seen(PowerState.On), PowerState.Off, Now.AddSeconds(2));
        Assert.Equal(new(wish), off);
        var back = PowerPlan.Of(off.Wish, Seen(PowerState.Off), PowerState.On, Now.AddSeconds(4));
        Assert.True(back.Wish!.IsReached);
        var pressed = PowerPlan.Of(back.Wish, Seen(PowerState.On), PowerState.Off, Now.AddSeconds(6));
        Assert.True(pressed.Wish!.HasYielded);
        // It never came back: the order holds.
        Assert.Equal(PowerAction.On, PowerPlan.Of(off.Wish, Seen(PowerState.Off), PowerState.Off, Now.AddSeconds(40)).Act);
        // It was over between two looks.
        Assert.True(PowerPlan.Of(before.Wish, Seen(PowerState.On), PowerState.On, Now.AddSeconds(40)).Wish!.IsReached);
    }

    [Fact]
    public void A_shut_down_that_was_asked_for_softly_never_becomes_a_cut() =>
        Assert.Null(PowerPlan.Of(Wish(PowerState.Off) with { IsSoft = true }, Seen(PowerState.On), PowerState.On, Now).Act);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_person_at_the_button_is_never_fought(bool enforced)
    {
        var pressed = PowerPlan.Of(Wish(PowerState.On, enforced, reached: true), Seen(PowerState.On), PowerState.Off, Now);
        Assert.Null(pressed.Act);
        Assert.True(pressed.Wish!.HasYielded);
        Assert.Contains("somebody at the machine", pressed.Tell);
        for (var look = 0; look < 5; look++)
        {
            var later = PowerPlan.Of(pressed.Wish, Seen(PowerState.Off), PowerState.Off, Now.AddHours(look));
            Assert.Equal(new(pressed.Wish), later);
        }
        var back = PowerPlan.Of(pressed.Wish, Seen(PowerState.Off), PowerState.On, Now);
        Assert.False(back.Wish!.HasYielded);
    }

    [Fact]
    public void What_happened_while_the_appliance_was_away_is_not_fought_either()
    {
        var found = PowerPlan.Of(Wish(PowerState.On, reached: true), null, PowerState.Off, Now);
        Assert.Null(found.Act);
        Assert.True(found.Wish!.HasYielded);
    }

    [Fact]
    public void After_a_power_failure_the_order_holds_again_where_it_is_enforced()
    {
        var silent = Seen(PowerState.Unknown, known: PowerState.On);
        var back = PowerPlan.Of(Wish(PowerState.On, reached: true), silent, PowerState.Off, Now);
        Assert.Equal(PowerAction.On, back.Act);
        Assert.Contains("power failed", back.Tell);
        Assert.Null(PowerPlan.Of(Wish(PowerState.On, enforced: false, reached: true), silent, PowerState.Off, Now).Act);
    }

    [Fact]
    public void A_silent_port_decides_nothing()
    {
        var wish = Wish(PowerState.On, reached: true);
        Assert.Equal(new(wish), PowerPlan.Of(wish, Seen(PowerState.On), PowerState.Unknown, Now));
        var sighting = PowerSighting.Next(Seen(PowerState.On), PowerState.Unknown, Now);
        Assert.Equal(new(PowerState.Unknown, PowerState.On, Now), sighting);
        Assert.Equal(new(PowerState.Unknown, PowerState.On, Now), PowerSighting.Next(sighting, PowerState.Unknown, Now.AddMinutes(1)));
    }
}
