using BenchmarkDotNet.Running;
using GridAppliance.Benchmarks.Boot;

BenchmarkSwitcher.FromAssembly(typeof(DhcpAnswerBenchmark).Assembly).Run(args);
