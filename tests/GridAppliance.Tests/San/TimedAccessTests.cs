using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.San;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.San;

/// <summary>Access for a while, on Debian's own tgtd under a whole daemon.</summary>
public sealed class TimedAccessTests : IAsyncLifetime
{
    const string Node = "iqn.2026-11.lan.rack12:n1", ControlPlane = "iqn.2026-11.lan.rack12:appliance";

    readonly ManualClock clock = new();
    readonly RealTgtd tgtd = new();
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        await tgtd.StartAsync();
        plane = await ManagementPlaneHost.StartAsync(clock: clock);
        var disk = Path.Combine(Directory.CreateDirectory(Path.Combine(plane.DataDir, "san")).FullName, "n1.img");
        await File.WriteAllBytesAsync(disk, new byte[1 << 20]);
        var added = await plane.Gridctl("san", "add", "store", $"tgt+unix://{tgtd.ControlSocket}");
        Assert.True(added.Status == 0, added.Error);
        var connected = await plane.Gridctl("san", "connect", "store", "grid-n1", "--initiators", Node, "--storage", disk);
        Assert.True(connected.Status == 0, connected.Output + connected.Error);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await tgtd.DisposeAsync();
    }

    async Task<IReadOnlyList<string>> InitiatorsAsync() =>
        JsonSerializer.Deserialize((await plane.Gridctl("san", "zones", "store", "-o", "json")).Output, ApiJson.Default.IReadOnlyListSanZoneDocument)!.Single().Initiators;

    Task<ManagementPlaneHost.Ran> OpenAsync(string initiator, int minutes) => plane.Gridctl("san", "access", "store", "grid-n1", "--initiator", initiator, "--for", $"{minutes}");

    [Fact]
    public async Task Whoever_is_let_in_for_a_while_is_out_when_it_is_over_and_the_others_stay()
    {
        Assert.Equal(0, (await OpenAsync(ControlPlane, 10)).Status);
        Assert.Equal([ControlPlane, Node], await InitiatorsAsync());
        clock.Advance(TimeSpan.FromMinutes(9));
        await plane.Get<TimedAccess>().SweepAsync(default);
        Assert.Equal([ControlPlane, Node], await InitiatorsAsync());
        clock.Advance(TimeSpan.FromMinutes(1));
        await plane.Get<TimedAccess>().SweepAsync(default);
        Assert.Equal([Node], await InitiatorsAsync());
        Assert.Empty(plane.Get<TimedAccess>().Current);
    }

    [Fact]
    public async Task A_time_that_is_over_while_the_daemon_is_down_is_over_when_it_is_back()
    {
        Assert.Equal(0, (await OpenAsync(ControlPlane, 10)).Status);
        await plane.StopAsync();
        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Contains(ControlPlane, await tgtd.ShownAsync());
        await plane.RestartAsync(0);
        await plane.Get<TimedAccess>().SweepAsync(default);
        Assert.Equal([Node], await InitiatorsAsync());
        Assert.DoesNotContain(ControlPlane, await tgtd.ShownAsync());
    }

    [Fact]
    public async Task Whoever_is_in_for_good_stays_and_nobody_gets_a_longer_time_than_a_day()
    {
        var forGood = await OpenAsync(Node, 10);
        Assert.Contains("is in grid-n1 for good", forGood.Error);
        Assert.Contains("up to 24 hours", (await OpenAsync(ControlPlane, 1441)).Error);
        Assert.Equal([Node], await InitiatorsAsync());
    }

    [Fact]
    public async Task While_the_fabric_does_not_answer_it_is_asked_again()
    {
        Assert.Equal(0, (await OpenAsync(ControlPlane, 1)).Status);
        // Gone before the time is over: the daemon's own sweep begins with the clock.
        await tgtd.WhileGoneAsync(() =>
        {
            clock.Advance(TimeSpan.FromMinutes(2));
            return plane.Get<TimedAccess>().SweepAsync(default);
        });
        Assert.Single(plane.Get<TimedAccess>().Current);
        await plane.Get<TimedAccess>().SweepAsync(default);
        Assert.Equal([Node], await InitiatorsAsync());
    }
}
