using System.Globalization;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab.Commands;

/// <summary><c>gridlab up</c>: builds the lab, presses the power buttons, and waits until every server is idle.</summary>
sealed class LabUp(LabArguments arguments, LabRig rig, LabPrograms programs, Terminal terminal, TimeProvider clock)
{
    readonly BootFigures figures = BootFigures.Read(programs.Figures);

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var problems = Preflight.Problems(rig.Plan, programs, appliance: !arguments.WithoutAppliance);
        if (problems.Count > 0) throw new LabException(string.Join(Environment.NewLine, problems));

        var poweredOn = await BuildAsync(cancellation);
        if (arguments.WithoutAppliance)
        {
            terminal.Say($"The lab stands without an appliance: start one in namespace {rig.Plan.Appliance.Namespace} on {rig.Plan.Appliance.Interface}.");
            return 0;
        }

        terminal.Say($"[3/3] The servers boot; usually done in {ExpectedSeconds():0} s.");
        var idle = await new BootWatch(rig, figures, clock).UntilIdleAsync(poweredOn, arguments.Timeout, Draw, cancellation);
        Remember(idle);
        terminal.Say(string.Create(CultureInfo.InvariantCulture, $"All {idle.Count} servers are idle, {idle.Values.Max().TotalSeconds:0.0} s after power-on."));
        SayWhereToLook(terminal, rig, programs);
        return 0;
    }

    /// <returns>When the servers got power.</returns>
    async Task<DateTimeOffset> BuildAsync(CancellationToken cancellation)
    {
        using var alone = LabLock.Take(rig.Plan.Name);
        try
        {
            // What a lab that was killed may have left is in the way.
            await rig.TearDownAsync(cancellation);
            terminal.Say($"[1/3] Building lab '{rig.Plan.Name}': two namespaces, a switch, {rig.Plan.Servers.Count} servers.");
            await rig.BuildAsync(cancellation);
            if (!arguments.WithoutAppliance)
            {
                terminal.Say("[2/3] Starting the appliance.");
                await rig.Appliance.StartAsync(cancellation);
                await rig.Appliance.StartPortalAsync(cancellation);
                // Nodes of the metal image find theirs from inside: nobody has to be told.
                if (rig.Plan.Image == LabImage.Virtual)
                {
                    await rig.Bmcs.ListeningAsync(cancellation);
                    await rig.Bmcs.TellAsync(rig.Appliance.Client, cancellation);
                }
            }
            var now = clock.GetUtcNow();
            foreach (var server in rig.Plan.Servers) await rig.Servers.PowerOnAsync(server, cancellation);
            return now;
        }
        catch (Exception failure) when (failure is LabException or IOException or OperationCanceledException)
        {
            // Half a lab helps nobody; what went wrong is in the message.
            await rig.TearDownAsync(CancellationToken.None);
            throw;
        }
    }

    double ExpectedSeconds() => rig.Plan.Servers.Max(server => figures.For(server.Firmware));

    void Draw(IReadOnlyList<ServerProgress> progress)
    {
        var elapsed = progress[0].Elapsed.TotalSeconds;
        terminal.Draw([.. progress.Select(p => p.ToString())], string.Create(CultureInfo.InvariantCulture, $"  {elapsed:0} s, about {progress.Max(p => p.SecondsLeft):0} s left"));
    }

    void Remember(IReadOnlyDictionary<LabServer, TimeSpan> idle)
    {
        var slowest = idle.GroupBy(pair => pair.Key.Firmware, pair => pair.Value.TotalSeconds).ToDictionary(group => group.Key, group => group.Max());
        new BootFigures { Seconds = slowest }.Write(programs.Figures);
    }

    public static void SayWhereToLook(Terminal terminal, LabRig rig, LabPrograms programs)
    {
        if (rig.Appliance.Running is null) return;
        terminal.Say();
        terminal.Say($"  Status page   {rig.Appliance.PageAddress ?? "(its forwarder is not running)"}");
        terminal.Say("  Try           " + $"export GRIDCTL_URL=unix:{rig.Plan.Paths.ApiSocket}");
        terminal.Say($"                {programs.Gridctl} nodes");
        terminal.Say($"                {programs.Gridctl} node timeline {rig.Plan.Servers[0].Name}");
        terminal.Say($"                {programs.Gridctl} power cycle {rig.Plan.Servers[0].Name}");
        terminal.Say($"                {programs.Gridctl} module install {rig.Plan.Servers[^1].Name} hello");
        terminal.Say($"  Consoles      {rig.Plan.Paths.Root}/servers/*/console.log");
        terminal.Say($"  Make trouble  gridlab break");
        terminal.Say("  Take it away  sudo make lab-down");
    }
}
