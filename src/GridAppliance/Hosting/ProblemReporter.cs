using System.Threading.Channels;
using GridAppliance.Api;
using GridAppliance.Nodes;
using GridAppliance.Store;

namespace GridAppliance.Hosting;

/// <summary>Writes the appliance's problems into the timeline as they come and go, and looks after the one that nobody else can see: the disk.</summary>
sealed partial class ProblemReporter(ApplianceProblems problems, Timeline timeline, Database database, ApplianceOptions options, TimeProvider time, ILogger<ProblemReporter> log)
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

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Report(stoppingToken), WatchDisk(stoppingToken));

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

    async Task WatchDisk(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        do LookAtDisk();
        while (await timer.WaitForNextTickAsync(cancellationToken));
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
