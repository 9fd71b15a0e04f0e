using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using GridAppliance.Hosting;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Hosting;

public sealed partial class SystemdTests
{
    static readonly string Root = FindRoot();

    [Fact]
    public async Task The_unit_is_exposed_less_than_two_and_a_half()
    {
        using var analyze = Process.Start(new ProcessStartInfo("systemd-analyze")
        {
            ArgumentList = { "security", "--offline=true", Path.Combine(Root, "systemd", "gridappliance.service") }, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var said = analyze.StandardError.ReadToEndAsync();
        var text = await analyze.StandardOutput.ReadToEndAsync() + await said;
        var level = double.Parse(Exposure().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(level < 2.5, text);
    }

    [Fact]
    public void The_unit_has_three_capabilities_and_an_unprivileged_user()
    {
        var unit = File.ReadAllLines(Path.Combine(Root, "systemd", "gridappliance.service"));
        Assert.Contains("AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_NET_ADMIN", unit);
        Assert.Contains("CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_NET_ADMIN", unit);
        Assert.Contains("User=gridappliance", unit);
        Assert.Contains("Type=notify", unit);
    }

    [Fact]
    public void The_configuration_that_is_installed_is_good_on_a_machine_with_its_interface()
    {
        var (options, problems) = ConfigurationFile.Read(Path.Combine(Root, "systemd", "appliance.yaml"), name => new(name, [Protocols.Addresses.Ipv4Network.Parse("10.77.0.1/24")]));
        Assert.Empty(problems);
        Assert.Equal(2, options!.ManagementListen.Count);
    }

    [Theory]
    [InlineData("30000000", 15)]
    [InlineData("0", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("-5", null)]
    public void The_watchdog_is_fed_twice_as_often_as_asked(string? microseconds, int? seconds) =>
        Assert.Equal(seconds, (int?)SystemdNotify.ReadWatchdog(microseconds)?.TotalSeconds);

    [Fact]
    public async Task Systemd_hears_ready_alive_and_stopping()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("ga-notify-").FullName, "s");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        using var lifetime = new Lifetime();
        var clock = new ManualClock();
        using var notify = new SystemdNotify(lifetime, clock, NullLogger<SystemdNotify>.Instance, path, TimeSpan.FromSeconds(15));
        await notify.StartAsync(CancellationToken.None);

        lifetime.Started.Cancel();
        Assert.Equal("READY=1", await Heard());
        var alive = Heard();
        // Its timer begins at some moment after READY=1. Not faster than somebody could read: a full socket makes the sender wait.
        do clock.Advance(TimeSpan.FromSeconds(15));
        while (await Task.WhenAny(alive, Task.Delay(20)) != alive);
        Assert.Equal("WATCHDOG=1", await alive);
        lifetime.Stopping.Cancel();
        string heard;
        do heard = await Heard(); while (heard == "WATCHDOG=1");
        Assert.Equal("STOPPING=1", heard);
        await notify.StopAsync(CancellationToken.None);

        async Task<string> Heard()
        {
            var buffer = new byte[256];
            return Encoding.UTF8.GetString(buffer, 0, await systemd.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(60)));
        }
    }

    [Fact]
    public async Task A_systemd_that_reads_nothing_does_not_hold_up_the_daemon()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("ga-notify-").FullName, "s");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        using var lifetime = new Lifetime();
        using var notify = new SystemdNotify(lifetime, new ManualClock(), NullLogger<SystemdNotify>.Instance, path, null) { Patience = TimeSpan.FromMilliseconds(1) };
        var queue = int.Parse(File.ReadAllText("/proc/sys/net/unix/max_dgram_qlen"));
        // Each would wait for ever once the queue is full.
        await Task.Run(() =>
        {
            for (var i = 0; i < queue * 3; i++) notify.Send("WATCHDOG=1");
        }).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(systemd.Available > 0, "nothing was sent at all");
    }

    static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "GridAppliance.sln"))) directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the tests run outside of the repository");
        return directory;
    }

    [GeneratedRegex(@"Overall exposure level for gridappliance\.service: ([0-9.]+)")]
    private static partial Regex Exposure();

    sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        public CancellationTokenSource Started { get; } = new();
        public CancellationTokenSource Stopping { get; } = new();
        public CancellationToken ApplicationStarted => Started.Token;
        public CancellationToken ApplicationStopping => Stopping.Token;
        public CancellationToken ApplicationStopped => CancellationToken.None;
        public void StopApplication() { }

        public void Dispose()
        {
            Started.Dispose();
            Stopping.Dispose();
        }
    }
}
