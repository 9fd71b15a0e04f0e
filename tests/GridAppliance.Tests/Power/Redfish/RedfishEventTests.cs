using System.Diagnostics.Metrics;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Nodes;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Redfish;

/// <summary>What a Redfish BMC tells by itself, on the timeline of its node.</summary>
public sealed class RedfishEventTests : IAsyncLifetime
{
    readonly ManualClock clock = new();
    RedfishSimulator bmc = null!;
    ManagementPlaneHost plane = null!;
    Node node = null!;

    public async Task InitializeAsync()
    {
        bmc = await RedfishSimulator.StartAsync();
        plane = await ManagementPlaneHost.StartAsync(clock: clock);
        node = await SampleNodes.DiscoverAsync(plane, 1, "uefi");
    }

    async Task SetAsync() => Assert.Equal(0, (await plane.GridctlWith(RedfishSimulator.Password + "\n", "port", "set", "n1", bmc.Address.OriginalString, "--user", RedfishSimulator.User)).Status);

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bmc.DisposeAsync();
    }

    List<string> Told => [.. plane.Timeline.ReadNode(node.Id, 200).Where(e => e.Kind == "port.event").Select(e => e.Message)];

    [Fact]
    public async Task An_event_of_the_stream_is_on_the_timeline_and_the_machines_power_is_looked_at_at_once()
    {
        await SetAsync();
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 1; }, "the stream");
        bmc.PowerState = "On";
        bmc.Raise("Fan 3 is slow.", "Warning");
        await Eventually.UntilAsync(() => Told.Count == 1, "the event");
        Assert.Equal($"{bmc.Address.OriginalString} says: Fan 3 is slow.", Told[0]);
        Assert.Equal("warning", plane.Timeline.ReadNode(node.Id, 200).Single(e => e.Kind == "port.event").Severity);
        await Eventually.UntilAsync(() => plane.Nodes.Current.Find("n1")!.ToDocument().Power == "on", "the look at its power");

        // The stream is no reason for anybody else to wait.
        Assert.Equal("n1: on\n", (await plane.Gridctl("power", "status", "n1")).Output);
    }

    [Fact]
    public async Task A_stream_that_ends_is_opened_again()
    {
        await SetAsync();
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 1; }, "the stream");
        bmc.ForgetSessions();
        bmc.HangUp();
        await Eventually.UntilAsync(() => bmc.Listeners == 0, "its end");
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 1; }, "the next stream");
        bmc.Raise("Back.");
        await Eventually.UntilAsync(() => Told.Count == 1, "the event");
    }

    [Fact]
    public async Task Without_a_stream_the_log_is_read_and_only_what_is_new_is_told()
    {
        bmc.HasEvents = false;
        bmc.Raise("Long ago.");
        await SetAsync();
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Count("GET /redfish/v1/Systems/1/Logs/Sel/Entries/More") > 0; }, "the first reading");
        bmc.Raise("Just now.", "Critical");
        // In steps that leave an answer, which has twenty seconds, the time to come on a busy machine.
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return Told.Count > 0; }, "the event");
        Assert.Equal($"{bmc.Address.OriginalString} says: Just now.", Assert.Single(Told));
    }

    [Fact]
    public async Task A_device_that_does_not_stop_talking_is_cut_short()
    {
        var passedOver = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) => { if (instrument.Name == "gridappliance.port.events_passed_over") listener.EnableMeasurementEvents(instrument); };
        meters.SetMeasurementEventCallback<long>((_, count, tags, _) => { if (tags[0].Value is string device && device == bmc.Address.OriginalString) Interlocked.Add(ref passedOver, count); });
        meters.Start();
        await SetAsync();
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 1; }, "the stream");
        for (var i = 0; i < 60; i++)
        {
            bmc.Raise($"Flutter {i}.");
            // One after the other, so that the simulator drops none.
            await Eventually.UntilAsync(() => Told.Count + Interlocked.Read(ref passedOver) >= i + 1, $"event {i}");
        }
        Assert.Equal(30, Told.Count);
        clock.Advance(TimeSpan.FromSeconds(61));
        bmc.Raise("Later.");
        await Eventually.UntilAsync(() => Told.Count > 30, "the next minute");
        Assert.Contains("and 30 more that were passed over", Told[30], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_removed_is_not_listened_to_any_more()
    {
        await SetAsync();
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 1; }, "the stream");
        Assert.Equal(0, (await plane.Gridctl("port", "remove", "n1", bmc.Address.OriginalString)).Status);
        await Eventually.UntilAsync(() => { clock.Advance(TimeSpan.FromSeconds(1)); return bmc.Listeners == 0; }, "the end of the stream");
    }

    [Fact]
    public async Task A_light_without_a_timer_goes_out_by_ours()
    {
        await using var port = RedfishBmcTests.Open(bmc, clock: clock);
        await port.IdentifyAsync(TimeSpan.FromSeconds(15), CancellationToken.None);
        Assert.True(bmc.Light);
        clock.Advance(TimeSpan.FromSeconds(14));
        Assert.True(bmc.Light);
        clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.UntilAsync(() => !bmc.Light, "the light's end");
    }
}
