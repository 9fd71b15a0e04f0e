using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Ipmi;
using GridAppliance.Consoles.Record;
using GridAppliance.Testing;
using GridAppliance.Tests.Power;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Consoles;

/// <summary>
/// Losing serial over LAN as it happens: to somebody else's ipmitool, and to a simulator that is killed. The time is the real one, since the simulator knows no other: it is what the issue allows, twenty seconds.
/// </summary>
public sealed class SolLossTests : IAsyncLifetime
{
    static readonly TimeSpan Allowed = TimeSpan.FromSeconds(20);

    readonly string directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
    readonly CancellationTokenSource stopping = new(TimeSpan.FromSeconds(60));
    readonly TcpListener serial = new(IPAddress.Loopback, 0);
    readonly BmcBench bench = new();
    IpmiSimulator simulator = null!;
    GridAppliance.Power.Ipmi.IpmiBmc bmc = null!;
    ConsoleSession session = null!;
    ConsoleViewer viewer = null!;
    Task running = Task.CompletedTask;

    int SerialPort => ((IPEndPoint)serial.LocalEndpoint).Port;

    public Task InitializeAsync()
    {
        serial.Start();
        simulator = IpmiSimulator.Start(serialPort: SerialPort);
        bmc = bench.Open(simulator.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password));
        session = new("n1", new SolConsolePort(bmc), ConsoleRecordWriter.Open(directory, new(), TimeProvider.System), TimeProvider.System, _ => { }, NullLogger.Instance);
        viewer = session.TryJoin("ann")!;
        running = session.RunAsync(stopping.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        session.Dispose();
        await bmc.DisposeAsync();
        await bench.DisposeAsync();
        simulator.Dispose();
        serial.Dispose();
        stopping.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    async Task SeeAsync(string until)
    {
        var text = new StringBuilder();
        try
        {
            while (!text.ToString().Contains(until, StringComparison.Ordinal)) text.Append(Encoding.UTF8.GetString((await viewer.ReadAsync(stopping.Token)).Octets.Span)).Append('|');
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"'{until}' was not seen, only: {text}");
        }
    }

    async Task<TcpClient> MachineAsync() => await serial.AcceptTcpClientAsync(stopping.Token);

    async Task<string> RecordAsync()
    {
        session.Sync();
        var record = new StringBuilder();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, default, default)) record.Append(Encoding.UTF8.GetString(entry.Octets.Span)).Append('|');
        return record.ToString();
    }

    [Fact]
    public async Task A_console_that_ipmitool_takes_is_noticed_within_twenty_seconds_and_taken_back()
    {
        await SeeAsync("connected");
        using var machine = await MachineAsync();
        await machine.GetStream().WriteAsync("before"u8.ToArray(), stopping.Token);
        await SeeAsync("before");

        simulator.Ipmitool("sol", "deactivate");
        using var thief = Thief();
        var stolen = Stopwatch.GetTimestamp();
        await SeeAsync("lost");
        Assert.True(Stopwatch.GetElapsedTime(stolen) < Allowed, $"noticed after {Stopwatch.GetElapsedTime(stolen)}");
        await SeeAsync("connected");
        Assert.True(Stopwatch.GetElapsedTime(stolen) < Allowed, $"taken back after {Stopwatch.GetElapsedTime(stolen)}");
        await machine.GetStream().WriteAsync("after"u8.ToArray(), stopping.Token);
        await SeeAsync("after");
        Assert.Matches("before.*the line was lost: .*connected.*after", await RecordAsync());
        thief.Kill(entireProcessTree: true);
    }

    [Fact]
    public async Task A_bmc_that_is_killed_and_comes_back_is_noticed_within_twenty_seconds_and_its_console_taken_back()
    {
        await SeeAsync("connected");
        using (var machine = await MachineAsync())
        {
            await machine.GetStream().WriteAsync("before"u8.ToArray(), stopping.Token);
            await SeeAsync("before");
        }
        var endPoint = simulator.EndPoint;
        simulator.Dispose();
        var killed = Stopwatch.GetTimestamp();
        simulator = IpmiSimulator.Start(at: endPoint, serialPort: SerialPort);
        await SeeAsync("lost");
        Assert.True(Stopwatch.GetElapsedTime(killed) < Allowed, $"noticed after {Stopwatch.GetElapsedTime(killed)}");
        await SeeAsync("connected");
        using var again = await MachineAsync();
        await again.GetStream().WriteAsync("after"u8.ToArray(), stopping.Token);
        await SeeAsync("after");
        Assert.Matches("before.*the line was lost: .*connected.*after", await RecordAsync());
    }

    /// <summary>Somebody who opens the console with ipmitool, at a terminal: it does nothing without one.</summary>
    Process Thief()
    {
        var start = new ProcessStartInfo("/usr/bin/script") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-qfec", $"ipmitool -I lanplus -C 3 -H {simulator.EndPoint.Address} -p {simulator.EndPoint.Port} -U {IpmiSimulator.User} -f {simulator.PasswordFile} sol activate", "/dev/null"]) start.ArgumentList.Add(argument);
        var thief = Process.Start(start)!;
        var line = "";
        while (!line.Contains("SOL Session operational", StringComparison.Ordinal))
            line = thief.StandardOutput.ReadLine() ?? throw new InvalidOperationException("ipmitool did not take the console");
        return thief;
    }
}
