using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Tests.Lab;

public sealed class QemuArgumentsTests
{
    static IReadOnlyList<string> Arguments(ServerFirmware firmware)
    {
        var plan = LabPlan.For(LabName.Default, [firmware]);
        return QemuArguments.For(plan.Name, plan.Servers[0]);
    }

    static string After(IReadOnlyList<string> arguments, string option, string start) =>
        arguments.Where((argument, i) => i > 0 && arguments[i - 1] == option && argument.StartsWith(start, StringComparison.Ordinal)).Single();

    static readonly ServerFirmware[] EveryFirmware = Enum.GetValues<ServerFirmware>();

    [Fact]
    public void Every_server_is_emulated_and_never_asks_for_nested_kvm() => Assert.All(EveryFirmware.Select(Arguments), arguments =>
    {
        Assert.Equal("tcg", After(arguments, "-accel", ""));
        Assert.DoesNotContain(arguments, argument => argument.Contains("kvm", StringComparison.Ordinal));
    });

    [Fact]
    public void Where_servers_outnumber_processors_each_stays_on_one_and_else_none_does()
    {
        Assert.Equal([0, 1, 2, 3, 8], Processors.Parse("\t0-3,8\n"));
        Assert.Equal([2, 5, 2, 5], Enumerable.Range(0, 4).Select(server => Processors.For(server, 4, [2, 5])).OfType<int>());
        Assert.Null(Processors.For(0, 2, [2, 5]));
        Assert.Null(Processors.For(0, 4, [0]));

        var plan = LabPlan.For(LabName.Default, [ServerFirmware.Bios]);
        Assert.Equal(["/usr/bin/taskset", "--cpu-list", "5", QemuArguments.Program], QemuArguments.For(plan.Name, plan.Servers[0] with { Processor = 5 }).Take(4));
        Assert.Equal(QemuArguments.Program, QemuArguments.For(plan.Name, plan.Servers[0] with { Processor = null })[0]);
        Assert.NotEmpty(Processors.Allowed());
    }

    [Fact]
    public void Every_server_hands_whole_frames_to_the_userspace_switch() => Assert.All(EveryFirmware.Select(Arguments), arguments =>
        Assert.Contains(",vnet_hdr=off", After(arguments, "-netdev", "tap,"), StringComparison.Ordinal));

    [Fact]
    public void Every_server_speaks_on_its_serial_port_and_keeps_what_it_said() => Assert.All(EveryFirmware.Select(Arguments), arguments =>
    {
        Assert.Equal("q35,graphics=off", After(arguments, "-machine", ""));
        Assert.Contains("logfile=/run/gridlab/gl/servers/n1/console.log", After(arguments, "-chardev", "socket,id=console,"), StringComparison.Ordinal);
    });

    [Fact]
    public void Every_server_finds_its_own_bmc_from_inside() => Assert.All(EveryFirmware.Select(Arguments), arguments =>
    {
        Assert.Equal("socket,id=bmc,host=127.0.0.1,port=7101,reconnect=1", After(arguments, "-chardev", "socket,id=bmc,"));
        Assert.Equal("isa-ipmi-kcs,bmc=bmc0", After(arguments, "-device", "isa-ipmi"));
        Assert.Contains("serial 15 127.0.0.1 7101 codec VM", BmcConfiguration.Lan(LabPlan.For(LabName.Default, [ServerFirmware.Bios]).Servers[0]), StringComparison.Ordinal);
    });

    [Fact]
    public void A_bios_server_boots_from_the_ipxe_that_qemu_puts_into_its_nic()
    {
        var arguments = Arguments(ServerFirmware.Bios);

        // Naming a ROM, even the default one, keeps QEMU from fitting it to the NIC.
        Assert.EndsWith(",bootindex=0", After(arguments, "-device", "virtio-net-pci"), StringComparison.Ordinal);
        Assert.DoesNotContain(arguments, argument => argument.StartsWith("if=pflash", StringComparison.Ordinal));
    }

    [Fact]
    public void A_uefi_server_boots_by_its_own_firmware_with_settings_of_its_own() => Assert.All(EveryFirmware.Except([ServerFirmware.Bios]).Select(Arguments), arguments =>
    {
        Assert.EndsWith(",romfile=", After(arguments, "-device", "virtio-net-pci"), StringComparison.Ordinal);
        Assert.Equal($"if=pflash,format=raw,unit=0,readonly=on,file={QemuArguments.UefiCode}", After(arguments, "-drive", "if=pflash,format=raw,unit=0"));
        Assert.Equal("if=pflash,format=raw,unit=1,file=/run/gridlab/gl/servers/n1/vars.fd", After(arguments, "-drive", "if=pflash,format=raw,unit=1"));
    });

    [Fact]
    public void Every_server_goes_through_its_boot_order_again_when_nothing_boots()
    {
        Assert.Equal("reboot-timeout=1000", After(Arguments(ServerFirmware.Bios), "-boot", ""));
        Assert.All(EveryFirmware.Except([ServerFirmware.Bios]).Select(Arguments), arguments =>
            Assert.EndsWith("file=fat:/run/gridlab/gl/servers/n1/retry", After(arguments, "-drive", "if=none,id=retry"), StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_http_server_has_its_pxe_clients_switched_off()
    {
        static int Switches(ServerFirmware firmware) => Arguments(firmware).Count(argument => argument.EndsWith("PXESupport,string=n", StringComparison.Ordinal));

        Assert.Equal((0, 0, 2), (Switches(ServerFirmware.Bios), Switches(ServerFirmware.UefiPxe), Switches(ServerFirmware.UefiHttp)));
    }
}
