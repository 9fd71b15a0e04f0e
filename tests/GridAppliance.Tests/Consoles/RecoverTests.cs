using System.Text;
using GridAppliance.Boot;
using GridAppliance.Boot.Http;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Power;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary><c>gridctl recover</c>: one boot of the node image for a person at the console.</summary>
public sealed class RecoverTests : IAsyncLifetime
{
    readonly ScriptedBmc bmc = new();
    ManagementPlaneHost plane = null!;
    Node node = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        node = await SampleNodes.DiscoverAsync(plane, 1);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bmc.DisposeAsync();
    }

    BootEntry Entry => BootDirectoryReconciler.Build(plane.Nodes.Current).ByMac[node.BootMac];

    [Fact]
    public async Task A_node_with_a_bmc_is_restarted_from_the_network_for_one_recovery()
    {
        Assert.Equal(0, (await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User)).Status);
        bmc.State.IsOn = true;
        Assert.False(Entry.Recover);

        var ran = await plane.Gridctl("recover", "n1");
        Assert.True(ran.Status == 0, ran.Output + ran.Error);
        Assert.Contains("its next boot is for recovery; boots from the network once", ran.Output, StringComparison.Ordinal);
        Assert.True(Entry.Recover);
        // PXE, for the next boot only; and a power cycle.
        Assert.Equal((0x80, 0x04), (bmc.State.BootFlags[0] & 0xC0, bmc.State.BootFlags[1] & 0x3C));
        Assert.Contains((byte)2, bmc.State.Actions);

        await BootAsync(BootEntry.RecoveryScript, "recovery.booted");
        Assert.False(Entry.Recover);
    }

    [Fact]
    public async Task A_boot_that_was_under_way_does_not_use_it_up()
    {
        var early = DateTimeOffset.UtcNow;
        Assert.Equal(0, (await plane.Gridctl("recover", "n1")).Status);
        await BootAsync("node", "boot.initramfs-fetched");
        Assert.True(Entry.Recover);
        // Nor one for the recovery that was asked for before this one.
        await BootAsync(BootEntry.RecoveryScript, "boot.initramfs-fetched", early);
        Assert.True(Entry.Recover);
        await BootAsync(BootEntry.RecoveryScript, "recovery.booted");
        Assert.False(Entry.Recover);
    }

    /// <summary>The node asks for an address, gets a script and fetches the image that this one names.</summary>
    async Task BootAsync(string script, string until, DateTimeOffset? scriptAt = null)
    {
        using var told = plane.Timeline.Subscribe();
        foreach (var stage in (BootStage[])[BootStage.DhcpDiscover, BootStage.Script, BootStage.KernelFinished, BootStage.InitramfsFinished])
        {
            plane.Get<BootObserver>().Report(new()
            {
                Mac = node.BootMac, Stage = stage, Network = "provisioning", At = stage == BootStage.Script && scriptAt is { } at ? at : DateTimeOffset.UtcNow, NetworkBoot = true, Ip = Ipv4Address.Parse("10.77.0.50"),
                Detail = stage == BootStage.Script ? script : null,
            });
        }
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await told.Reader.ReadAsync(patience.Token)).Kind != until) { }
    }

    [Fact]
    public async Task A_node_without_one_waits_for_whoever_restarts_it_and_a_restarted_appliance_still_knows()
    {
        var ran = await plane.Gridctl("recover", "n1");
        Assert.Equal(0, ran.Status);
        Assert.Contains("it has no port that could restart it", ran.Output, StringComparison.Ordinal);

        var port = plane.Loopback.Port;
        await plane.StopAsync();
        await plane.RestartAsync(port);
        Assert.True(Entry.Recover);
        Assert.Contains("ordinary one again", (await plane.Gridctl("recover", "n1", "--cancel")).Output, StringComparison.Ordinal);
        Assert.False(Entry.Recover);
        Assert.Equal(1, (await plane.Gridctl("recover", "n9")).Status);
    }

    [Fact]
    public void Its_script_differs_by_one_word()
    {
        var scripts = new BootScripts();
        var catalog = BootBench.Catalog().Current!;
        string Script(bool recover) => Encoding.ASCII.GetString(scripts.Node(new(Ipv4Address.Parse("10.77.0.1"), 8067), BootBench.Mac, catalog,
            new IssuedAttempt("aBcDeF-_0123", "Zm9vYmFyYmF6cXV4MTIzNA"), new string('5', 64), recover ? catalog.CommandLine.ForRecovery : null));
        Assert.DoesNotContain("grid.recover", Script(false), StringComparison.Ordinal);
        Assert.Equal(Script(false), Script(true).Replace(" grid.recover ", " ", StringComparison.Ordinal));
    }
}
