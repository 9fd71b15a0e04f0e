using System.Net;
using GridAppliance.San;
using GridAppliance.San.Tgt;

namespace GridAppliance.Tests.San;

/// <summary>Debian's own tgtd that goes away at every order of a change in turn, and one that was started again.</summary>
public sealed class KeptFabricTests : IAsyncLifetime
{
    const string Authority = "iqn.2026-11.lan.rack12", Host = $"{Authority}:n1", Other = $"{Authority}:n2", Name = "grid-n1";

    readonly string root = Directory.CreateTempSubdirectory("ga-kept-").FullName;
    readonly TestStore store = new();
    readonly RealTgtd tgtd = new();
    CuttingProxy proxy = null!;
    string disk = "", more = "";

    public async Task InitializeAsync()
    {
        await tgtd.StartAsync();
        proxy = new(Path.Combine(root, "proxy"), tgtd.ControlSocket);
        var served = Directory.CreateDirectory(Path.Combine(root, "served")).FullName;
        (disk, more) = (Path.Combine(served, "n1.img"), Path.Combine(served, "n1-data.img"));
        foreach (var file in (string[])[disk, more]) await File.WriteAllBytesAsync(file, new byte[1 << 20]);
    }

    public async Task DisposeAsync()
    {
        await proxy.DisposeAsync();
        await tgtd.DisposeAsync();
        await store.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    static string UserOf(string initiator) => $"user-{initiator[^2..]}";

    /// <summary>As a daemon that was just started has it.</summary>
    KeptFabric Open() => new("store", new TgtTarget(new("tgt+unix:///proxy"), new(Path.Combine(root, "proxy")),
        new(Authority, new(IPAddress.Loopback, 3260), Path.Combine(root, "served"), initiator => new(UserOf(initiator), $"a-long-word-{initiator[^2..]}"))), new(store.Database));

    async Task IsExactlyAsync(SanZone? zone)
    {
        var shown = TgtShown.Read(await tgtd.ShownAsync()).SingleOrDefault(t => t.Name == $"{Authority}:{Name}");
        Assert.Equal(zone is null, shown is null);
        if (zone is null) return;
        Assert.Equal(zone.Storage, [.. shown!.Files.Order(StringComparer.Ordinal)]);
        Assert.Equal(zone.Initiators, [.. shown.Admitted.Order(StringComparer.Ordinal)]);
        // Nobody is in without having to prove it.
        Assert.Equal(zone.Initiators.Select(UserOf), shown.Accounts.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("grown", false)]
    [InlineData("grown", true)]
    [InlineData("other", false)]
    [InlineData("other", true)]
    [InlineData("made", false)]
    [InlineData("made", true)]
    [InlineData("gone", false)]
    [InlineData("gone", true)]
    public async Task A_change_in_whose_middle_the_target_goes_away_is_whole_or_not_at_all(string change, bool losesTheAnswer)
    {
        var one = new SanZone(Name, [Host], [disk]);
        var (before, after) = change switch
        {
            "grown" => (one, new SanZone(Name, [Host, Other], [disk])),
            "other" => (one, new(Name, [Other], [disk, more])),
            "made" => ((SanZone?)null, one),
            _ => (one, null),
        };
        Task<SanOutcome> MakeAsync(SanZone? zone) => zone is null ? Open().DisconnectAsync(Name, default) : Open().ConnectAsync(zone, default);
        proxy.LosesTheAnswer = losesTheAnswer;
        var cuts = 0;
        for (var orders = 1; ; orders++)
        {
            Assert.InRange(orders, 1, 60);
            proxy.Left = int.MaxValue;
            Assert.True((await MakeAsync(before)).Ending is SanEnding.Done or SanEnding.Unchanged);
            await IsExactlyAsync(before);
            proxy.Left = orders;
            var outcome = await MakeAsync(after);
            if (outcome.Ending == SanEnding.Done) break;
            cuts++;
            Assert.Equal(SanEnding.Damaged, outcome.Ending);
            // The target is there again, and with it a daemon that knows nothing but what was written down.
            proxy.Left = int.MaxValue;
            await Open().RestoreAsync(default);
            await IsExactlyAsync(before);
            Assert.Empty((await Open().RestoreAsync(default)).Made);
        }
        await IsExactlyAsync(after);
        Assert.True(cuts > 1, $"it was cut {cuts} times");
    }

    [Fact]
    public async Task A_target_that_was_started_again_and_has_forgotten_everything_gets_its_zones_back()
    {
        var zone = new SanZone(Name, [Host, Other], [disk, more]);
        Assert.Equal(SanOutcome.Done, await Open().ConnectAsync(zone, default));
        Assert.Equal(SanOutcome.Done, await Open().ConnectAsync(new("grid-gone", [Host], [more]), default));
        Assert.Equal(SanOutcome.Done, await Open().DisconnectAsync("grid-gone", default));
        await tgtd.RestartAsync();
        Assert.Empty(TgtShown.Read(await tgtd.ShownAsync()));
        Assert.Equal([Name], (await Open().RestoreAsync(default)).Made);
        await IsExactlyAsync(zone);
        Assert.Equal([Name], (await Open().ReadAsync(default)).Select(z => z.Name));
    }

    [Fact]
    public async Task A_zone_that_was_there_before_zones_were_kept_is_kept_from_then_on()
    {
        var zone = new SanZone(Name, [Host], [disk]);
        await Open().ConnectAsync(zone, default);
        await new ZoneStore(store.Database).ForgetAllAsync("store");
        await Open().RestoreAsync(default);
        await tgtd.RestartAsync();
        await Open().RestoreAsync(default);
        await IsExactlyAsync(zone);
    }

    [Fact]
    public async Task What_is_refused_leaves_the_zone_as_it_was()
    {
        var zone = new SanZone(Name, [Host], [disk]);
        await Open().ConnectAsync(zone, default);
        Assert.Equal(SanEnding.Refused, (await Open().ConnectAsync(zone with { Storage = ["/etc/shadow"] }, default)).Ending);
        await IsExactlyAsync(zone);
        Assert.Empty((await Open().RestoreAsync(default)).Made);
    }
}
