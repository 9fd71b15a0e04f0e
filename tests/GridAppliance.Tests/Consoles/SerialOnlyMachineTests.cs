using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>A real machine without BMC, screen or keyboard: U-Boot in QEMU, and its serial port on a console server.</summary>
public sealed class SerialOnlyMachineTests
{
    const string Firmware = "/usr/lib/u-boot/qemu-x86_64/u-boot.rom";

    [Fact]
    public async Task A_machine_that_has_only_a_serial_line_is_made_to_boot_from_the_network()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        using var machine = new Machine();
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"tcp://127.0.0.1:{machine.SerialPort}")).Status);

        var ran = await plane.Gridctl("console-script", "run", "n1", "uboot-dhcp").WaitAsync(patience.Token);
        Assert.True(ran.Status == 0, ran.Output + ran.Error);

        // The machine's own word that the file came, from the record.
        using var client = plane.Client();
        await foreach (var line in client.ReadConsoleLog("n1", new() { Pattern = "Bytes transferred = |Retry count exceeded", Follow = true }, patience.Token))
        {
            Assert.StartsWith("Bytes transferred = 26 ", line.Text, StringComparison.Ordinal);
            return;
        }
        Assert.Fail("its console ended");
    }

    sealed class Machine : IDisposable
    {
        readonly string folder = Directory.CreateTempSubdirectory("ga-uboot-").FullName;
        readonly Process process;

        public Machine()
        {
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                SerialPort = ((IPEndPoint)free.LocalEndpoint).Port;
            }
            File.WriteAllText(Path.Combine(folder, "boot.scr"), "what the network boots it with"[..26]);
            var start = new ProcessStartInfo("/usr/bin/qemu-system-x86_64");
            foreach (var argument in (string[])
            [
                "-machine", "pc,accel=tcg", "-m", "256", "-bios", Firmware, "-display", "none", "-monitor", "none", "-no-reboot",
                // It is not switched on before somebody has opened its line.
                "-serial", $"tcp:127.0.0.1:{SerialPort},server=on,wait=on",
                // A network of its own, inside the process, with DHCP and TFTP.
                "-netdev", $"user,id=net,restrict=on,tftp={folder},bootfile=boot.scr", "-device", "e1000,netdev=net",
            ]) start.ArgumentList.Add(argument);
            process = Process.Start(start)!;
        }

        public int SerialPort { get; }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }
}
