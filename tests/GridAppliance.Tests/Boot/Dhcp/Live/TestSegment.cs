using System.Diagnostics;
using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Hosting;
using GridAppliance.Lab.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Dhcp.Live;

/// <summary>
/// An Ethernet segment of its own: a bridge in one network namespace, and a namespace for each host on it whose interface is <c>eth0</c>. The server runs in this process
/// with its sockets in the host <c>appliance</c>; clients and rivals are other people's programs.
/// </summary>
sealed class TestSegment : IAsyncDisposable
{
    static int counter;

    readonly string prefix = $"dhcp{Environment.ProcessId}x{Interlocked.Increment(ref counter)}";
    readonly List<string> spaces = [];
    readonly List<Process> running = [];
    readonly List<DhcpServer> servers = [];

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("dhcp-segment").FullName;

    public MemoryLeaseStore Leases { get; set; } = new();

    public BootObserver Observer { get; } = new();

    public BootClients Clients { get; } = new();

    public ApplianceProblems Problems { get; } = new(TimeProvider.System);

    public static NetworkOptions Network => DhcpBench.Rack() with { Interface = "eth0" };

    public static async Task<TestSegment> CreateAsync(params string[] hosts)
    {
        var segment = new TestSegment();
        await segment.AddSpaceAsync("switch");
        await Ip("-n", segment.Space("switch"), "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0");
        await Ip("-n", segment.Space("switch"), "link", "set", "br0", "up");
        await segment.AddHostAsync("appliance");
        await Ip("-n", segment.Space("appliance"), "address", "add", "10.77.0.1/24", "dev", "eth0");
        foreach (var host in hosts) await segment.AddHostAsync(host);
        return segment;
    }

    public string Space(string host) => $"{prefix}{host}";

    public async Task AddHostAsync(string host)
    {
        await AddSpaceAsync(host);
        await CableAsync(host);
    }

    /// <summary>Plugs the host in; what it had before is gone.</summary>
    public async Task CableAsync(string host)
    {
        await Ip("link", "add", "eth0", "netns", Space(host), "type", "veth", "peer", "name", "p-" + host, "netns", Space("switch"));
        await Ip("-n", Space("switch"), "link", "set", "p-" + host, "master", "br0", "up");
        await Ip("-n", Space(host), "link", "set", "eth0", "up");
    }

    /// <summary>Makes <paramref name="router"/> the way to another segment, where <paramref name="host"/> is alone: a DHCP relay of other people's making with an address in both.</summary>
    public async Task AddBeyondRelayAsync(string router, string routerAddress, string host, string relayAddress, string subnet)
    {
        await AddSpaceAsync(host);
        await Ip("link", "add", "eth1", "netns", Space(router), "type", "veth", "peer", "name", "eth0", "netns", Space(host));
        await Ip("-n", Space(router), "link", "set", "eth1", "up");
        await Ip("-n", Space(host), "link", "set", "eth0", "up");
        await AddAddressAsync(router, $"{routerAddress}/24");
        await Ip("-n", Space(router), "address", "add", $"{relayAddress}/24", "dev", "eth1");
        await Ip("-n", Space("appliance"), "route", "add", subnet, "via", routerAddress);
        Assert.Equal(0, (await RunAsync(router, "/usr/bin/sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")).ExitCode);
        await StartAsync(router, "DHCP relay from", "/usr/sbin/dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--log-facility=-", "--port=0", "--user=root",
            $"--dhcp-relay={relayAddress},{Network.Address.Address}", $"--pid-file={Directory}/relay.pid");
    }

    public Task AddAddressAsync(string host, string address) => Ip("-n", Space(host), "address", "add", address, "dev", "eth0");

    /// <summary>Starts a server whose sockets are in <c>appliance</c>.</summary>
    public async Task<DhcpServer> ServeAsync(bool force = false, params NetworkOptions[] networks)
    {
        var options = BootBench.Options(Directory, networks.Length == 0 ? [Network] : networks) with { Force = force };
        var server = new DhcpServer(options, new(), Observer, Clients, Leases, Problems, TimeProvider.System, NullLogger<DhcpServer>.Instance);
        servers.Add(server);
        await InHost("appliance", () => server.StartAsync(CancellationToken.None));
        return server;
    }

    public async Task StopAsync(DhcpServer server)
    {
        await server.StopAsync(CancellationToken.None);
        server.Dispose();
        servers.Remove(server);
    }

    /// <summary>Runs the start of some work on a thread that has entered the namespace: a socket belongs to where it was opened, wherever it is used.</summary>
    public Task InHost(string host, Func<Task> work)
    {
        Task? begun = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var space = File.OpenHandle($"/run/netns/{Space(host)}");
                if (Libc.SetNamespace(space, Libc.CloneNewNet) != 0) throw new InvalidOperationException("setns failed: these tests need root");
                begun = work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? begun! : Task.FromException(failure);
    }

    public Task<RealProgram.Outcome> RunAsync(string host, string program, params string[] arguments) =>
        RealProgram.RunAsync(Directory, "/usr/sbin/ip", ["netns", "exec", Space(host), program, .. arguments]);

    /// <summary>Starts a program that goes on until the end of the test, and waits for a line of its output that says it is ready.</summary>
    public async Task StartAsync(string host, string ready, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/sbin/ip") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Directory };
        foreach (var argument in (string[])["netns", "exec", Space(host), program, .. arguments]) start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        running.Add(process);
        var output = new List<string>();
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(object sender, DataReceivedEventArgs line)
        {
            lock (output) output.Add(line.Data ?? "");
            if (line.Data?.Contains(ready) == true) isReady.TrySetResult();
        }
        process.OutputDataReceived += Read;
        process.ErrorDataReceived += Read;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Task.WhenAny(isReady.Task, process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(30)));
        lock (output) Assert.True(isReady.Task.IsCompleted, $"{program} did not get ready: {string.Join('\n', output)}");
    }

    public Task StartDnsmasqAsync(string host, params string[] arguments) => StartAsync(host, "DHCP, IP range", "/usr/sbin/dnsmasq",
        ["--conf-file=/dev/null", "--keep-in-foreground", "--log-facility=-", "--port=0", "--user=root", "--interface=eth0", "--bind-interfaces", $"--dhcp-leasefile={Directory}/rival.leases", $"--pid-file={Directory}/rival.pid", .. arguments]);

    /// <summary>One run of busybox's client; what it learned, by its own names (<c>ip</c>, <c>serverid</c>, <c>boot_file</c> …), or null when it got no lease.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> UdhcpcAsync(string host, params string[] arguments)
    {
        var script = Path.Combine(Directory, $"udhcpc-{host}.sh");
        var learned = Path.Combine(Directory, $"udhcpc-{host}.env");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nenv > {learned}\nip address flush dev $interface\nip address add $ip/$mask dev $interface\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Delete(learned);
        var outcome = await RunAsync(host, "/usr/bin/busybox", ["udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "10", "-T", "2", "-s", script, .. arguments]);
        if (!File.Exists(learned)) return null;
        Assert.Equal(0, outcome.ExitCode);
        return File.ReadLines(learned).Select(l => l.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.ToList()) await StopAsync(server);
        foreach (var process in running)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            process.Dispose();
        }
        foreach (var space in spaces) await Ip("netns", "delete", space);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    async Task AddSpaceAsync(string host)
    {
        await Ip("netns", "add", Space(host));
        spaces.Add(Space(host));
        await Ip("-n", Space(host), "link", "set", "lo", "up");
    }

    static async Task Ip(params string[] arguments)
    {
        var outcome = await RealProgram.RunAsync("/", "/usr/sbin/ip", arguments);
        Assert.True(outcome.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {outcome.Output}");
    }
}
