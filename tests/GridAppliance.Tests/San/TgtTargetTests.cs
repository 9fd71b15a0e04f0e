using System.Net;
using GridAppliance.San;
using GridAppliance.San.Tgt;

namespace GridAppliance.Tests.San;

/// <summary>On Debian's own tgtd.</summary>
public sealed class TgtTargetTests : IAsyncLifetime
{
    const string Authority = "iqn.2026-11.lan.rack12", Host = $"{Authority}:n1", Other = $"{Authority}:n2";

    readonly string served = Directory.CreateTempSubdirectory("ga-tgt-").FullName;
    readonly RealTgtd tgtd = new();
    TgtTarget target = null!;
    string disk = "", more = "";

    public async Task InitializeAsync()
    {
        (disk, more) = (Path.Combine(served, "n1.img"), Path.Combine(served, "n1-data.img"));
        foreach (var file in (string[])[disk, more]) await File.WriteAllBytesAsync(file, new byte[1 << 20]);
        await tgtd.StartAsync();
        target = new(new("tgt+unix:///control"), new(tgtd.ControlSocket), new(Authority, new(IPAddress.Loopback, 3260), served, initiator => new($"user-{initiator[^2..]}", $"a-long-word-{initiator[^2..]}")));
    }

    public async Task DisposeAsync()
    {
        await tgtd.DisposeAsync();
        Directory.Delete(served, recursive: true);
    }

    SanZone Zone(params string[] initiators) => new("grid-n1", [.. initiators], [disk]);

    [Fact]
    public async Task A_target_lets_in_whom_it_names_by_chap_and_by_no_address()
    {
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Host), default));
        var shown = Assert.Single(TgtShown.Read(await tgtd.ShownAsync()));
        Assert.Equal($"{Authority}:grid-n1", shown.Name);
        Assert.Equal([disk], shown.Files.AsEnumerable());
        Assert.Equal(["user-n1"], shown.Accounts.AsEnumerable());
        Assert.Equal([Host], shown.Admitted.AsEnumerable());
        Assert.Equal(Zone(Host), Assert.Single(await target.ReadAsync(default)));
        Assert.Equal(SanOutcome.Unchanged, await target.ConnectAsync(Zone(Host), default));
    }

    [Fact]
    public async Task Somebody_new_is_let_in_and_whoever_is_no_longer_named_is_out()
    {
        await target.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Host, Other), default));
        Assert.Equal([Host, Other], Assert.Single(await target.ReadAsync(default)).Initiators);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Other), default));
        var shown = Assert.Single(TgtShown.Read(await tgtd.ShownAsync()));
        Assert.Equal(("user-n2", Other), (shown.Accounts.Single(), shown.Admitted.Single()));
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(new("grid-n1", [Other], [disk, more]), default));
        Assert.Equal(2, Assert.Single(TgtShown.Read(await tgtd.ShownAsync())).Files.Length);
    }

    [Fact]
    public async Task A_target_that_is_taken_away_is_gone_and_anybody_elses_stays()
    {
        await tgtd.OrderAsync("--op", "new", "--mode", "target", "--tid", "1", "-T", "iqn.2001-01.com.example:theirs");
        await target.ConnectAsync(Zone(Host), default);
        Assert.Single(await target.ReadAsync(default));
        Assert.Equal(SanOutcome.Done, await target.DisconnectAsync("grid-n1", default));
        Assert.Equal("iqn.2001-01.com.example:theirs", Assert.Single(TgtShown.Read(await tgtd.ShownAsync())).Name);
        Assert.Equal(SanOutcome.Unchanged, await target.DisconnectAsync("grid-n1", default));
    }

    [Fact]
    public async Task Whoever_is_in_two_zones_has_to_prove_himself_in_both_whatever_becomes_of_the_other()
    {
        await target.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(new("grid-more", [Host, Other], [more]), default));
        async Task<IEnumerable<string>> AccountsAsync() => TgtShown.Read(await tgtd.ShownAsync()).OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => string.Join(' ', t.Accounts.Order(StringComparer.Ordinal)));
        Assert.Equal(["user-n1 user-n2", "user-n1"], await AccountsAsync());
        await target.DisconnectAsync("grid-more", default);
        Assert.Equal(["user-n1"], await AccountsAsync());
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Other), default));
        Assert.Equal(["user-n2"], await AccountsAsync());
    }

    [Fact]
    public async Task What_is_not_below_our_folder_is_never_served()
    {
        var outcome = await target.ConnectAsync(new("grid-n1", [Host], ["/etc/shadow"]), default);
        Assert.Equal(SanEnding.Refused, outcome.Ending);
        Assert.DoesNotContain("Target", await tgtd.ShownAsync());
    }

    [Fact]
    public void An_order_lies_on_the_wire_as_tgtadms_does()
    {
        // Captured from tgtadm 1.0.85: --op bind --mode target --tid 7 -Q iqn.h:1, but for the name's trailer.
        var octets = TgtSocket.Write(new(TgtMode.Target, TgtOperation.Bind, 7, Parameters: ("initiator-name", "iqn.h:1")));
        Assert.Equal("0100000003000000" + Convert.ToHexStringLower("iscsi"u8) + new string('0', 118) + "8f00000007000000" + "0000000000000000" + "ffffffffffffffff" + new string('0', 48), Convert.ToHexStringLower(octets.AsSpan(0, 120)));
        Assert.Equal("initiator-name=iqn.h:1\0"u8.ToArray(), octets[120..]);
        Assert.Throws<ArgumentException>(() => TgtSocket.Write(new(TgtMode.Account, TgtOperation.New, Parameters: ("user", "a,password=b"))));
    }
}
