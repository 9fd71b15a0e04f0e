using System.Text;
using GridAppliance.Consoles;

namespace GridAppliance.Tests.Consoles;

public sealed class ConsoleWatchTests
{
    [Theory]
    [InlineData("[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n", "console.panic")]
    [InlineData("[   12.0] BUG: unable to handle page fault for address: ffffffffc0000000\n", "console.oops")]
    [InlineData("[   12.0] Oops: 0002 [#1] PREEMPT SMP PTI\n", "console.oops")]
    [InlineData("[  100.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:23]\n", "console.hang")]
    [InlineData("error: no such partition.\r\nEntering rescue mode...\r\ngrub rescue> ", "console.grub-rescue")]
    [InlineData("/dev/sda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n", "console.fsck")]
    [InlineData("Inode 12 has illegal block(s).  Clear<y>? ", "console.fsck")]
    [InlineData("Debian GNU/Linux 12 db7 ttyS0\r\n\r\ndb7 login: ", "console.login")]
    [InlineData("No bootable device.\r\n", "console.no-boot-device")]
    [InlineData("\e[1;31mKernel panic - not syncing\e[0m: Attempted to kill init!\n", "console.panic")]
    public void What_an_operator_would_be_called_for_is_seen_once_however_it_is_cut(string output, string kind)
    {
        var octets = Encoding.UTF8.GetBytes(output);
        for (var cut = 0; cut <= octets.Length; cut++)
        {
            var watch = new ConsoleWatch();
            ConsoleSighting[] seen = [.. watch.See(octets.AsSpan(0, cut)), .. watch.See(octets.AsSpan(cut))];
            Assert.Equal(kind, Assert.Single(seen).Kind);
        }
    }

    [Fact]
    public void An_ordinary_boot_says_nothing() =>
        Assert.Empty(new ConsoleWatch().See("[    0.0] Linux version 6.1.0\r\n[    1.0] Run /init as init process\r\ngrid: address 10.77.0.51\r\nlogin: is not a prompt in the middle\r\n"u8));

    [Fact]
    public void A_line_without_an_end_does_not_grow_without_bound()
    {
        var watch = new ConsoleWatch();
        for (var i = 0; i < 1000; i++) Assert.Empty(watch.See("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"u8));
        Assert.Equal("console.panic", Assert.Single(watch.See("\nKernel panic - not syncing\n"u8)).Kind);
    }
}
