using GridAppliance.Tests.Agent;

namespace GridAppliance.EndToEnd.Images;

/// <summary>The metal image on a machine that it was told nothing of.</summary>
public sealed class MetalBootTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [LabFact]
    public async Task Every_device_gets_its_driver_by_alias_at_boot_and_when_it_is_plugged_in()
    {
        await using var appliance = await ScriptedAppliance.StartAsync();
        using var server = new MetalServer(new NodeImage("metal"), $"grid.url=http://10.0.2.2:{appliance.EndPoint.Port} grid.token=token-1 grid.key={appliance.Fingerprint}");

        var enrolment = await WithinAsync("the agent's first call", server, appliance.Enrolments.Reader.ReadAsync);
        Assert.Equal(("52:54:00:00:00:01", "e1000e", true), enrolment.Inventory.Nics.Select(nic => (nic.Mac, nic.Driver, nic.Link)).Single());
        Assert.Equal(
            [("nvme", "NVME-0", MetalServer.Size("nvme")), ("sata", "SATA-0", MetalServer.Size("sata")), ("virtio", "VIRTIO-0", MetalServer.Size("virtio"))],
            enrolment.Inventory.Disks.Select(disk => (disk.Transport, disk.Serial, disk.SizeBytes)).OrderBy(disk => disk.Transport, StringComparer.Ordinal));
        // Only with /dev/ipmi0 does the agent speak of one.
        Assert.Equal("ipmi", enrolment.Inventory.Bmc?.Kind);

        using var patience = new CancellationTokenSource(Patience);
        await server.PlugInAsync(patience.Token);
        var grown = await WithinAsync("the inventory with what was plugged in", server, async cancellationToken =>
        {
            while (true)
                if ((await appliance.Heartbeats.Reader.ReadAsync(cancellationToken)).Inventory is { Disks.Count: > 3, Nics.Count: > 1 } inventory) return inventory;
        });
        Assert.Equal(MetalServer.Size("later"), grown.Disks.Single(disk => disk.Serial == "LATER").SizeBytes);
        Assert.Equal("virtio_net", grown.Nics.Single(nic => nic.Mac == "52:54:00:00:00:02").Driver);
    }

    static async Task<T> WithinAsync<T>(string awaited, MetalServer server, Func<CancellationToken, ValueTask<T>> read)
    {
        using var patience = new CancellationTokenSource(Patience);
        try { return await read(patience.Token); }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{awaited} did not come within {Patience.TotalSeconds} seconds; the console ends with:\n{string.Join('\n', server.Console.Split('\n').TakeLast(15))}");
        }
    }
}
