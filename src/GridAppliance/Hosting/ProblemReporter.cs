using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Hosting;

/// <summary>Writes the appliance's problems into the timeline as they come and go, and looks after those that nobody else sees whole: the disk and the address ranges.</summary>
sealed partial class ProblemReporter(ApplianceProblems problems, Timeline timeline, Database database, ApplianceOptions options, TimeProvider time, ILogger<ProblemReporter> log, DhcpServer? dhcp = null)
    : BackgroundService
{
    const long LittleSpace = 64 << 20;

    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    // Problems are a handful; when the timeline cannot be written for long, the oldest word of it is the least useful.
    readonly Channel<(ApplianceProblemDocument Problem, bool Raised)> changes =
        Channel.CreateBounded<(ApplianceProblemDocument, bool)>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        problems.Changed += (problem, raised) => changes.Writer.TryWrite((problem, raised));
        foreach (var earlier in problems.All) changes.Writer.TryWrite((earlier, true));
        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Report(stoppingToken), Watch(stoppingToken));

    async Task Report(CancellationToken cancellationToken)
    {
        await foreach (var (problem, raised) in changes.Reader.ReadAllAsync(cancellationToken))
        {
            if (raised) LogRaised(problem.Code, problem.Message, problem.NextStep);
            else LogCleared(problem.Code);
            await timeline.AppendAsync(raised
                ? new NewEvent("appliance.problem", problem.Message) { Severity = EventSeverity.Error }
                : new NewEvent("appliance.well", $"no longer so: {problem.Message}"), cancellationToken);
        }
    }

    async Task Watch(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        do
        {
            LookAtDisk();
            if (dhcp is not null) LookAtRanges(dhcp.LeasesInUse());
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    internal void LookAtDisk()
    {
        const string full = "store.disk-full", unwritable = "store.unwritable", damaged = "store.damaged", low = "store.disk-low";
        var fault = database.Fault;
        Say(full, fault is { Fault: StoreFault.DiskFull }, $"{fault?.Message}: known nodes go on being served, new ones and changes are not kept", "free space on the file system of dataDir; nothing has to be restarted");
        Say(unwritable, fault is { Fault: StoreFault.Unwritable or StoreFault.Other }, fault?.Message ?? "", $"check that {options.DataDir} belongs to the daemon's user and is mounted read-write");
        Say(damaged, fault is { Fault: StoreFault.Corrupt }, fault?.Message ?? "", $"stop the daemon and put a backup of {options.DataDir}/gridappliance.db back");
        var free = FreeSpace();
        Say(low, free < LittleSpace && fault is null, $"the file system of dataDir has only {free >> 20} MiB left", "free space there before it runs out");
    }

    internal void LookAtRanges(IReadOnlyDictionary<string, int> leases)
    {
        foreach (var network in options.Networks)
        {
            if (network.Range is not { } range || !leases.TryGetValue(network.Name, out var used)) continue;
            // Our own address may lie within the range, and is nobody's to have.
            var usable = range.Count - (range.Contains(network.Address.Address) ? 1 : 0);
            Say($"dhcp.range-used-up.{network.Name}", used >= usable, $"every address of network '{network.Name}' is leased ({used} of {usable}): machines that are new get none",
                "Widen dhcp.range of that network, or shorten its leaseTime.");
        }
    }

    void Say(string code, bool isSo, string message, string nextStep)
    {
        if (isSo) problems.Raise(code, message, nextStep); else problems.Clear(code);
    }

    long FreeSpace()
    {
        try { return new DriveInfo(options.DataDir).AvailableFreeSpace; }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException) { return long.MaxValue; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Code}: {Message} → {NextStep}")]
    partial void LogRaised(string code, string message, string? nextStep);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Code} is over")]
    partial void LogCleared(string code);
}
