using GridAppliance.Agents;

namespace GridAppliance.Tests.Agents;

public sealed class CounterWindowTests
{
    [Fact]
    public void Each_counter_is_taken_once_in_whatever_order_it_comes()
    {
        var window = new CounterWindow(0);
        Assert.All((long[])[5, 3, 4, 10, 1], counter => Assert.True(window.TryUse(counter)));
        Assert.All((long[])[5, 3, 4, 10, 1, 0, -1], counter => Assert.False(window.TryUse(counter)));
        Assert.Equal(10, window.Highest);
    }

    [Fact]
    public void What_has_fallen_out_of_the_window_is_refused_though_it_was_never_used()
    {
        var window = new CounterWindow(0);
        for (var i = 0; i <= CounterWindow.Width; i++) Assert.True(window.TryUse(1000 + 2 * i));
        Assert.False(window.TryUse(999));
        Assert.False(window.TryUse(1000));
        Assert.True(window.TryUse(1003));
    }

    [Fact]
    public void A_restart_refuses_everything_up_to_the_highest_that_was_written_down()
    {
        var window = new CounterWindow(500);
        Assert.False(window.TryUse(500));
        Assert.Equal(500, window.Highest);
        Assert.True(window.TryUse(501));
    }

    [Fact]
    public void No_sequence_of_calls_takes_a_counter_twice()
    {
        var random = new Random(4711);
        for (var round = 0; round < 50; round++)
        {
            var window = new CounterWindow(0);
            var taken = new HashSet<long>();
            for (var i = 0; i < 2000; i++)
            {
                var counter = random.NextInt64(1, 1 + i + 100);
                if (window.TryUse(counter)) Assert.True(taken.Add(counter));
            }
            Assert.Equal(taken.Max(), window.Highest);
        }
    }
}
