using System.Diagnostics;
using System.Globalization;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches;
using GridAppliance.Switches.QBridge;
using GridAppliance.Switches.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Benchmarks.Peers;

/// <summary>
/// Net-SNMP's snmpset and snmpbulkwalk, and ours, in turns on the same simulated switches, which are a process of their own. Version 3, SHA-256 and AES-128, for everybody.
/// </summary>
static class SnmpPeers
{
    const int Rounds = 9, ToolRounds = 3;
    const int Moved = 60, MovedPorts = 64;
    const int MapPorts = 48, MapAddresses = 500;
    const int Fleet = 200;
    internal const string User = "grid", Authentication = "auth passphrase", Privacy = "priv passphrase";

    static readonly VlanId First = new(100), Second = new(250);

    /// <summary>The other process: the switches, and their ports of loopback on one line.</summary>
    public static async Task<int> ServeAsync(int count, int ports, int addresses)
    {
        var agents = new List<SnmpAgent>();
        var rounds = new RequestRounds();
        for (var i = 0; i < count; i++)
        {
            var model = BridgeModel.Factory(ports).WithAccess(100, [.. Enumerable.Range(1, ports)]).WithAccess(250);
            model = model with { Addresses = [.. Enumerable.Range(0, addresses).Select(n => new BridgeAddress(100, MacAddress.FromUInt64(0x5254_0000_0001 + (ulong)(i * addresses + n)), n % ports + 1))] };
            var tree = new BridgeTree(new MemoryBridge(model), $"sw{i}", TimeProvider.System);
            AgentUser[] users = [new(User, AgentAccess.ReadWrite, UsmAuthentication.Sha256, Authentication, UsmPrivacy.Aes128, Privacy)];
            agents.Add(new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 1, 1, (byte)(i >> 8), (byte)i], Users = users }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System) { Tamper = rounds.Count });
        }
        Console.WriteLine(string.Join(' ', agents.Select(a => a.EndPoint.Port)));
        while (await Console.In.ReadLineAsync() is not null) Console.WriteLine(rounds.Tell());
        foreach (var agent in agents) await agent.DisposeAsync();
        return 0;
    }

    public static async Task<int> CompareAsync()
    {
        await MoveAsync();
        await MapAsync();
        await FleetAsync();
        return 0;
    }

    static async Task MoveAsync()
    {
        using var switches = Serve(1, MovedPorts, 0, out var ports);
        await using var ours = new Ours();
        var device = ours.Open(ports[0]);
        var policy = new SwitchPolicy { Ports = [.. Enumerable.Range(1, MovedPorts)], Vlans = [First, Second] };
        await using var actor = new SwitchActor(device, policy, new NoJournal(), NullLogger<SwitchActor>.Instance);
        var (moves, tools) = (new List<double>(), new List<double>());
        var pdus = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var to = round % 2 == 0 ? Second : First;
            var intent = new VlanIntent { Ports = [.. Enumerable.Range(1, Moved).Select(p => new PortIntent(p) { Vlans = PortVlans.Access(to) })] };
            ChangeOutcome? outcome = null;
            moves.Add(await TimeAsync(async () => outcome = await actor.ApplyAsync(intent, CancellationToken.None)));
            if (outcome!.Ending != ChangeEnding.Done) throw new InvalidOperationException($"{outcome.Ending}: {outcome.Reason}");
            pdus = Math.Max(pdus, outcome.Pdus);
        }
        for (var round = 0; round < ToolRounds; round++) tools.Add(await TimeAsync(() => MoveByToolsAsync(ports[0], round % 2 == 0 ? (Second, First) : (First, Second))));
        Console.WriteLine($"{Moved} ports of one switch moved to another VLAN, medians of {Rounds} rounds ({ToolRounds} of snmpset)");
        Console.WriteLine($"  {Moved} x snmpset, one after the other, not read back  {Median(tools),8:f1} ms  {Moved} PDUs");
        Console.WriteLine($"  ours, read back and compared                     {Median(moves),8:f1} ms  {pdus} PDUs   {Median(moves) / Median(tools):f3} x");
    }

    // One port at a time, as LAB scripts do: PVID and the four lists in one PDU. Where the round before left them, all ports but ours are in the VLAN that is moved from.
    static async Task MoveByToolsAsync(int agent, (VlanId To, VlanId From) move)
    {
        var (inTo, inFrom) = (PortList.Of(move.To == First ? [.. Enumerable.Range(Moved + 1, MovedPorts - Moved)] : []), PortList.Of(Enumerable.Range(1, move.From == First ? MovedPorts : Moved)));
        for (var port = 1; port <= Moved; port++)
        {
            (inTo, inFrom) = (inTo.With(port), inFrom.Without(port));
            string[] set =
            [
                Column(QBridgeMib.StaticEgress, move.To.Value), "x", Hex(inTo), Column(QBridgeMib.StaticUntagged, move.To.Value), "x", Hex(inTo),
                Column(QBridgeMib.Pvid, port), "u", move.To.ToString(),
                Column(QBridgeMib.StaticUntagged, move.From.Value), "x", Hex(inFrom), Column(QBridgeMib.StaticEgress, move.From.Value), "x", Hex(inFrom),
            ];
            await RunAsync("snmpset", agent, set);
        }
    }

    static string Column(ObjectIdentifier column, int row) => $".{column}.{row.ToString(CultureInfo.InvariantCulture)}";

    static string Hex(PortList list) => Convert.ToHexString(list.PaddedTo((MovedPorts + 7) / 8).Octets);

    static async Task MapAsync()
    {
        using var switches = Serve(1, MapPorts, MapAddresses, out var ports);
        await using var ours = new Ours();
        var warm = ours.Open(ports[0]);
        ObjectIdentifier[] tables =
        [
            QBridgeMib.StaticEntry, QBridgeMib.CurrentEntry, QBridgeMib.Pvid, QBridgeMib.BasePortIfIndex, QBridgeMib.InterfaceName, QBridgeMib.InterfaceDescription, QBridgeMib.InterfaceAlias,
            QBridgeMib.InterfaceAdminStatus, QBridgeMib.InterfaceOperStatus, QBridgeMib.VlanForwardingPort, QBridgeMib.LldpRemote, QBridgeMib.LldpLocalPort,
        ];
        // The same and more in the fewest processes: whole modules.
        string[] modules = [".1.3.6.1.2.1.17", ".1.3.6.1.2.1.2.2", ".1.3.6.1.2.1.31.1.1", ".1.0.8802.1.1.2.1"];
        var (cold, again, each, whole) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        await ReadAsync(warm);
        for (var round = 0; round < Rounds; round++)
        {
            again.Add(await TimeAsync(() => ReadAsync(warm)));
            cold.Add(await TimeAsync(() => ReadAsync(ours.Open(ports[0]))));
            each.Add(await TimeAsync(async () => { foreach (var table in tables) await RunAsync("snmpbulkwalk", ports[0], [$".{table}"]); }));
            whole.Add(await TimeAsync(async () => { foreach (var module in modules) await RunAsync("snmpbulkwalk", ports[0], [module]); }));
        }
        var best = Math.Min(Median(each), Median(whole));
        Console.WriteLine($"full map of a {MapPorts}-port switch with {MapAddresses} addresses, medians of {Rounds} rounds in turns");
        Console.WriteLine($"  snmpbulkwalk of the same {tables.Length} tables       {Median(each),8:f1} ms");
        Console.WriteLine($"  snmpbulkwalk of the {modules.Length} modules they are in   {Median(whole),8:f1} ms");
        Console.WriteLine($"  ours, no session                       {Median(cold),8:f1} ms   {Median(cold) / best:f2} x the better of the two");
        Console.WriteLine($"  ours, session open                     {Median(again),8:f1} ms   {Median(again) / best:f2} x");
    }

    static async Task FleetAsync()
    {
        using var switches = Serve(Fleet, MapPorts, 20, out var ports);
        await using var ours = new Ours();
        var devices = ports.Select(ours.Open).ToList();
        var before = Environment.CpuUsage.TotalTime;
        var full = await TimeAsync(() => Task.WhenAll(devices.Select(ReadAsync)));
        var fullProcessor = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        await GlanceAsync(devices);
        var (glances, processor) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            before = Environment.CpuUsage.TotalTime;
            glances.Add(await TimeAsync(() => GlanceAsync(devices)));
            processor.Add((Environment.CpuUsage.TotalTime - before).TotalSeconds);
        }
        Console.WriteLine($"{Fleet} switches of {MapPorts} ports");
        Console.WriteLine($"  everything of all, first time, compiling and login included  {full / 1000:f2} s, {fullProcessor:f2} s of processor time of ours");
        Console.WriteLine($"  the minute's look (what drift compares, and the addresses)   {Median(glances) / 1000:f2} s, {Median(processor):f2} s of processor time: {Median(processor) / 60:p1} of a core at one a minute");
    }

    static async Task ReadAsync(QBridgeSwitch device)
    {
        var identity = device.ReadIdentityAsync(CancellationToken.None);
        var snapshot = await device.ReadAsync(CancellationToken.None);
        var forwarding = device.ReadForwardingAsync(snapshot, CancellationToken.None);
        var neighbours = device.ReadNeighboursAsync(snapshot, CancellationToken.None);
        await Task.WhenAll(identity, forwarding, neighbours);
    }

    // What a ManagedSwitch does every minute for a switch that has not changed.
    static Task GlanceAsync(List<QBridgeSwitch> devices) => Task.WhenAll(devices.Select(async device =>
    {
        await device.ReadPulseAsync(CancellationToken.None);
        await device.ReadForwardingAsync(Empty, CancellationToken.None);
    }));

    static SwitchSnapshot Empty { get; } = new() { Ports = System.Collections.Immutable.ImmutableSortedDictionary<int, SwitchPort>.Empty, Vlans = System.Collections.Immutable.ImmutableSortedDictionary<VlanId, SwitchVlan>.Empty };

    /// <summary>Switches in a process of their own; addresses go on from one to the next.</summary>
    internal static PeerProcess Serve(int count, int ports, int addresses, out int[] at)
    {
        var process = new PeerProcess(Environment.ProcessPath!, "peers", "snmp-serve", count.ToString(CultureInfo.InvariantCulture), ports.ToString(CultureInfo.InvariantCulture), addresses.ToString(CultureInfo.InvariantCulture));
        at = [.. process.ReadLine()!.Split(' ').Select(int.Parse)];
        return process;
    }

    static async Task RunAsync(string program, int agent, string[] what)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["-v3", "-l", "authPriv", "-u", User, "-a", "SHA-256", "-A", Authentication, "-x", "AES", "-X", Privacy, "-On", "-m", "", $"127.0.0.1:{agent}", .. what];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program}: {await error}");
    }

    static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Our side: a socket, a user, and the sessions that were opened with them.</summary>
    sealed class Ours : IAsyncDisposable
    {
        readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);
        readonly SnmpCredentials.User user = new(User, UsmAuthentication.Sha256, Authentication, UsmPrivacy.Aes128, Privacy);
        readonly List<QBridgeSwitch> opened = [];

        public QBridgeSwitch Open(int port)
        {
            opened.Add(new(new($"snmp+qbridge://127.0.0.1:{port}"), new(socket, new(IPAddress.Loopback, port), user, new(), TimeProvider.System)));
            return opened[^1];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var device in opened) device.Dispose();
            await socket.DisposeAsync();
        }
    }

    /// <summary>Requests that come close together are one round.</summary>
    sealed class RequestRounds
    {
        static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

        readonly Lock gate = new();
        readonly List<string> told = [];
        long first, last;
        int requests;

        public SnmpPdu Count(SnmpPdu request, SnmpPdu answer)
        {
            var now = Stopwatch.GetTimestamp();
            lock (gate)
            {
                if (requests > 0 && Stopwatch.GetElapsedTime(last, now) > Quiet) End();
                if (requests++ == 0) first = now;
                last = now;
            }
            return answer;
        }

        void End()
        {
            told.Add(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(first, last).TotalSeconds:0.00} s ({requests} requests)"));
            requests = 0;
        }

        /// <summary>The rounds since it was last asked.</summary>
        public string Tell()
        {
            lock (gate)
            {
                if (requests > 0) End();
                var text = string.Join(", ", told);
                told.Clear();
                return text;
            }
        }
    }

    sealed class NoJournal : ISwitchJournal
    {
        public Task<long> BeginAsync(Uri device, IReadOnlyList<VlanWrite> writes, CancellationToken cancellationToken) => Task.FromResult(0L);

        public Task EndAsync(long entry, ChangeEnding ending, string? reason, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<UnfinishedChange> Unfinished(Uri device) => [];
    }
}
