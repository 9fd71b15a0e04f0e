using BenchmarkDotNet.Running;
using GridAppliance.Benchmarks.Agents;
using GridAppliance.Benchmarks.Boot;
using GridAppliance.Benchmarks.Consoles;
using GridAppliance.Benchmarks.Establish;
using GridAppliance.Benchmarks.Guard;
using GridAppliance.Benchmarks.Peers;
using GridAppliance.Benchmarks.Switches;

// "peers …" runs other people's programs beside ours, once, on this machine; anything else goes to BenchmarkDotNet.
switch (args)
{
    case ["peers", "tftp"]: return TftpPeers.Run("/usr/sbin/atftpd");
    case ["peers", "tftp", var atftpd]: return TftpPeers.Run(atftpd);
    // The other process of that comparison.
    case ["peers", "tftp-serve", var file]: return await TftpPeers.ServeAsync(file);
    case ["peers", "ipmi"]: return await IpmiPeers.CompareAsync();
    case ["peers", "ipmi-sweep"]: return await IpmiPeers.SweepAsync();
    case ["consoles", "record"]: return await ConsoleFigures.RecordAsync();
    case ["consoles", "record", "sol"]: return await ConsoleFigures.RecordSolAsync(96);
    case ["consoles", "record", "sol", var threshold]: return await ConsoleFigures.RecordSolAsync(int.Parse(threshold));
    case ["consoles", "feed", "sol", var threshold]: return await SolFeed.RunAsync(int.Parse(threshold));
    case ["consoles", "latency"]: return await ConsoleFigures.LatencyAsync();
    // The other process of the first.
    case ["consoles", "feed"]: return await ConsoleFigures.FeedAsync();
    case ["peers", "snmp"]: return await SnmpPeers.CompareAsync();
    case ["peers", "snmp-serve", var count, var ports, var addresses]: return await SnmpPeers.ServeAsync(int.Parse(count), int.Parse(ports), int.Parse(addresses));
    case ["agents", "storm", var gridappliance]: return await AgentFigures.StormAsync(gridappliance, 10_000);
    case ["agents", "storm", var gridappliance, var count]: return await AgentFigures.StormAsync(gridappliance, int.Parse(count));
    case ["agents", "idle", var gridappliance, var agent]: return await AgentFigures.IdleAsync(gridappliance, agent);
    case ["fleet", var gridappliance]: return await FleetFigures.RunAsync(gridappliance, 200);
    case ["fleet", var gridappliance, var count]: return await FleetFigures.RunAsync(gridappliance, int.Parse(count));
    case ["establish", var programs, var bootFiles]: return await EstablishFigures.RunAsync(programs, bootFiles, 500);
    case ["establish", var programs, var bootFiles, var count]: return await EstablishFigures.RunAsync(programs, bootFiles, int.Parse(count));
    case ["guard", var gridappliance]: return await GuardFigures.RunAsync(gridappliance);
    case ["peers", ..]:
        Console.Error.WriteLine("usage: peers tftp [PATH-OF-ATFTPD] | ipmi | ipmi-sweep | snmp, or: consoles record [sol [THRESHOLD]] | latency, or: agents storm GRIDAPPLIANCE [COUNT] | idle GRIDAPPLIANCE GRID-AGENT, or: fleet GRIDAPPLIANCE [COUNT], or: guard GRIDAPPLIANCE, or: establish FOLDER-OF-PROGRAMS FOLDER-OF-BOOT-FILES [COUNT]");
        return 2;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(DhcpAnswerBenchmark).Assembly).Run(args);
        return 0;
}
