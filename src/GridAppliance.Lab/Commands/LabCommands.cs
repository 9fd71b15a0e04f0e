using GridAppliance.Lab.Appliance;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Lab.Switches;
using GridAppliance.Lab.Troubles;

namespace GridAppliance.Lab.Commands;

/// <summary>What gridlab does when asked; each returns the exit status.</summary>
sealed class LabCommands(LabArguments arguments, LabPrograms programs, Terminal terminal, TimeProvider clock)
{
    public Task<int> RunAsync(CancellationToken cancellation) => arguments.Verb switch
    {
        "up" => UpAsync(cancellation),
        "down" => DownAsync(cancellation),
        "status" => StatusAsync(cancellation),
        "power" => PowerAsync(cancellation),
        "break" => BreakAsync(cancellation),
        "portal" => PortalAsync(cancellation),
        "switch-agent" => SwitchAgent.RunAsync(LabPlan.For(arguments.Name, []), clock, cancellation),
        "redfish" => RedfishAsync(cancellation),
        "help" or "--help" or "-h" => Help(),
        _ => throw new LabException($"gridlab does not know '{arguments.Verb}'.{Environment.NewLine}{Environment.NewLine}{LabArguments.Usage}"),
    };

    async Task<int> UpAsync(CancellationToken cancellation)
    {
        LabProcesses.MarkChildren(arguments.Name);
        var plan = LabPlan.For(arguments.Name, arguments.Rack ?? LabServers.StandardRack, arguments.Image);
        using var rig = new LabRig(plan, programs, clock);
        var state = LabState.Read(plan.Paths.State);
        if (state is not null && rig.Appliance.Running is not null)
        {
            terminal.Say($"Lab '{plan.Name}' is running already.");
            return await StatusAsync(cancellation);
        }
        return await new LabUp(arguments, rig, programs, terminal, clock).RunAsync(cancellation);
    }

    async Task<int> DownAsync(CancellationToken cancellation)
    {
        using var alone = LabLock.Take(arguments.Name);
        using var rig = Existing(out var state);
        await rig.TearDownAsync(cancellation);
        terminal.Say(state is null ? $"Lab '{arguments.Name}' is not up; nothing of it is left." : $"Lab '{arguments.Name}' is gone: its processes, namespaces, interfaces and files.");
        return 0;
    }

    async Task<int> StatusAsync(CancellationToken cancellation)
    {
        using var rig = Existing(out var state);
        if (state is null)
        {
            terminal.Say($"Lab '{arguments.Name}' is not up. 'sudo make lab' starts it.");
            return 3;
        }
        var nodes = await rig.Appliance.Client.GetNodes(null, cancellation).OrNullWhenAway();
        terminal.Say($"Lab '{arguments.Name}': the appliance {ApplianceText(rig.Appliance, answers: nodes is not null)}");
        foreach (var progress in ServerProgress.Of(rig.Plan, nodes ?? [], TimeSpan.Zero, BootFigures.Typical))
            terminal.Say(rig.Servers.Running(progress.Server) is null ? $"  {progress.Server.Name,-4}{FirmwareText.Of(progress.Server.Firmware),-10}is off" : progress.ToString());
        foreach (var trouble in state.Troubles) terminal.Say($"  trouble made: {trouble}");
        LabUp.SayWhereToLook(terminal, rig, programs);
        return 0;
    }

    static string ApplianceText(ApplianceRig appliance, bool answers) => appliance.Running switch
    {
        { Pid: var pid } when answers => $"serves (process {pid}).",
        { Pid: var pid } => $"runs (process {pid}) and does not answer.",
        null => "is not running.",
    };

    async Task<int> PowerAsync(CancellationToken cancellation)
    {
        using var rig = Existing(out var state);
        if (state is null) throw new LabException($"Lab '{arguments.Name}' is not up.");
        using var alone = LabLock.Take(arguments.Name);
        if (arguments.Words is not [var name, var action]) throw new LabException("Say which server and what: gridlab power n3 on|off|soft|cycle");
        var server = rig.Servers.Named(name);
        await (action switch
        {
            "on" => rig.Servers.PowerOnAsync(server, cancellation),
            "off" => rig.Servers.PowerOffAsync(server, cancellation),
            "soft" => ServerRig.ShutDownAsync(server, cancellation),
            "cycle" => rig.Servers.PowerCycleAsync(server, cancellation),
            _ => throw new LabException($"A server is switched on, off, soft or cycle, not '{action}'."),
        });
        return 0;
    }

    async Task<int> BreakAsync(CancellationToken cancellation)
    {
        if (arguments.Words.Count == 0 && !arguments.Undo)
        {
            terminal.Say($"gridlab break makes one of these, and 'gridlab break --undo' unmakes it:{Environment.NewLine}{TroubleCatalogue.List()}");
            return 0;
        }
        using var rig = Existing(out var state);
        if (state is null) throw new LabException($"Lab '{arguments.Name}' is not up.");
        using var alone = LabLock.Take(arguments.Name);
        if (arguments.Undo) await UndoAsync(rig, state, cancellation);
        else await MakeAsync(rig, state, cancellation);
        return 0;
    }

    async Task MakeAsync(LabRig rig, LabState state, CancellationToken cancellation)
    {
        var (trouble, server) = TroubleCatalogue.Parse(arguments.Words);
        var text = string.Join(' ', arguments.Words);
        // Written first: a trouble made by half can then be undone.
        (state with { Troubles = [.. state.Troubles.Where(t => t != text), text] }).Write(rig.Plan.Paths.State);
        await trouble.MakeAsync(rig, server, cancellation);
        terminal.Say($"Made: {text}. Look at: {trouble.LookAt}.");
        terminal.Say($"Undo it with: gridlab break --undo {text}");
    }

    async Task UndoAsync(LabRig rig, LabState state, CancellationToken cancellation)
    {
        IReadOnlyList<string> wanted = arguments.Words.Count > 0 ? [string.Join(' ', arguments.Words)] : state.Troubles;
        foreach (var text in wanted)
        {
            var (trouble, server) = TroubleCatalogue.Parse(text.Split(' '));
            await trouble.UndoAsync(rig, server, cancellation);
            state = state with { Troubles = [.. state.Troubles.Where(t => t != text)] };
            state.Write(rig.Plan.Paths.State);
            terminal.Say($"Undone: {text}.");
        }
        if (wanted.Count == 0) terminal.Say("No trouble was made.");
    }

    async Task<int> PortalAsync(CancellationToken cancellation)
    {
        var plan = LabPlan.For(arguments.Name, []);
        using var portal = new Portal(plan);
        var port = portal.Listen();
        await File.WriteAllTextAsync(plan.Paths.PortalAddress, $"http://127.0.0.1:{port}/", cancellation);
        await portal.RunAsync(cancellation);
        return 0;
    }

    async Task<int> RedfishAsync(CancellationToken cancellation)
    {
        using var rig = Existing(out _);
        return await RedfishAgent.RunAsync(rig.Servers.Named(arguments.Words is [var name] ? name : ""), clock, cancellation);
    }

    Task<int> Help()
    {
        terminal.Say(LabArguments.Usage);
        return Task.FromResult(0);
    }

    /// <summary>The lab as it was built: its rack stands in its state.</summary>
    LabRig Existing(out LabState? state)
    {
        state = LabState.Read(new LabPaths(arguments.Name).State);
        return new LabRig(LabPlan.For(arguments.Name, state?.Rack ?? LabServers.StandardRack, state?.Image ?? LabImage.Virtual), programs, clock);
    }
}
