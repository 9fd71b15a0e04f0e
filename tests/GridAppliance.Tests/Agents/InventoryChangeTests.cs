using GridAppliance.Agents;
using GridAppliance.Api.Nodes;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Agents;

public sealed class InventoryChangeTests
{
    static readonly DiskDocument Disk = new() { Name = "sda", Serial = "WD-1", Model = "WDC", SizeBytes = 2L << 30 };
    static readonly NicDocument Nic = new() { Name = "eth0", Mac = "52:54:00:00:00:01", Driver = "igb", Link = true };
    static readonly InventoryDocument Whole = new() { Cpus = 8, MemoryMiB = 65536, Disks = [Disk], Nics = [Nic] };

    [Fact]
    public void The_first_inventory_changes_nothing() => Assert.Empty(Between(null, Whole));

    [Fact]
    public void The_same_hardware_under_other_names_is_no_change() =>
        Assert.Empty(Between(Whole, Whole with { Disks = [Disk with { Name = "sdb" }], Nics = [Nic with { Name = "eth1", Mac = "52:54:00:00:00:01" }] }));

    [Fact]
    public void A_disk_whose_driver_came_late_is_told_of() =>
        Assert.Equal([(EventSeverity.Info, "disk sda (2048 MiB, WDC, serial WD-1) is there")], Between(Whole with { Disks = [] }, Whole));

    [Fact]
    public void What_is_gone_or_less_is_a_warning() =>
        Assert.Equal(
        [
            (EventSeverity.Warning, "memory has become less: 65536 MiB before, 49152 MiB now"),
            (EventSeverity.Warning, "processors have become fewer: 8 before, 4 now"),
            (EventSeverity.Warning, "disk sda (2048 MiB, WDC, serial WD-1) is gone"),
            (EventSeverity.Warning, "NIC eth0 (52:54:00:00:00:01, igb) has lost its link"),
        ], Between(Whole, new() { Cpus = 4, MemoryMiB = 49152, Nics = [Nic with { Link = false }] }));

    [Fact]
    public void A_stick_that_is_pulled_is_nobodys_business() => Assert.Empty(Between(Whole with { Disks = [Disk with { Removable = true }] }, Whole with { Disks = [] }));

    [Fact]
    public void An_agent_that_claims_a_thousand_disks_does_not_flood_the_timeline()
    {
        var many = Between(Whole, Whole with { Disks = [Disk, .. Enumerable.Range(0, 1000).Select(i => new DiskDocument { Name = $"sd{i}" })] });
        Assert.Equal(9, many.Count);
        Assert.Equal((EventSeverity.Info, "and 992 more parts came or went"), many[^1]);
    }

    static List<(EventSeverity, string)> Between(InventoryDocument? before, InventoryDocument now)
    {
        var node = new Node { Id = Guid.NewGuid(), Name = "n1", State = NodeState.Idle, StateSince = default, FirstSeen = default, BootMac = default, Macs = [], Network = "rack" };
        return [.. InventoryChange.Between(node, before, now).Select(e => (e.Severity, e.Message))];
    }
}
