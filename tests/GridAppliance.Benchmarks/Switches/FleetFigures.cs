using System.Diagnostics;
using System.Globalization;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Benchmarks.Agents;
using GridAppliance.Benchmarks.Peers;

namespace GridAppliance.Benchmarks.Switches;

/// <summary>
/// The whole daemon, as it is shipped, beside some hundred switches in a process of their own, with a node behind some ports of each: what looking at all of them every minute costs. Needs a network of its own, as
/// <see cref="AgentFigures"/> do: <c>unshare -n</c>, and <c>ip link set lo up</c> in it.
/// </summary>
static class FleetFigures
{
    const int Ports = 48, NodesEach = 10;
    /// <summary>Everything of each switch is read once in five minutes: a whole round of that is in it.</summary>
    static readonly TimeSpan Settling = TimeSpan.FromSeconds(70), Steady = TimeSpan.FromSeconds(305), Longest = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(string gridappliance, int count)
    {
        var folder = Directory.CreateTempSubdirectory("grid-fleet-").FullName;
        try
        {
            using var switches = SnmpPeers.Serve(count, Ports, NodesEach, out var at);
            await AgentFigures.SeedAsync(folder, count * NodesEach, null);
            await ConfigureAsync(folder, at);
            var began = Stopwatch.GetTimestamp();
            using var daemon = await AgentFigures.StartAsync(gridappliance, folder);
            await AllReadAsync(folder, count);
            Say($"{count} switches of {Ports} ports and {count * NodesEach} nodes: all read, tried and written down {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s after the daemon's start, with {daemon.Cpu.TotalSeconds:0.0} s of processor time");
            await PlacedAsync(folder, count * NodesEach);

            await Task.Delay(Settling);
            _ = switches.Ask("rounds");
            var (processor, from) = (daemon.Cpu.TotalSeconds, Stopwatch.GetTimestamp());
            await Task.Delay(Steady);
            var elapsed = Stopwatch.GetElapsedTime(from).TotalSeconds;
            Say($"then for {elapsed:0} s: {100 * (daemon.Cpu.TotalSeconds - processor) / elapsed:0.00} % of one core, {daemon.Resident} MB resident");
            Say($"rounds, from the first request to the last: {switches.Ask("rounds")}");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task ConfigureAsync(string folder, int[] at)
    {
        var secret = Path.Combine(folder, "switch.secret");
        await File.WriteAllTextAsync(secret, $"{SnmpPeers.Authentication}\n{SnmpPeers.Privacy}\n");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var entries = at.Select((port, i) => $"  - {{ name: sw{i}, address: \"snmp+qbridge://127.0.0.1:{port}\", user: {SnmpPeers.User}, secretFile: {secret}, ports: [ \"Gi0/*\" ], vlans: [ \"100\", \"250\" ] }}\n");
        await File.AppendAllTextAsync(Path.Combine(folder, "appliance.yaml"), $"\nswitches:\n{string.Concat(entries)}");
    }

    static async Task AllReadAsync(string folder, int count)
    {
        using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
        for (var from = Stopwatch.GetTimestamp(); (await client.GetSwitches(CancellationToken.None)).Count(s => s.LastRead is not null) < count;)
        {
            if (Stopwatch.GetElapsedTime(from) > Longest) throw new TimeoutException($"not all switches were read in {Longest.TotalSeconds} s");
            await Task.Delay(50);
        }
    }

    static async Task PlacedAsync(string folder, int nodes)
    {
        using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
        var from = Stopwatch.GetTimestamp();
        while ((await client.GetNodes(null, CancellationToken.None)).Count(n => n.Location is not null) is var placed && placed < nodes)
        {
            if (Stopwatch.GetElapsedTime(from) > Longest) throw new TimeoutException($"{placed} of {nodes} nodes were placed in {Longest.TotalSeconds} s");
            await Task.Delay(500);
        }
        Say($"all {nodes} nodes on the map {Stopwatch.GetElapsedTime(from).TotalSeconds:0.0} s later");
    }

    static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
