using System.Diagnostics;
using System.Net;
using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Power.Ipmi;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Benchmarks.Peers;

/// <summary>
/// Power status of many simulated BMCs: FreeIPMI's ipmipower, one ipmitool per BMC, and ours, in turns on the same simulators, so that whatever else
/// the machine does falls on all of them. Prints medians and ratios.
/// </summary>
static class IpmiPeers
{
    const int Bmcs = 64;
    const int Rounds = 9;
    const int FirstPort = 21000;
    const int SweepLive = 900;
    const int SweepDead = 100;

    /// <summary>
    /// Twice: with simulators that answer by themselves, where what is measured is IPMI; and with simulators that start a program for each question (<c>chassis_control</c>, as the lab's do), where that
    /// program costs more than all of IPMI and everybody waits for it alike.
    /// </summary>
    public static async Task<int> CompareAsync()
    {
        Console.WriteLine("ipmi_sim that answers by itself:");
        await WithSimulatorsAsync(Bmcs, withMachines: false, CompareAsync);
        Console.WriteLine("ipmi_sim that starts a program for each question (chassis_control):");
        return await WithSimulatorsAsync(Bmcs, withMachines: true, CompareAsync);
    }

    /// <summary>A thousand BMCs of which some are dead, ours alone.</summary>
    public static Task<int> SweepAsync() => WithSimulatorsAsync(SweepLive, withMachines: true, SweepAsync);

    static async Task<int> WithSimulatorsAsync(int count, bool withMachines, Func<List<IpmiSimulator>, Task> work)
    {
        var simulators = await StartAsync(count, withMachines);
        try
        {
            await work(simulators);
            return 0;
        }
        finally
        {
            Parallel.ForEach(simulators, simulator => simulator.Dispose());
        }
    }

    static async Task CompareAsync(List<IpmiSimulator> simulators)
    {
        var hosts = string.Join(',', simulators.Select(s => s.EndPoint));
        var (peer, tools, cold, warm, processor) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var first = (await OursAsync(simulators)).Cold;
        for (var round = 0; round < Rounds; round++)
        {
            peer.Add(await TimeAsync(() => RunAsync("ipmipower", "-h", hosts, "-u", IpmiSimulator.User, "-p", IpmiSimulator.Password, "-D", "LAN_2_0", "-I", "3", "-l", "ADMIN", "-W", "opensesspriv", "--stat")));
            var ours = await OursAsync(simulators);
            cold.Add(ours.Cold);
            warm.Add(ours.Warm);
            processor.Add(ours.Processor);
            if (round % 3 == 0) tools.Add(await TimeAsync(() => Task.WhenAll(simulators.Select(ToolAsync))));
        }
        Console.WriteLine($"power status of {simulators.Count} ipmi_sim, medians of {Rounds} rounds in turns ({tools.Count} for ipmitool)");
        Console.WriteLine($"  FreeIPMI ipmipower          {Median(peer),7:f1} ms");
        Console.WriteLine($"  {simulators.Count} x ipmitool at once       {Median(tools),7:f1} ms");
        Console.WriteLine($"  ours, first in the process  {first,7:f1} ms   {first / Median(peer):f2} x ipmipower (compiling included)");
        Console.WriteLine($"  ours, no sessions open      {Median(cold),7:f1} ms   {Median(cold) / Median(peer):f2} x ipmipower");
        Console.WriteLine($"  ours, sessions open         {Median(warm),7:f1} ms   {Median(warm) / Median(peer):f2} x ipmipower; {Median(processor):f1} ms of processor time of ours");
    }

    /// <summary>One process's view: a socket, a driver for each BMC, a question without and a question with a session.</summary>
    static async Task<(double Cold, double Warm, double Processor)> OursAsync(List<IpmiSimulator> simulators)
    {
        await using var socket = new IpmiSocket(NullLogger<IpmiSocket>.Instance);
        var ports = simulators.Select(s => Open(socket, s.EndPoint)).ToList();
        var cold = await TimeAsync(() => Task.WhenAll(ports.Select(p => p.GetPowerAsync(CancellationToken.None))));
        var before = Environment.CpuUsage.TotalTime;
        var warm = await TimeAsync(() => Task.WhenAll(ports.Select(p => p.GetPowerAsync(CancellationToken.None))));
        var processor = Environment.CpuUsage.TotalTime - before;
        foreach (var port in ports) await port.DisposeAsync();
        return (cold, warm, processor.TotalMilliseconds);
    }

    static async Task SweepAsync(List<IpmiSimulator> simulators)
    {
        await using var socket = new IpmiSocket(NullLogger<IpmiSocket>.Instance);
        var dead = Enumerable.Range(FirstPort + SweepLive, SweepDead).Select(port => new IPEndPoint(IPAddress.Loopback, port));
        // The dead among the living, as they stand in a rack.
        var ports = simulators.Select(s => s.EndPoint).Concat(dead).OrderBy(e => e.Port * 7919 % 10007).Select(e => Open(socket, e)).ToList();
        var (answered, silent) = (0, 0);
        var before = Environment.CpuUsage.TotalTime;
        var latencies = new List<double>();
        var time = await TimeAsync(() => Task.WhenAll(ports.Select(AskAsync)));
        var processor = Environment.CpuUsage.TotalTime - before;
        Console.WriteLine($"{ports.Count} BMCs, {SweepDead} of them dead: swept in {time / 1000:f2} s; {answered} answered, the last after {latencies.Max() / 1000:f2} s, {silent} told dead; {processor.TotalSeconds:f2} s of processor time of ours");
        var again = await TimeAsync(() => Task.WhenAll(ports.Select(AskAsync)));
        Console.WriteLine($"  again, with sessions open: {again / 1000:f2} s");
        foreach (var port in ports) await port.DisposeAsync();

        async Task AskAsync(IpmiBmc port)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                await port.GetPowerAsync(CancellationToken.None);
                Interlocked.Increment(ref answered);
                lock (latencies) latencies.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
            catch (DeviceException)
            {
                Interlocked.Increment(ref silent);
            }
        }
    }

    static IpmiBmc Open(IpmiSocket socket, IPEndPoint bmc) => new(
        new($"ipmi://{bmc}"),
        new BmcOwner(bmc, new() { User = IpmiSimulator.User, Password = Encoding.ASCII.GetBytes(IpmiSimulator.Password) }, socket, new(), TimeProvider.System, NullLogger.Instance));

    static async Task<List<IpmiSimulator>> StartAsync(int count, bool withMachines)
    {
        var simulators = new IpmiSimulator[count];
        await Parallel.ForAsync(0, count, (i, _) =>
        {
            simulators[i] = IpmiSimulator.Start(at: new(IPAddress.Loopback, FirstPort + i), withMachine: withMachines);
            return ValueTask.CompletedTask;
        });
        return [.. simulators];
    }

    static Task ToolAsync(IpmiSimulator simulator) => RunAsync(
        "ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", simulator.EndPoint.Port.ToString(), "-U", IpmiSimulator.User, "-f", simulator.PasswordFile, "chassis", "power", "status");

    static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0 || !output.Contains("off", StringComparison.Ordinal)) throw new InvalidOperationException($"{program}: {output}");
    }

    static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
