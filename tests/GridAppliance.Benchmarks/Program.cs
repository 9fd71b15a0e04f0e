using BenchmarkDotNet.Running;
using GridAppliance.Benchmarks.Boot;
using GridAppliance.Benchmarks.Peers;

switch (args)
{
    case ["peers", "tftp"]: return TftpPeers.Run("/usr/sbin/atftpd");
    case ["peers", "tftp", var atftpd]: return TftpPeers.Run(atftpd);
    // The other process of that comparison.
    case ["peers", "tftp-serve", var file]: return await TftpPeers.ServeAsync(file);
    case ["peers", ..]:
        Console.Error.WriteLine("usage: peers tftp [PATH-OF-ATFTPD]");
        return 2;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(DhcpAnswerBenchmark).Assembly).Run(args);
        return 0;
}
