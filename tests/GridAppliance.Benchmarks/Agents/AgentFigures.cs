using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Agents;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Client;
using GridAppliance.Benchmarks.Peers;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Benchmarks.Agents;

/// <summary>
/// Ten thousand agents against one daemon, and what the agent itself costs. Both run the programs that are shipped. They need a network of their own, where the daemon may take the
/// boot plane's ports on the loopback: <c>unshare -n</c>, and <c>ip link set lo up</c> in it.
/// </summary>
static class AgentFigures
{
    static readonly TimeSpan Steady = TimeSpan.FromSeconds(75), Away = TimeSpan.FromSeconds(20), Longest = TimeSpan.FromSeconds(120);
    const int Orders = 300;

    public static async Task<int> StormAsync(string gridappliance, int agents)
    {
        var folder = Directory.CreateTempSubdirectory("grid-storm-").FullName;
        try
        {
            var (ids, _) = await SeedAsync(folder, agents, null);
            var counts = new AgentCounts();
            var appliance = new IPEndPoint(IPAddress.Loopback, 8067);
            var keys = ids.Keys.Select(id => (Id: id, Key: ids[id])).ToList();
            var all = keys.Select((one, number) => new SimulatedAgent(one.Id, one.Key, appliance, counts, SimulatedAgent.Loopback(number + 2))).ToList();
            using var life = new CancellationTokenSource();

            using var daemon = await StartAsync(gridappliance, folder);
            var began = Stopwatch.GetTimestamp();
            var running = all.Select(agent => agent.RunAsync(life.Token)).ToList();
            Console.WriteLine($"{agents} agents call for the first time: all heard after {await AllHeardAsync(all, began):0.0} s");

            // As a power cut or an upgrade does it: from one moment to the next, and away for a while.
            daemon.Dispose();
            await Task.Delay(Away);
            began = Stopwatch.GetTimestamp();
            using var again = await StartAsync(gridappliance, folder);
            var (serving, starting) = (Stopwatch.GetElapsedTime(began).TotalSeconds, again.Cpu.TotalSeconds);
            var back = await AllHeardAsync(all, began);
            Console.WriteLine($"killed, {Away.TotalSeconds:0} s later started again: serves after {serving:0.0} s ({starting:0.0} s of processor time), all {agents} heard {back:0.0} s after its start, with {again.Cpu.TotalSeconds:0.0} s of processor time");

            await Task.Delay(TimeSpan.FromSeconds(15));
            var (heartbeats, failures, processor, from) = (counts.Heartbeats, counts.Failures, again.Cpu.TotalSeconds, Stopwatch.GetTimestamp());
            await Task.Delay(Steady);
            var elapsed = Stopwatch.GetElapsedTime(from).TotalSeconds;
            Console.WriteLine($"then for {elapsed:0} s: {(counts.Heartbeats - heartbeats) / elapsed:0} heartbeats a second, {counts.Failures - failures} failed, {100 * (again.Cpu.TotalSeconds - processor) / elapsed:0.0} % of one core, {again.Resident} MB resident");

            await OrderAsync(folder, counts, agents);
            Console.WriteLine($"after that {again.Resident} MB resident");
            await ResourcesAsync(folder, agents);
            await life.CancelAsync();
            try { await Task.WhenAll(running); }
            catch (OperationCanceledException) { /* that is how they end */ }
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The agent as it is shipped, on a node where nothing happens.</summary>
    public static async Task<int> IdleAsync(string gridappliance, string gridAgent)
    {
        var folder = Directory.CreateTempSubdirectory("grid-idle-").FullName;
        try
        {
            var root = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
            var (_, fingerprint) = await SeedAsync(folder, 1, root);
            Directory.CreateDirectory(Path.Combine(root, "proc"));
            await File.WriteAllTextAsync(Path.Combine(root, "proc/cmdline"), $"grid.url=http://127.0.0.1:8067 grid.key={fingerprint}\n");
            using var daemon = await StartAsync(gridappliance, folder);
            using var agent = new PeerProcess(gridAgent, "--root", root);
            await Task.Delay(TimeSpan.FromSeconds(30));
            var (processor, from) = (agent.Cpu.TotalSeconds, Stopwatch.GetTimestamp());
            await Task.Delay(TimeSpan.FromSeconds(120));
            var elapsed = Stopwatch.GetElapsedTime(from).TotalSeconds;
            Console.WriteLine($"an idle agent for {elapsed:0} s, a heartbeat every 10 s: {100 * (agent.Cpu.TotalSeconds - processor) / elapsed:0.000} % of one core, {agent.Resident} MB resident");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Nodes that have enrolled once, in the daemon's own database.</summary>
    internal static async Task<(Dictionary<Guid, ECDsa> Keys, string Fingerprint)> SeedAsync(string folder, int count, string? agentRoot)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        await BootFilesAsync(Directory.CreateDirectory(Path.Combine(folder, "boot")).FullName);
        await File.WriteAllTextAsync(Path.Combine(folder, "appliance.yaml"), $$"""
            name: storm
            dataDir: {{data}}
            bootFiles: {{folder}}/boot
            management:
              listen: [ "unix:{{folder}}/api.sock" ]
            networks:
              - { name: provisioning, interface: lo, address: 127.0.0.1/8, dhcp: { mode: "off" }, boot: true }
            """);
        var keys = new Dictionary<Guid, ECDsa>(count);
        using var appliance = ApplianceKey.Open(data);
        await using var database = Database.Open(Path.Combine(data, "gridappliance.db"), Schema.All);
        var now = TimeProvider.System.GetUtcNow();
        await database.WriteAsync(connection =>
        {
            for (var number = 1; number <= count; number++)
            {
                var (id, key, mac) = (Guid.CreateVersion7(now), ECDsa.Create(ECCurve.NamedCurves.nistP256), MacAddress.FromUInt64(0x5254_0000_0000 + (ulong)number));
                var spki = key.ExportSubjectPublicKeyInfo();
                NodeStore.Save(connection, new()
                {
                    Id = id, Name = $"n{number}", State = NodeState.Idle, StateSince = now, FirstSeen = now, BootMac = mac, Macs = [mac], Network = "provisioning", AgentKey = [.. spki], AgentVersion = "0.1.0",
                    Inventory = new() { Cpus = 64, MemoryMiB = 262_144, Disks = [new() { Name = "sda", SizeBytes = 1L << 40 }], Allocatable = new() { Cpus = 64, MemoryMiB = 262_016, DiskMiB = 1 << 20 } },
                });
                connection.Run("INSERT INTO agent_session(node_id, key, issued, counter) VALUES ($id, $key, 1, 0)", ("$id", id.ToString()), ("$key", AgentSignature.Fingerprint(spki)));
                keys[id] = key;
                if (agentRoot is null) continue;
                var run = Directory.CreateDirectory(Path.Combine(agentRoot, "run/grid-agent")).FullName;
                File.WriteAllBytes(Path.Combine(run, "key"), key.ExportPkcs8PrivateKey());
                File.WriteAllBytes(Path.Combine(run, "enrolment.json"), JsonSerializer.SerializeToUtf8Bytes(new()
                {
                    NodeId = id.ToString(), Node = "n1", ApplianceKey = Convert.ToBase64String(appliance.PublicKey), HeartbeatSeconds = 10,
                }, ApiJson.Default.EnrollResponse));
            }
        }, CancellationToken.None);
        return (keys, appliance.Fingerprint);
    }

    /// <summary>Nobody boots here, but a boot plane wants something to serve.</summary>
    static async Task BootFilesAsync(string folder)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData("x"u8));
        foreach (var name in (string[])["kernel", "initramfs"]) await File.WriteAllTextAsync(Path.Combine(folder, name), "x");
        await File.WriteAllTextAsync(Path.Combine(folder, "manifest.json"), $$"""
            {
              "files": [{ "key": "kernel", "file": "kernel", "sha256": "{{digest}}", "size": 1 }, { "key": "initramfs", "file": "initramfs", "sha256": "{{digest}}", "size": 1 }],
              "kernel": "kernel", "initramfs": "initramfs", "commandLine": "", "profile": "virtual"
            }
            """);
    }

    /// <summary>A daemon that answers.</summary>
    internal static async Task<PeerProcess> StartAsync(string gridappliance, string folder)
    {
        var daemon = PeerProcess.Appliance(gridappliance, Path.Combine(folder, "appliance.yaml"));
        using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
        for (var from = Stopwatch.GetTimestamp(); ;)
        {
            try { await client.GetStatus(CancellationToken.None); return daemon; }
            catch (ApplianceException) when (Stopwatch.GetElapsedTime(from) < Longest && !daemon.HasExited) { await Task.Delay(50); }
            catch
            {
                daemon.Dispose();
                throw;
            }
        }
    }

    /// <returns>Seconds until the last of them was heard.</returns>
    static async Task<double> AllHeardAsync(List<SimulatedAgent> agents, long began)
    {
        while (agents.Any(agent => Volatile.Read(ref agent.LastHeard) < began))
        {
            if (Stopwatch.GetElapsedTime(began) > Longest) throw new TimeoutException($"{agents.Count(agent => agent.LastHeard < began)} agents were not heard in {Longest.TotalSeconds} s");
            await Task.Delay(50);
        }
        return agents.Max(agent => Stopwatch.GetElapsedTime(began, agent.LastHeard).TotalSeconds);
    }

    /// <summary>From a person's request to its agent, through operation, journal and disk.</summary>
    static async Task OrderAsync(string folder, AgentCounts counts, int agents)
    {
        using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
        var (waiting, times, random) = (new ConcurrentDictionary<string, (long Began, TaskCompletionSource Arrived)>(), new ConcurrentBag<double>(), new Random(1));
        counts.Ordered = order =>
        {
            if (order.Holding is null || !waiting.TryRemove(order.Holding.Owner, out var one)) return;
            times.Add(Stopwatch.GetElapsedTime(one.Began).TotalMilliseconds);
            one.Arrived.TrySetResult();
        };
        for (var i = 0; i < Orders; i++)
        {
            var (owner, arrived) = ($"owner-{i}", new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            waiting[owner] = (Stopwatch.GetTimestamp(), arrived);
            await client.ReserveResources(new() { Range = $"n{random.Next(1, agents + 1)}", Owner = owner, Amounts = new() { Cpus = 1 }, Seconds = 3600 }, CancellationToken.None);
            await Task.WhenAny(arrived.Task, Task.Delay(TimeSpan.FromSeconds(30)));
            await Task.Delay(random.Next(20, 60));
        }
        var sorted = times.Order().ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"an order from the request over REST to its agent, {sorted.Count} of {Orders}: p50 {sorted[sorted.Count / 2]:0.0} ms, p90 {sorted[sorted.Count * 9 / 10]:0.0} ms, p99 {sorted[sorted.Count * 99 / 100]:0.0} ms, most {sorted[^1]:0.0} ms"));
    }

    static async Task ResourcesAsync(string folder, int agents)
    {
        using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
        foreach (var range in (string?[])["n[1-1000]", null])
        {
            var times = new List<double>();
            for (var i = 0; i < 9; i++)
            {
                var began = Stopwatch.GetTimestamp();
                _ = await client.GetResources(range, CancellationToken.None);
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
            times.Sort();
            Console.WriteLine($"what is free on {range ?? $"all {agents}"}: {times[4]:0} ms over REST, the first time {times[^1]:0} ms at most");
        }
    }
}
