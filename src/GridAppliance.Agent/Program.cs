using System.Runtime.InteropServices;
using GridAppliance.Agent;
using GridAppliance.Agent.Bmc;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;
using GridAppliance.Agent.Orders;

var paths = new AgentPaths("/");
var console = new AgentConsole(Console.Out);
if (!BootParameters.TryParse(File.ReadAllText(paths.CommandLine), out var boot, out var problem))
{
    console.Say(problem);
    // The init that started us would start us again at once: nothing can change before the next boot.
    await Task.Delay(Timeout.InfiniteTimeSpan);
    return 2;
}

using var life = new CancellationTokenSource();
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => { signal.Cancel = true; life.Cancel(); });

var clock = TimeProvider.System;
var trigger = new HeartbeatTrigger();
// From grid-hardware, once all drivers are in: look at the machine again, now.
using var looked = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => { signal.Cancel = true; trigger.Pull(); });
using var key = AgentKey.LoadOrCreate(paths.Key);
var calls = new ApplianceCalls(boot.Appliance);
var neighbours = new NeighbourTable(clock);
var ipmi = new IpmiDevice();
var inventory = new InventoryReader(paths, neighbours, ipmi);
var views = new ModuleView(paths);
var changes = new NodeChanges(paths, new LinuxKernel());
var store = new ModuleStore(paths);
var stage = new ModuleStage(paths, store, new ModuleLauncher("/bin/grid-run", paths, views), views, changes, trigger, console, clock, null);
var modules = new ModuleHost(paths, store, new ModulePackages(paths, calls, boot.ApplianceFingerprint, clock), stage, views, changes, console);
var executor = new OrderExecutor(modules, new BmcAdoption(ipmi), new OrderLedger(paths.Orders), trigger);
var enroller = new Enroller(boot, paths, key, calls, console, Random.Shared, clock);
var listener = new NeighbourListener(neighbours, trigger, console);
var loop = new AgentLoop(enroller, key, calls, inventory, listener, modules, executor, trigger, console, Random.Shared, clock);

var end = await loop.RunAsync(life.Token);
await life.CancelAsync();

switch (end)
{
    case AgentEnd.Stopped:
        return 0;
    case AgentEnd.Reboot:
        console.Say("restarting this machine");
        await modules.StopAllAsync(CancellationToken.None);
        Machine.Reboot();
        return 0;
    default:
        throw new InvalidOperationException($"no such end: {end}");
}
