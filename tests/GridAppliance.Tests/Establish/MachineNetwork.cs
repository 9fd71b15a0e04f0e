using System.Diagnostics;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Establish;

/// <summary>A network of its own with an appliance's address on it, and machines that have an operating system: see <c>machine.sh</c>.</summary>
sealed class MachineNetwork : IAsyncDisposable
{
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    static int counter;

    readonly int number = Interlocked.Increment(ref counter);
    readonly List<TestMachine> machines = [];

    public string Directory { get; } = System.IO.Directory.CreateDirectory(
        Path.Combine(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"est{Guid.NewGuid().ToString("N")[..10]}")).FullName;

    string Bridge => $"grids{Environment.ProcessId % 100_000}b{number}";

    string Prefix => $"10.{200 + number % 50}.{Environment.ProcessId % 250}";

    public string KeyFile => Path.Combine(Directory, "key");

    public NetworkOptions Options => new() { Name = "office", Interface = Bridge, Address = Ipv4Network.Parse($"{Prefix}.1/24"), Boot = true };

    public static async Task<MachineNetwork> CreateAsync()
    {
        var network = new MachineNetwork();
        await RunAsync("/usr/sbin/ip", "link", "add", network.Bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0");
        await RunAsync("/usr/sbin/ip", "address", "add", $"{network.Prefix}.1/24", "dev", network.Bridge);
        await RunAsync("/usr/sbin/ip", "link", "set", network.Bridge, "up");
        await RunAsync("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", network.KeyFile);
        return network;
    }

    /// <summary>An appliance on it, which gives its machines the agent's own code, started by this machine's .NET: publishing it as one file is the node image's business.</summary>
    public async Task<ManagementPlaneHost> StartApplianceAsync()
    {
        var appliance = await ManagementPlaneHost.StartAsync(boots: Options);
        await File.WriteAllTextAsync(Path.Combine(appliance.DataDir, "grid-agent"),
            $"#!/bin/sh\nDOTNET_ROOT={Path.GetDirectoryName(Environment.ProcessPath)} exec {Environment.ProcessPath} {AppContext.BaseDirectory}grid-agent.dll \"$@\"\n");
        return appliance;
    }

    /// <param name="prepare">Shell, run in the machine before its sshd starts: what is special about this one.</param>
    public async Task<TestMachine> AddAsync(string prepare = "")
    {
        var machine = new TestMachine(this, machines.Count + 2);
        machines.Add(machine);
        await machine.CableAsync(Bridge, $"{Prefix}.{machine.Number}/24");
        File.WriteAllText(Path.Combine(machine.Folder, "prepare"), prepare);
        return machine;
    }

    /// <summary>The appliance's own machine: at its address, in its network.</summary>
    public TestMachine AddOwn()
    {
        var machine = new TestMachine(this, 1) { IsAppliances = true };
        machines.Add(machine);
        return machine;
    }

    public string Address(int host) => $"{Prefix}.{host}";

    public string Name(int host) => $"grids{Environment.ProcessId}x{number}m{host}";

    public string PeerName(int host) => $"gr{Environment.ProcessId % 100_000}p{number}m{host}";

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in machines) await machine.DisposeAsync();
        await RunAsync("/usr/sbin/ip", "link", "delete", Bridge);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    public static async Task RunAsync(string program, params string[] arguments)
    {
        var outcome = await RealProgram.RunAsync("/", program, arguments);
        Assert.True(outcome.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {outcome.Output}");
    }

    /// <summary>One machine. Switched off, its disk is gone: what counts here is what SSH finds.</summary>
    internal sealed class TestMachine(MachineNetwork network, int number) : IAsyncDisposable
    {
        Process? process;

        public int Number => number;

        /// <summary>It has no network of its own, and this machine's sshd has its usual port, perhaps.</summary>
        public bool IsAppliances { get; init; }

        public string Address => network.Address(number);

        string Listen => $"{(IsAppliances ? Address : "0.0.0.0")}:{(IsAppliances ? OwnPort : 22)}";

        public const int OwnPort = 2222;

        public string Folder { get; } = System.IO.Directory.CreateDirectory(Path.Combine(network.Directory, $"m{number}")).FullName;

        public async Task CableAsync(string bridge, string address)
        {
            var space = network.Name(number);
            await RunAsync("/usr/sbin/ip", "netns", "add", space);
            await RunAsync("/usr/sbin/ip", "link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", network.PeerName(number));
            await RunAsync("/usr/sbin/ip", "link", "set", network.PeerName(number), "master", bridge, "up");
            await RunAsync("/usr/sbin/ip", "-n", space, "link", "set", "lo", "up");
            await RunAsync("/usr/sbin/ip", "-n", space, "address", "add", address, "dev", "eth0");
            await RunAsync("/usr/sbin/ip", "-n", space, "link", "set", "eth0", "up");
        }

        public Task AddAddressAsync(int host) => RunAsync("/usr/sbin/ip", "-n", network.Name(number), "address", "add", $"{network.Address(host)}/24", "dev", "eth0");

        public async Task<TestMachine> StartAsync()
        {
            File.Copy(network.KeyFile + ".pub", Path.Combine(Folder, "key.pub"), overwrite: true);
            string[] arguments =
            [
                "unshare", "-m", "-p", "-f", "--kill-child=KILL",
                "/bin/bash", Path.Combine(AppContext.BaseDirectory, "Establish/machine.sh"), Folder, Guid.NewGuid().ToString("N"), Listen, AppContext.BaseDirectory.TrimEnd('/'), Path.GetDirectoryName(Environment.ProcessPath)!,
            ];
            process = Process.Start(new ProcessStartInfo("/usr/bin/env", IsAppliances ? arguments : ["/usr/sbin/ip", "netns", "exec", network.Name(number), .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var said = new List<string>();
            var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void Read(object sender, DataReceivedEventArgs line)
            {
                lock (said) said.Add(line.Data ?? "");
                if (line.Data?.Contains("Server listening", StringComparison.Ordinal) == true) isReady.TrySetResult();
            }
            process.OutputDataReceived += Read;
            process.ErrorDataReceived += Read;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            await Task.WhenAny(isReady.Task, process.WaitForExitAsync(), Task.Delay(StartLimit));
            lock (said) Assert.True(isReady.Task.IsCompleted, $"the machine's sshd did not come up: {string.Join('\n', said)}");
            return this;
        }

        /// <summary>Reads a file of the machine's disk; null when it is not there.</summary>
        public string? Read(string path) => File.Exists(Folder + "/upper" + path) ? File.ReadAllText(Folder + "/upper" + path) : null;

        public async Task StopAsync()
        {
            if (process is null) return;
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync().WaitAsync(StartLimit);
            process.Dispose();
            process = null;
        }

        public async Task ForgetHostKeyAsync()
        {
            await StopAsync();
            File.Delete(Path.Combine(Folder, "hostkey"));
            foreach (var left in (string[])["upper", "work"]) System.IO.Directory.Delete(Path.Combine(Folder, left), recursive: true);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            if (!IsAppliances) await RunAsync("/usr/sbin/ip", "netns", "delete", network.Name(number));
        }
    }
}
