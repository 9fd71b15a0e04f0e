using System.Diagnostics;
using System.Text;
using GridAppliance.Agent;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Resources;
using GridAppliance.Api.Nodes;
using GridAppliance.Protocols.Lldp;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agent;

public sealed class InventoryTests : IDisposable
{
    readonly ScratchFolder folder = new();
    readonly ManualClock clock = new();
    readonly NeighbourTable neighbours;

    public InventoryTests() => neighbours = new NeighbourTable(clock);

    public void Dispose() => folder.Dispose();

    InventoryDocument Read() => new InventoryReader(new AgentPaths(folder.Path), neighbours, new IpmiDevice(Path.Combine(folder.Path, "dev/ipmi0")), new MachineResources([0], 512, 0, [])).Read();

    void Put(string path, string content) => Put(path, Encoding.UTF8.GetBytes(content));

    void Put(string path, byte[] content)
    {
        var file = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    void Link(string path, string target)
    {
        var link = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        Directory.CreateSymbolicLink(link, target);
    }

    [CaseFact]
    public void The_disks_of_a_recorded_machine()
    {
        // xz is not in the framework; tar is on every machine that this is for.
        using (var tar = Process.Start("tar", ["-C", folder.Path, "--strip-components=1", "-xJf", SharedCases.PathOf("hw/lsblk/simple-nvme.tar.xz")]))
        {
            tar.WaitForExit();
            Assert.Equal(0, tar.ExitCode);
        }
        var disks = Read().Disks;
        Assert.Equal(["nvme0n1", "sda", "sdb"], disks.Select(d => d.Name));
        Assert.Equal(new DiskDocument
        {
            Name = "sdb", SizeBytes = 156301488L * 512, Model = "WDC WD800JD-00MS", Serial = disks[2].Serial, Wwn = disks[2].Wwn, Rotational = true, Transport = "sata",
        }, disks[2]);
        Assert.Equal(("KINGSTON SKC1000240G", 468862128L * 512, false, "nvme"), (disks[0].Model, disks[0].SizeBytes, disks[0].Rotational, disks[0].Transport));
        Assert.All(disks, disk => Assert.False(string.IsNullOrWhiteSpace(disk.Serial)));
        Assert.StartsWith("nvme.1987-", disks[0].Wwn, StringComparison.Ordinal);
    }

    [CaseFact]
    public void A_raw_firmware_table_stands_in_for_what_the_kernel_does_not_show()
    {
        var dump = SharedCases.Bytes("hw/smbios/SuperMicro-X9DBL.bin");
        Put("sys/firmware/dmi/tables/smbios_entry_point", dump[..31]);
        Put("sys/firmware/dmi/tables/DMI", dump[32..]);
        Put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) CPU E5-2403 0 @ 1.80GHz\n\nprocessor\t: 1\nmodel name\t: Intel(R) Xeon(R) CPU E5-2403 0 @ 1.80GHz\n");
        Put("proc/meminfo", "MemTotal:       49284096 kB\n");
        Put("proc/sys/kernel/osrelease", "6.1.0-56-amd64\n");
        Directory.CreateDirectory(Path.Combine(folder.Path, "sys/firmware/efi"));
        var found = Read();
        Assert.Equal(("Thomas-Krenn.AG", "X9DBL-3F/X9DBL-iF", "9000116105", "00000000-0000-0000-0000-0cc47a133878"), (found.Vendor, found.Product, found.Serial, found.Uuid));
        Assert.Equal((2, "Intel(R) Xeon(R) CPU E5-2403 0 @ 1.80GHz", 49152L, "uefi", "6.1.0-56-amd64"), (found.Cpus, found.CpuModel, found.MemoryMiB, found.Firmware, found.Kernel));
        Assert.Equal(new BmcDocument { Kind = "ipmi" }, found.Bmc);
    }

    [Fact]
    public void What_the_kernel_shows_counts_first_and_placeholders_do_not_count()
    {
        Put("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        Put("sys/class/dmi/id/product_name", "To be filled by O.E.M.\n");
        Put("sys/class/dmi/id/product_serial", "Default string\n");
        Put("sys/class/dmi/id/chassis_serial", "2RJF153\n");
        Put("sys/class/dmi/id/product_uuid", "4C4C4544-0052-4A10-8046-B2C04F313533\n");
        Put("proc/meminfo", "MemFree: 1 kB\nMemTotal:         2048000 kB\n");
        var found = Read();
        Assert.Equal(("Dell Inc.", null, "2RJF153", "4c4c4544-0052-4a10-8046-b2c04f313533", 2000L, "bios"),
            (found.Vendor, found.Product, found.Serial, found.Uuid, found.MemoryMiB, found.Firmware));
        Assert.Null(found.Bmc);
    }

    [Fact]
    public void Network_cards_tell_driver_place_speed_and_who_is_at_the_other_end()
    {
        // As a virtio card and a physical one lie in sysfs: the class folder holds links, and a virtio device hangs below its PCI device.
        const string Virtio = "sys/devices/pci0000:00/0000:00:02.0/virtio0", Card = "sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.1";
        Put(Virtio + "/net/eth0/address", "52:54:00:aa:bb:cc\n");
        Put(Virtio + "/net/eth0/carrier", "1\n");
        Put(Virtio + "/net/eth0/speed", "-1\n");
        Put(Virtio + "/net/eth0/ifindex", "2\n");
        Link(Virtio + "/net/eth0/device", "../../../virtio0");
        Directory.CreateDirectory(Path.Combine(folder.Path, "sys/bus/virtio/drivers/virtio_net"));
        Link(Virtio + "/driver", "../../../../bus/virtio/drivers/virtio_net");
        Link("sys/class/net/eth0", "../../devices/pci0000:00/0000:00:02.0/virtio0/net/eth0");
        Put(Card + "/net/eth1/address", "b0:26:28:00:00:01\n");
        Put(Card + "/net/eth1/carrier", "1\n");
        Put(Card + "/net/eth1/speed", "25000\n");
        Put(Card + "/net/eth1/ifindex", "3\n");
        Link(Card + "/net/eth1/device", "../../../0000:3b:00.1");
        Link("sys/class/net/eth1", "../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.1/net/eth1");
        // A bridge has no hardware behind it.
        Put("sys/devices/virtual/net/br0/address", "02:00:00:00:00:01\n");
        Link("sys/class/net/br0", "../../devices/virtual/net/br0");
        neighbours.Hear(3, new LldpMessage { ChassisKind = LldpChassisKind.Local, ChassisId = "sw1"u8, PortKind = LldpPortKind.InterfaceName, PortId = "Eth1/7"u8, TimeToLiveSeconds = 120, PortVlan = 100 });

        var nics = Read().Nics;
        Assert.Equal(["eth0", "eth1"], nics.Select(n => n.Name));
        Assert.Equal(("52:54:00:aa:bb:cc", "virtio_net", "0000:00:02.0", (int?)null, true), (nics[0].Mac, nics[0].Driver, nics[0].PciAddress, nics[0].SpeedMbps, nics[0].Link));
        Assert.Equal(("b0:26:28:00:00:01", null, "0000:3b:00.1", (int?)25000), (nics[1].Mac, nics[1].Driver, nics[1].PciAddress, nics[1].SpeedMbps));
        Assert.Equal([new LldpNeighbourDocument { ChassisId = "sw1", PortId = "Eth1/7", PortVlan = 100 }], nics[1].Neighbours);
        Assert.Empty(nics[0].Neighbours);
    }

    [Fact]
    public void A_machine_that_shows_nothing_has_an_empty_inventory_and_not_an_error()
    {
        var found = Read();
        Assert.Equal((0, 0L, 0, 0), (found.Cpus, found.MemoryMiB, found.Disks.Count, found.Nics.Count));
    }

    [Fact]
    public void Neighbours_stay_as_long_as_they_said_and_leave_at_once_when_they_say_goodbye()
    {
        LldpMessage Neighbour(ReadOnlySpan<byte> port, ushort seconds) => new() { ChassisKind = LldpChassisKind.Local, ChassisId = "sw1"u8, PortKind = LldpPortKind.Local, PortId = port, TimeToLiveSeconds = seconds };
        Assert.True(neighbours.Hear(2, Neighbour("7"u8, 120)));
        Assert.False(neighbours.Hear(2, Neighbour("7"u8, 120)));
        Assert.True(neighbours.Hear(2, Neighbour("8"u8, 60)));
        Assert.Equal(2, neighbours.On(2).Count);
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("7", Assert.Single(neighbours.On(2)).PortId);
        Assert.True(neighbours.Hear(2, Neighbour("7"u8, 0)));
        Assert.Empty(neighbours.On(2));
        for (var port = 0; port < 100; port++) neighbours.Hear(4, Neighbour(Encoding.ASCII.GetBytes($"{port}"), 120));
        Assert.Equal(8, neighbours.On(4).Count);
    }

    [Theory]
    [InlineData("00110a4d0005", "10.77.0.5")]
    [InlineData("0011", null)]
    [InlineData("001100000000", null)]
    [InlineData("c1", null)]
    [InlineData("8011" + "0a4d0005", null)]
    [InlineData("", null)]
    public void A_bmc_s_answer_about_its_address(string answer, string? address)
    {
        Assert.Equal(address is not null, IpmiDevice.TryReadAddress(Convert.FromHexString(answer), out var found));
        if (address is not null) Assert.Equal(address, found.ToString());
    }
}
