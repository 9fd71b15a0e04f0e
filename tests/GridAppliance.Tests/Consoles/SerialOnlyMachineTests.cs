using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using GridAppliance.Consoles;
using GridAppliance.Lab.Machine;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>
/// Machines without BMC, screen or keyboard, and their serial ports on a console server or a tty: U-Boot, OpenFirmware (SLOF, as on IBM's Power machines) and iPXE, each in QEMU; and a Linux that hangs.
/// </summary>
public sealed class SerialOnlyMachineTests
{
    /// <param name="firmware">What the machine has.</param>
    /// <param name="line">How its serial port is reached.</param>
    /// <param name="script">What makes it boot from the network.</param>
    /// <param name="sign">The machine's own word that the file came.</param>
    [Theory]
    [InlineData(Firmware.UBoot, Line.RawTcp, "uboot-dhcp", "Bytes transferred = 26 ")]
    [InlineData(Firmware.UBoot, Line.RawTcp, "uboot-pxe", "Bytes transferred = 26 ")]
    [InlineData(Firmware.OpenFirmware, Line.Tty, "openfirmware-boot-net", "TFTP: Received boot.scr")]
    [InlineData(Firmware.OpenFirmware, Line.RawTcp, "openfirmware-boot-net", "TFTP: Received boot.scr")]
    [InlineData(Firmware.Ipxe, Line.RawTcp, "ipxe-autoboot", "/boot.scr... ok")]
    public async Task A_machine_that_has_only_a_serial_line_is_made_to_boot_from_the_network(Firmware firmware, Line line, string script, string sign)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        using var machine = new Machine(firmware, line);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", machine.Address)).Status);

        var ran = await plane.Gridctl("console-script", "run", "n1", script).WaitAsync(patience.Token);
        Assert.True(ran.Status == 0, ran.Output + ran.Error);

        using var client = plane.Client();
        await foreach (var _ in client.ReadConsoleLog("n1", new() { Pattern = Regex.Escape(sign), Follow = true }, patience.Token)) return;
        Assert.Fail("its console ended");
    }

    /// <summary>
    /// Debian's kernel, as the node image has it, booted from the network with a disk for its root that never comes: it waits for ever. A break is a break here: QEMU makes one of telnet's, and the kernel
    /// takes it for SysRq as it comes.
    /// </summary>
    [Fact]
    public async Task A_linux_that_hangs_tells_why_and_is_made_to_boot_from_the_network_by_its_sysrq_keys()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        using var machine = new Machine(Firmware.Linux, Line.Telnet);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", machine.Address)).Status);
        using var client = plane.Client();
        await SeeAsync("Waiting for root device /dev/sda1");
        await PressSysRqAsync();
        machine.ServeAtBoot("#!ipxe\necho The network has it again.\nsleep 600\n");

        await RunAsync("linux-sysrq-tasks");
        await RunAsync("linux-sysrq-reboot");

        await SeeAsync("The network has it again.");

        // As a person does it, from a terminal: what comes back is the kernel's own word.
        async Task PressSysRqAsync()
        {
            using var screen = new PseudoTerminal();
            var person = TerminalGridctl.RunAsync(plane, screen, "console", "n1");
            await screen.SeeAsync("for help");
            screen.Type("\u001dsh");
            await screen.SeeAsync("sysrq: HELP");
            screen.Type("\u001dq");
            Assert.Equal(0, await person);
        }

        async Task RunAsync(string script)
        {
            var ran = await plane.Gridctl("console-script", "run", "n1", script).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.True(ran.Status == 0, ran.Output + ran.Error);
        }

        async Task SeeAsync(string text)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            try
            {
                await foreach (var _ in client.ReadConsoleLog("n1", new() { Pattern = Regex.Escape(text), Follow = true }, patience.Token)) return;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"'{text}' was not said within a minute on the console, which says:\n{(await plane.Gridctl("log", "n1", "--last", "40")).Output}");
            }
        }
    }

    public enum Firmware { UBoot, OpenFirmware, Ipxe, Linux }

    public enum Line { RawTcp, Telnet, Tty }

    sealed class Machine : IDisposable
    {
        readonly string folder = Directory.CreateTempSubdirectory("ga-uboot-").FullName;
        readonly Process process;

        public Machine(Firmware firmware, Line line)
        {
            int port;
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                port = ((IPEndPoint)free.LocalEndpoint).Port;
            }
            ServeAtBoot(ScriptOf(firmware));
            // What a PXE client asks for first, by the address that QEMU gives a machine's only NIC.
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "pxelinux.cfg")).FullName, "01-52-54-00-12-34-56"), "default grid\nlabel grid\nkernel boot.scr\n");
            if (firmware == Firmware.Linux) File.Copy(Path.Combine(LabPrograms.Built().Images, "virtual", "vmlinuz"), Path.Combine(folder, "vmlinuz"));
            var start = new ProcessStartInfo(ProgramOf(firmware)) { RedirectStandardOutput = true };
            foreach (var argument in (string[])
            [
                .. BoardOf(firmware), "-display", "none", "-monitor", "none", .. firmware == Firmware.Linux ? (string[])[] : ["-no-reboot"],
                // Where there is a connection, the machine is not switched on before somebody has opened its line.
                "-serial", line switch { Line.RawTcp => $"tcp:127.0.0.1:{port},server=on,wait=on", Line.Telnet => $"telnet:127.0.0.1:{port},server=on,wait=on", Line.Tty => "pty" },
                // A network of its own, inside the process, with DHCP and TFTP.
                "-netdev", $"user,id=net,restrict=on,tftp={folder},bootfile=boot.scr",
            ]) start.ArgumentList.Add(argument);
            process = Process.Start(start)!;
            Address = line switch { Line.RawTcp => $"tcp://127.0.0.1:{port}", Line.Telnet => $"telnet+rfc2217://127.0.0.1:{port}", Line.Tty => $"serial://{TtyOf(process.StandardOutput.ReadLine())}" };
        }

        public string Address { get; }

        public void ServeAtBoot(string file) => File.WriteAllText(Path.Combine(folder, "boot.scr"), file);

        static string TtyOf(string? line) => Regex.Match(line ?? "", @"redirected to (/dev/pts/\d+)") is { Success: true } told ? told.Groups[1].Value : throw new InvalidOperationException($"QEMU told no tty: {line}");

        static string ProgramOf(Firmware firmware) => firmware == Firmware.OpenFirmware ? "/usr/bin/qemu-system-ppc64" : "/usr/bin/qemu-system-x86_64";

        static string[] BoardOf(Firmware firmware) => firmware switch
        {
            Firmware.UBoot => ["-machine", "pc,accel=tcg", "-m", "256", "-bios", "/usr/lib/u-boot/qemu-x86_64/u-boot.rom", "-device", "e1000,netdev=net"],
            // It is set to stop at its prompt: what boots it is the script.
            Firmware.OpenFirmware => ["-machine", "pseries,accel=tcg", "-m", "512", "-nodefaults", "-prom-env", "auto-boot?=false", "-device", "spapr-vlan,netdev=net"],
            Firmware.Ipxe or Firmware.Linux => ["-machine", "q35,accel=tcg,graphics=off", "-m", "256", "-nodefaults", "-device", "virtio-net-pci,netdev=net"],
        };

        /// <summary>What the network boots it with.</summary>
        static string ScriptOf(Firmware firmware) => firmware == Firmware.Linux ? "#!ipxe\nkernel vmlinuz console=ttyS0 sysrq_always_enabled root=/dev/sda1 rootwait\nboot\n" : "what the network boots it.";

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}
