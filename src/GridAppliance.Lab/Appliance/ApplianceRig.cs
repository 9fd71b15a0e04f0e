using GridAppliance.Api.Client;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Appliance;

/// <summary>Puts the appliance into its namespace and starts and ends it.</summary>
sealed class ApplianceRig(LabPlan plan, LabPrograms programs, LabProcesses processes, TimeProvider clock) : IDisposable
{
    const string Process = "appliance";
    const string PortalProcess = "portal";
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    // Four emulated servers and an appliance that compiles itself share two cores: an answer that is late is late, not lost.
    static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Its management plane, over its unix socket.</summary>
    public ApplianceClient Client { get; } = new(new ApplianceAddress.Unix(plan.Paths.ApiSocket), clock: clock) { Timeout = AnswerPatience };

    public ProcessIdentity? Running => processes.Find(Process);

    /// <summary>The status page's address on this machine, once the portal has found a port.</summary>
    public string? PageAddress => File.Exists(plan.Paths.PortalAddress) ? File.ReadAllText(plan.Paths.PortalAddress).Trim() : null;

    public async Task PrepareAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(plan.Paths.Data);
        await Mounts.MountTmpfsAsync(plan.Paths.Data, plan.Appliance.DataMiB, cancellation);
        File.Delete(plan.Paths.SwitchSecret);
        await using (var secret = new FileStream(plan.Paths.SwitchSecret, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            await secret.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"{LabSwitch.SnmpAuthentication}\n{LabSwitch.SnmpPrivacy}\n"), cancellation);
        await File.WriteAllTextAsync(plan.Paths.Configuration, ApplianceConfiguration.Text(plan, programs.BootFilesOf(plan.Image), plan.Paths.SwitchSecret), cancellation);
    }

    /// <summary>Starts the daemon and waits until everything that it serves is open.</summary>
    /// <exception cref="LabException">It ended, or does not get there; the message has the end of its log.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (Running is not null) return;
        using var notify = new NotifySocket(plan.Paths.NotifySocket);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var ready = notify.ReadyAsync(patience.Token);
        var process = await processes.StartAsync(
            Process, plan.Appliance.Namespace, [notify.Variable, programs.Gridappliance, "serve", "--config", plan.Paths.Configuration], cancellation);
        patience.CancelAfter(StartPatience);
        while (await Task.WhenAny(ready, Task.Delay(Look, clock, cancellation)) != ready && process.IsAlive) { }
        if (ready.IsCompletedSuccessfully) return;

        await patience.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        throw new LabException(process.IsAlive
            ? $"The appliance is not ready after {StartPatience.TotalSeconds:0} s. The end of its log:{Environment.NewLine}{LogEnd()}"
            : $"The appliance ended instead of serving. The end of its log:{Environment.NewLine}{LogEnd()}");
    }

    /// <summary>Starts the forwarder that lets this machine's browser reach the status page.</summary>
    public async Task StartPortalAsync(CancellationToken cancellation)
    {
        File.Delete(plan.Paths.PortalAddress);
        var portal = await processes.StartAsync(PortalProcess, null, [programs.Gridlab, "portal", "--name", plan.Name.ToString()], cancellation);
        var giveUp = clock.GetUtcNow() + StartPatience;
        while (PageAddress is null && portal.IsAlive && clock.GetUtcNow() < giveUp) await Task.Delay(Look, clock, cancellation);
        if (PageAddress is null) throw new LabException($"The status page's forwarder did not start:{Environment.NewLine}{LogTail.Of(plan.Paths.Log(PortalProcess), 5)}");
    }

    /// <summary>Ends the daemon as a power cut would.</summary>
    public async Task KillAsync(CancellationToken cancellation)
    {
        if (Running is { } process) await processes.KillAsync(process, cancellation);
    }

    public string LogEnd() => LogTail.Of(plan.Paths.Log(Process), 15);

    public void Dispose() => Client.Dispose();
}
