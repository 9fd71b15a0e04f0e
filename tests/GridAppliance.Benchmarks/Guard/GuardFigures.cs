using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using GridAppliance.Api.Client;
using GridAppliance.Benchmarks.Peers;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Benchmarks.Guard;

/// <summary>
/// What the guard against forged addresses costs: the daemon as it is shipped, in a network of its own (<c>unshare -n -m</c>, with a <c>/sys</c> of that network mounted), and a flood of frames in others' names from the other end
/// of its wire. Processor time and wake-ups are the daemon's own; what a frame costs the kernel shows in how fast they can be sent, since a veth's sender carries them to their end.
/// </summary>
static class GuardFigures
{
    const string Here = "guard0", There = "guard1";
    static readonly TimeSpan Span = TimeSpan.FromSeconds(20), Longest = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(string gridappliance)
    {
        var folder = Directory.CreateTempSubdirectory("grid-guard-").FullName;
        try
        {
            foreach (var line in (string[])["link set lo up", $"link add {Here} type veth peer name {There}", $"address add 10.77.0.1/24 dev {Here}", $"link set {Here} up", $"link set {There} up"])
            {
                using var ip = Process.Start("/usr/sbin/ip", line.Split(' '));
                await ip.WaitForExitAsync();
                if (ip.ExitCode != 0) return 1;
            }
            await File.WriteAllTextAsync(Path.Combine(folder, "appliance.yaml"), $$"""
                name: guard
                dataDir: {{folder}}/data
                management:
                  listen: [ "unix:{{folder}}/api.sock" ]
                networks:
                  - { name: provisioning, interface: {{Here}}, address: 10.77.0.1/24, dhcp: { mode: server, range: 10.77.0.50-10.77.0.250 }, boot: false }
                """);
            using var wire = new PacketSocket(Link(There), 0, []);
            var open = Flood(wire, TimeSpan.FromSeconds(5));
            Console.WriteLine($"without a guard, to a port where nobody listens: {Rate(open)}");

            using var daemon = PeerProcess.Appliance(gridappliance, Path.Combine(folder, "appliance.yaml"));
            using var client = new ApplianceClient(new ApplianceAddress.Unix(Path.Combine(folder, "api.sock")));
            await ReadyAsync(client);
            await Task.Delay(Span);
            var idle = await MeasureAsync(daemon, () => Task.Delay(Span));
            Console.WriteLine($"guarded, nobody forges, {Span.TotalSeconds:0} s: the daemon used {Words(idle)}");
            (long Frames, TimeSpan Time) sent = default;
            var flooded = await MeasureAsync(daemon, () => Task.Run(() => sent = Flood(wire, Span)));
            await Task.Delay(TimeSpan.FromSeconds(4));
            var dropped = (await client.GetGuard(CancellationToken.None)).Networks.Single().Dropped;
            Console.WriteLine($"guarded, {sent.Frames} forged frames in {sent.Time.TotalSeconds:0} s ({Rate(sent)}), {dropped} dropped and counted: the daemon used {Words(flooded)}");
            return dropped > 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static string Rate((long Frames, TimeSpan Time) sent) => string.Create(CultureInfo.InvariantCulture, $"{sent.Time.TotalNanoseconds / sent.Frames:0} ns a frame with the sending of it");

    static string Words((TimeSpan Processor, long Wakes) used) => string.Create(CultureInfo.InvariantCulture, $"{used.Processor.TotalMilliseconds:0} ms of processor time and woke {used.Wakes} times");

    static async Task<(TimeSpan Processor, long Wakes)> MeasureAsync(PeerProcess daemon, Func<Task> work)
    {
        var (processor, wakes) = (daemon.Cpu, daemon.Wakes);
        await work();
        return (daemon.Cpu - processor, daemon.Wakes - wakes);
    }

    /// <summary>From one NIC, in the name of as many addresses as a /24 has.</summary>
    static (long Frames, TimeSpan Time) Flood(PacketSocket wire, TimeSpan span)
    {
        var frame = new byte[60];
        var (from, frames) = (Stopwatch.GetTimestamp(), 0L);
        while (Stopwatch.GetElapsedTime(from) < span)
        {
            UdpFrame.WriteHeaders(frame, 8, new()
            {
                SourceMac = MacAddress.Parse("52:54:00:66:66:66"), DestinationMac = Link(Here).Mac, Source = new(Ipv4Address.Parse("10.77.0.2").Value + (uint)(frames >> 10) % 250),
                Destination = Ipv4Address.Parse("10.77.0.1"), SourcePort = 999, DestinationPort = 9,
            });
            for (var i = 0; i < 1024; i++, frames++) wire.Send(frame);
        }
        return (frames, Stopwatch.GetElapsedTime(from));
    }

    static LinkInterface Link(string name)
    {
        var nic = NetworkInterface.GetAllNetworkInterfaces().Single(n => n.Name == name);
        return new(nic.Name, int.Parse(File.ReadAllText($"/sys/class/net/{name}/ifindex"), CultureInfo.InvariantCulture), MacAddress.Read(nic.GetPhysicalAddress().GetAddressBytes()));
    }

    static async Task ReadyAsync(ApplianceClient client)
    {
        for (var from = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                if ((await client.GetGuard(CancellationToken.None)).Networks is [{ State: "on" }]) return;
            }
            catch (ApplianceException) when (Stopwatch.GetElapsedTime(from) < Longest)
            {
                // It is not serving yet.
            }
            if (Stopwatch.GetElapsedTime(from) >= Longest) throw new TimeoutException($"the guard was not in force within {Longest.TotalSeconds} s");
            await Task.Delay(50);
        }
    }
}
