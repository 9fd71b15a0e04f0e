using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Benchmarks.Agents;
using GridAppliance.Benchmarks.Peers;
using GridAppliance.Lab.Native;

namespace GridAppliance.Benchmarks.Establish;

/// <summary>Hundreds of machines that have an operating system: a network namespace, a root and a real sshd each (<c>machine.sh</c>), behind one bridge. Their agents are simulated: real signed calls, each from its machine's own address.</summary>
sealed class MachineFarm : IAsyncDisposable
{
    /// <summary>What may be wrong with a machine, in the order of the steps at which it shows; the names are <c>machine.sh</c>'s, and <c>mute</c>'s agent never calls.</summary>
    public static readonly string[] Faults = ["silent", "door", "theirs", "copy", "service", "mute"];

    const string Bridge = "gridfarm";
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(5), Look = TimeSpan.FromMilliseconds(200);

    readonly string folder;
    readonly string[] faults;
    readonly List<PeerProcess> machines = [];
    readonly BlockingCollection<(int Machine, TaskCompletionSource<Socket> Opened)> asked = [];
    readonly CancellationTokenSource life = new();
    readonly AgentCounts counts = new();
    Task agents = Task.CompletedTask;

    MachineFarm(string folder, string[] faults) => (this.folder, this.faults) = (folder, faults);

    public string KeyFile => Path.Combine(folder, "key");

    public static IPEndPoint Appliance { get; } = new(IPAddress.Parse("10.60.0.1"), 8067);

    public static string Network => $"{{ name: office, interface: {Bridge}, address: {Appliance.Address}/16, dhcp: {{ mode: \"off\" }}, boot: true }}";

    public static string AddressOf(int machine) => $"10.60.{1 + machine / 250}.{1 + machine % 250}";

    /// <param name="folder">Where their disks lie; not below what is their root's lower half.</param>
    /// <param name="faults">One for each machine; empty: there is nothing wrong with it.</param>
    public static async Task<MachineFarm> StartAsync(string folder, string[] faults)
    {
        var farm = new MachineFarm(folder, faults);
        try
        {
            await Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "establish", "-f", farm.KeyFile);
            await farm.CableAsync();
            await Parallel.ForAsync(0, faults.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, (i, _) => { farm.PowerOn(i); return ValueTask.CompletedTask; });
            for (var i = 0; i < faults.Length; i++) if (faults[i] != "silent") await ReachableAsync(i);
            new Thread(farm.OpenSockets) { IsBackground = true, Name = "sockets of machines" }.Start();
            farm.agents = farm.PlayAgentsAsync();
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    async Task CableAsync()
    {
        var lines = new List<string> { $"link add {Bridge} type bridge stp_state 0 forward_delay 0", $"address add {Appliance.Address}/16 dev {Bridge}", $"link set {Bridge} up" };
        for (var i = 0; i < faults.Length; i++)
            lines.AddRange([$"netns add {Space(i)}", $"link add gfp{i} type veth peer name eth0 netns {Space(i)}", $"link set gfp{i} master {Bridge} up"]);
        await BatchAsync(lines);
        for (var i = 0; i < faults.Length; i++)
            await BatchAsync([$"link set lo up", $"address add {AddressOf(i)}/16 dev eth0", "link set eth0 up"], "-n", Space(i));
    }

    async Task BatchAsync(IEnumerable<string> lines, params string[] before)
    {
        var file = Path.Combine(folder, "ip.batch");
        await File.WriteAllLinesAsync(file, lines);
        await Run("ip", [.. before, "-batch", file]);
    }

    void PowerOn(int i)
    {
        var machine = new PeerProcess("ip", "netns", "exec", Space(i), "unshare", "-m", "-p", "-f", "--kill-child=KILL",
            "/bin/bash", Path.Combine(AppContext.BaseDirectory, "Establish/machine.sh"), Directory.CreateDirectory(FolderOf(i)).FullName, Guid.NewGuid().ToString("N"), faults[i]);
        lock (machines) machines.Add(machine);
    }

    static async Task ReachableAsync(int i)
    {
        for (var from = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Parse(AddressOf(i)), 22);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(from) < Longest) { await Task.Delay(50); }
        }
    }

    /// <summary>As a machine's systemd would: an agent begins when its service is started.</summary>
    async Task PlayAgentsAsync()
    {
        var waiting = Enumerable.Range(0, faults.Length).Where(i => faults[i] != "mute").ToHashSet();
        var running = new List<Task>();
        try
        {
            while (true)
            {
                foreach (var i in waiting.Where(i => File.Exists(Path.Combine(FolderOf(i), "upper/agent-started"))).ToList())
                {
                    waiting.Remove(i);
                    running.Add(PlayAgentAsync(i));
                }
                await Task.Delay(Look, life.Token);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(running);
        }
    }

    async Task PlayAgentAsync(int i)
    {
        try
        {
            var lines = await File.ReadAllLinesAsync(Path.Combine(FolderOf(i), "upper/etc/grid/agent.conf"), life.Token);
            var token = lines.First(line => line.StartsWith("grid.token=", StringComparison.Ordinal))["grid.token=".Length..];
            await (await SimulatedAgent.EnrolAsync(token, ECDsa.Create(ECCurve.NamedCurves.nistP256), Appliance, counts, () => OpenAsync(i), life.Token)).RunAsync(life.Token);
        }
        catch (OperationCanceledException)
        {
            // That is how they end.
        }
    }

    Task<Socket> OpenAsync(int machine)
    {
        var opened = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);
        asked.Add((machine, opened));
        return opened.Task;
    }

    /// <summary>A socket stays in the namespace where it was made, whoever uses it: one thread goes from one to the next and makes them.</summary>
    void OpenSockets()
    {
        foreach (var (machine, opened) in asked.GetConsumingEnumerable())
        {
            using var space = File.OpenHandle($"/run/netns/{Space(machine)}");
            if (Libc.SetNamespace(space, Libc.CloneNewNet) != 0) opened.SetException(new InvalidOperationException("setns failed: this wants root"));
            else opened.SetResult(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        }
    }

    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        await agents;
        asked.CompleteAdding();
        foreach (var machine in machines) machine.Dispose();
        await BatchAsync([.. Enumerable.Range(0, faults.Length).Where(i => File.Exists($"/run/netns/{Space(i)}")).Select(i => $"netns delete {Space(i)}"), $"link delete {Bridge}"], "-force");
    }

    static string Space(int machine) => $"gridfarm{machine}";

    string FolderOf(int machine) => Path.Combine(folder, $"m{machine}");

    public static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
    }
}
