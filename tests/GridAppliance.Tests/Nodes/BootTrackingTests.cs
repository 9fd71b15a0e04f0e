using GridAppliance.Boot;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Nodes;

public sealed class BootTrackingTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static BootObservation Seen(BootStage stage, double second, bool networkBoot = true) => new()
    {
        Mac = MacAddress.Parse("52:54:00:00:00:01"), Stage = stage, Network = "provisioning", At = Start.AddSeconds(second), NetworkBoot = networkBoot, Service = TimeSpan.FromMilliseconds(1),
        Ip = Ipv4Address.Parse("10.77.0.50"),
    };

    static BootProgress? Follow(params BootObservation[] observations) => observations.Aggregate((BootProgress?)null, (boot, seen) => BootTracking.After(boot, seen));

    [Fact]
    public void An_address_for_something_that_does_not_boot_starts_no_boot() =>
        Assert.Null(Follow(Seen(BootStage.DhcpDiscover, 0, networkBoot: false), Seen(BootStage.DhcpAck, 1, networkBoot: false)));

    [Fact]
    public void Firmware_loader_and_system_each_ask_for_an_address_within_one_boot()
    {
        var boot = Follow(Seen(BootStage.DhcpDiscover, 0), Seen(BootStage.DhcpAck, 1), Seen(BootStage.LoaderFinished, 2), Seen(BootStage.DhcpDiscover, 3), Seen(BootStage.DhcpAck, 4),
            Seen(BootStage.Script, 5), Seen(BootStage.KernelFinished, 6), Seen(BootStage.InitramfsFinished, 7), Seen(BootStage.DhcpDiscover, 8, networkBoot: false));

        Assert.NotNull(boot);
        Assert.Equal(Start, boot.Started);
        Assert.Equal(BootMilestone.Initramfs, boot.Milestone);
        Assert.Equal(TimeSpan.FromMilliseconds(9), boot.Appliance);
    }

    [Fact]
    public void Progress_never_goes_back_when_a_loader_asks_again() =>
        Assert.Equal(BootMilestone.Script, Follow(Seen(BootStage.DhcpDiscover, 0), Seen(BootStage.Script, 5), Seen(BootStage.DhcpAck, 6))!.Milestone);

    [Fact]
    public void Asking_to_boot_after_the_kernel_was_fetched_is_the_next_boot()
    {
        var boot = Follow(Seen(BootStage.DhcpDiscover, 0), Seen(BootStage.KernelFinished, 5), Seen(BootStage.DhcpDiscover, 60));

        Assert.Equal(Start.AddSeconds(60), boot!.Started);
        Assert.Equal(BootMilestone.Discover, boot.Milestone);
        Assert.Equal(TimeSpan.FromMilliseconds(1), boot.Appliance);
    }

    [Fact]
    public void Silence_ends_a_boot_that_came_nowhere() =>
        Assert.Equal(Start.AddSeconds(301), Follow(Seen(BootStage.DhcpDiscover, 0), Seen(BootStage.DhcpDiscover, 301))!.Started);

    [Fact]
    public void A_renewal_after_idle_is_not_counted_to_the_boot()
    {
        var idle = Follow(Seen(BootStage.DhcpDiscover, 0))! with { Finished = Start.AddSeconds(10), Milestone = BootMilestone.Idle };

        Assert.Equal(idle, BootTracking.After(idle, Seen(BootStage.DhcpAck, 300, networkBoot: false)));
    }

    [Fact]
    public void The_script_is_the_last_that_was_given_though_the_boot_before_was_finished()
    {
        var idle = Follow(Seen(BootStage.DhcpDiscover, 0), Seen(BootStage.Script, 1) with { Detail = "node" })! with { Finished = Start.AddSeconds(10) };
        Assert.Equal(("node", Start.AddSeconds(1)), idle.Script);
        Assert.Equal(("recovery", Start.AddSeconds(60)), BootTracking.After(idle, Seen(BootStage.Script, 60) with { Detail = "recovery" })!.Script);
        Assert.Null(BootTracking.After(idle, Seen(BootStage.DhcpDiscover, 60))!.Script);
    }

    [Fact]
    public void Every_stage_has_words_or_is_left_out_on_purpose()
    {
        BootStage[] silent = [BootStage.DhcpRequest, BootStage.DhcpInform, BootStage.LoaderStarted];
        foreach (var stage in Enum.GetValues<BootStage>())
            Assert.Equal(silent.Contains(stage), BootTracking.Tell(Seen(stage, 0)) is null);
    }
}
