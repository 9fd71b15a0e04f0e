using System.CommandLine;
using GridAppliance.Cli.Commands;
using GridAppliance.Cli.Commands.Grids;
using GridAppliance.Cli.Commands.Resources;
using GridAppliance.Cli.Commands.San;
using GridAppliance.Cli.Commands.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli;

/// <summary>Every command there is: a new one is a class in <c>Commands/</c> and a line here.</summary>
static class CommandTree
{
    internal static RootCommand Root() => new("See and steer a GridAppliance. RANGE is a noderange: n[1-20], a switch or a state (rack3, idle), attr=val, ~regex; ',' joins, '@' intersects, '-' excludes.")
    {
        new StatusCommand(),
        new NodesCommand(),
        new Command("node", "One node.")
        {
            new NodeShowCommand(),
            new NodeTimelineCommand(),
            new NodeRetryCommand(),
            new NodeRetireCommand(),
            new NodeReviveCommand(),
            new NodeRemoveCommand(),
            new NodeMasterCommand(),
            new NodeImageCommand(),
            new NodeInstallCommand(),
            new NodeReleaseCommand(),
        },
        new WhyCommand(),
        new ConsoleCommand(),
        new LogCommand(),
        new RecoverCommand(),
        new Command("console-script", "What to do at a console, as data: answer GRUB or a file system check, boot from the network by the serial line alone.")
        {
            new ConsoleScriptListCommand(),
            new ConsoleScriptRunCommand(),
        },
        new EventsCommand(),
        new Command("discover", "Nodes that have turned up, and who may join.")
        {
            new DiscoverListCommand(),
            new DiscoverApproveCommand(),
            new DiscoverHoldCommand(),
            new DiscoverReleaseCommand(),
            new DiscoverBmcCommand(),
            new DiscoverBootCommand(),
        },
        new Command("module", "Grid modules: signed packages that the agent installs and removes.")
        {
            new ModuleListCommand(),
            new ModuleBuildCommand(),
            new ModuleShowCommand(),
            new ModuleImportCommand(),
            new ModuleInstallCommand(),
            new ModuleUpgradeCommand(),
            new ModuleRemoveCommand(),
            new ModuleChangesCommand(),
            new ModuleIdleCommand(),
        },
        new Command("agent", "The program on each node that carries out orders.")
        {
            new AgentUpdateCommand(),
        },
        new Command("grid", "Grids: nodes that take requests for work at one place, and pass them to where there is room.")
        {
            new GridCreateCommand(),
            new GridListCommand(),
            new GridShowCommand(),
            new GridMembersCommand("add", "Give idle nodes to a grid as workers."),
            new GridMembersCommand("drain", "No new work for workers; what they do goes on to its end."),
            new GridMembersCommand("resume", "Work again for workers that were drained."),
            new GridMembersCommand("remove", "Take workers out of a grid; they are idle again.", ends: true),
            new GridDeleteCommand(),
            new GridRunCommand(),
            new GridSubmitCommand(),
            new GridPassCommand(),
            new GridOutputCommand(),
        },
        new ResourcesCommand(),
        new ReserveCommand(),
        new AllocateCommand(),
        new FreeCommand(),
        new Command("power", "The machines' power.")
        {
            new PowerStatusCommand(),
            new PowerCommand("on", "on", "switch on", "Switch machines on."),
            new PowerCommand("off", "off", "switch off", "Cut machines' power: their operating systems are not asked."),
            new PowerCommand("soft", "soft", "shut down", "Ask the operating systems to shut down and switch off."),
            new PowerCommand("cycle", "cycle", "power-cycle", "Switch machines off and on again; on, those that are off."),
            new PowerCommand("reset", "reset", "reset", "Reset machines without cutting their power."),
            new PowerCommand("nmi", "interrupt", "interrupt", "Send a diagnostic interrupt (NMI), for a crash dump."),
            new PowerPolicyCommand(),
        },
        new BootCommand(),
        new IdentifyCommand(),
        new SensorsCommand(),
        new SelCommand(),
        new MediaCommand(),
        new BmcCommand(),
        new Command("port", "Privileged ports: what acts on a node without its operating system (BMC, outlet, console).")
        {
            new PortListCommand(),
            new PortSetCommand(),
            new PortImportCommand(),
            new PortRemoveCommand(),
        },
        new Command("switch", "Switches: their ports, and the VLANs of each.")
        {
            new SwitchListCommand(),
            new SwitchShowCommand(),
            new SwitchPortsCommand(),
            new SwitchVlanCommand(),
            new SwitchPortCommand(),
            new SwitchAddCommand(),
            new SwitchAllowCommand(),
            new SwitchProbeCommand(),
            new SwitchTakeCommand(),
            new SwitchRemoveCommand(),
        },
        new Command("fabric", "Where everything is, and whether it is as it should be.")
        {
            new FabricMapCommand(),
            new FabricVerifyCommand(),
            new FabricExpectCommand(),
            new FabricDriftCommand(),
            new FabricGuardCommand(),
        },
        new Command("san", "Storage: who reaches what.")
        {
            new SanListCommand(),
            new SanZonesCommand(),
            new SanConnectCommand(),
            new SanDisconnectCommand(),
            new SanBootCommand(),
            new SanUnbootCommand(),
            new SanAccessCommand(),
            new SanAddCommand(),
            new SanRemoveCommand(),
        },
        new Command("operation", "Durable work on nodes.")
        {
            new OperationListCommand(),
            new OperationShowCommand(),
            new OperationWaitCommand(),
            new OperationCancelCommand(),
        },
        new EstablishCommand(),
        new DoctorCommand(),
    };

    /// <returns>The process's exit status; see <see cref="ExitStatus"/>.</returns>
    public static Task<int> Run(string[] arguments, GridctlTerminal terminal, CancellationToken cancellation = default)
    {
        var root = Root();
        GlobalOptions.AddTo(root);
        return root.Parse(arguments).InvokeAsync(new GridctlInvocation(terminal) { EnableDefaultExceptionHandler = false }, cancellation);
    }
}

/// <summary>Carries the terminal to the commands.</summary>
sealed class GridctlInvocation : InvocationConfiguration
{
    public GridctlInvocation(GridctlTerminal terminal) => (Terminal, Output, Error) = (terminal, terminal.Out, terminal.Error);

    public GridctlTerminal Terminal { get; }
}

enum ExitStatus
{
    /// <summary>Everything that was asked for is done.</summary>
    Done = 0,
    /// <summary>The command line is wrong, or the appliance cannot be asked.</summary>
    Unusable = 1,
    /// <summary>Some nodes, not all.</summary>
    Some = 2,
    /// <summary>None at all.</summary>
    None = 3,
}
