using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>
/// Machines without BMC, screen or keyboard, and their serial ports on a console server or a tty: U-Boot, OpenFirmware (SLOF, as on IBM's Power machines) and iPXE, each in QEMU.
/// </summary>
public sealed class SerialOnlyMachineTests
{
    /// <param name="firmware">What the machine has.</param>
    /// <param name="line">How its serial port is reached.</param>
    /// <param name="script">What makes it boot from the network.</param>
    /// <param name="sign">The machine's own word that the file came.</param>
    [Theory]
    [InlineData(Firmware.UBoot, Line.RawTcp, "uboot-dhcp", "Bytes transferred = 26 ")]
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

    public enum Firmware { UBoot, OpenFirmware, Ipxe }

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
            File.WriteAllText(Path.Combine(folder, "boot.scr"), "what the network boots it.");
            var start = new ProcessStartInfo(ProgramOf(firmware)) { RedirectStandardOutput = true };
            foreach (var argument in (string[])
            [
                .. BoardOf(firmware), "-display", "none", "-monitor", "none", "-no-reboot",
                // Where there is a connection, the machine is not switched on before somebody has opened its line.
                "-serial", line switch { Line.RawTcp => $"tcp:127.0.0.1:{port},server=on,wait=on", Line.Telnet => $"telnet:127.0.0.1:{port},server=on,wait=on", Line.Tty => "pty" },
                // A network of its own, inside the process, with DHCP and TFTP.
                "-netdev", $"user,id=net,restrict=on,tftp={folder},bootfile=boot.scr",
            ]) start.ArgumentList.Add(argument);
            process = Process.Start(start)!;
            Address = line switch { Line.RawTcp => $"tcp://127.0.0.1:{port}", Line.Telnet => $"telnet+rfc2217://127.0.0.1:{port}", Line.Tty => $"serial://{TtyOf(process.StandardOutput.ReadLine())}" };
        }

        public string Address { get; }

        static string TtyOf(string? line) => Regex.Match(line ?? "", @"redirected to (/dev/pts/\d+)") is { Success: true } told ? told.Groups[1].Value : throw new InvalidOperationException($"QEMU told no tty: {line}");

        static string ProgramOf(Firmware firmware) => firmware == Firmware.OpenFirmware ? "/usr/bin/qemu-system-ppc64" : "/usr/bin/qemu-system-x86_64";

        static string[] BoardOf(Firmware firmware) => firmware switch
        {
            Firmware.UBoot => ["-machine", "pc,accel=tcg", "-m", "256", "-bios", "/usr/lib/u-boot/qemu-x86_64/u-boot.rom", "-device", "e1000,netdev=net"],
            // It is set to stop at its prompt: what boots it is the script.
            Firmware.OpenFirmware => ["-machine", "pseries,accel=tcg", "-m", "512", "-nodefaults", "-prom-env", "auto-boot?=false", "-device", "spapr-vlan,netdev=net"],
            Firmware.Ipxe => ["-machine", "q35,accel=tcg,graphics=off", "-m", "256", "-nodefaults", "-device", "virtio-net-pci,netdev=net"],
        };

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}
