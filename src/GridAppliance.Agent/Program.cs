using System.Runtime.InteropServices;
using GridAppliance.Agent;
using GridAppliance.Agent.Bmc;
using GridAppliance.Agent.Calls;
using GridAppliance.Agent.Disks;
using GridAppliance.Agent.Identity;
using GridAppliance.Agent.Images;
using GridAppliance.Agent.Inventory;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Native;
using GridAppliance.Agent.Orders;
using GridAppliance.Agent.Resources;
using GridAppliance.Agent.Updates;
using GridAppliance.Api.Agents;

// What modules have is for their programs, root's and others'. What is the agent's own has its modes said where it is made.
const uint readableByAll = 0x12;   // octal 022
_ = Libc.SetFileMask(readableByAll);

// "--root FOLDER [--patience SECONDS]" is for machines that are no nodes: everything below a folder, no restart of the machine, and less time for another version to report.
var root = args is ["--root", var folder, ..] ? folder : "/";
var patience = args is [_, _, "--patience", var seconds] && int.TryParse(seconds, out var number) ? TimeSpan.FromSeconds(number) : AgentUpdate.Patience;
var isInstalled = File.Exists(new AgentPaths(root).Configuration);
var paths = new AgentPaths(root, isInstalled);
var console = new AgentConsole(Console.Out);
if (!BootParameters.TryParse(File.ReadAllText(isInstalled ? paths.Configuration : paths.CommandLine), out var boot, out var problem))
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
var calls = new ApplianceCalls(boot.Appliance);
var bootId = ManagerRelation.BootId(paths);
var packages = new ModulePackages(paths, calls, boot.ApplianceFingerprint, clock);
var update = new AgentUpdate(paths, root == "/" ? Environment.ProcessPath! : Path.Combine(root, "bin/grid-agent"), packages, bootId, patience, console, clock);
if (update.IsTrial) update.BeginTrial();
// Init starts us again from the file that is in place then.
else if (update.IsUnfinished && await update.TryAsync(life.Token) == TrialEnd.Accepted) return 0;

using var key = AgentKey.LoadOrCreate(paths.Key);
var neighbours = new NeighbourTable(clock);
var ipmi = new IpmiDevice();
var machine = MachineResourcesReader.Read(paths);
var inventory = new InventoryReader(paths, neighbours, ipmi, machine);
var groups = new ControlGroups(paths, machine.Accelerators);
var store = new ModuleStore(paths);
var resources = new ResourceHost(new ResourceBook(paths, machine, bootId), groups, trigger, console, clock, store.IsNeededOutside);
var images = new RootImages(paths, calls);
var views = new ModuleView(paths, images, resources.SpaceFor);
var changes = new NodeChanges(paths, new LinuxKernel());
var launcher = new ModuleLauncher(paths.Launcher, paths, views, boot.Appliance.ToString(), resources.GroupFor, group => groups.Fence(group, []));
var stage = new ModuleStage(paths, store, launcher, views, changes, trigger, console, clock, null);
var modules = new ModuleHost(paths, store, packages, stage, views, images, changes, console);
var relation = new ManagerRelation(paths);
Task<DiskDevice?> Disk(DiskOrder order, CancellationToken token) => DiskDevice.FindAsync(paths, order, clock, token);
var executor = new OrderExecutor(modules, resources, relation, update, new BmcAdoption(ipmi), new ImageBoot(boot, paths, calls, ImageBoot.LoadIntoKernel), new DiskInstall(boot, paths, calls, Disk, trigger.Say, clock), new DiskWipe(Disk, trigger.Say), new ModuleRuns(store, launcher, views, calls, clock), new OrderLedger(paths.Orders), trigger);
var enroller = new Enroller(boot, paths, key, calls, console, Random.Shared, clock);
var listener = new NeighbourListener(neighbours, trigger, console);
var loop = new AgentLoop(enroller, key, KeptBoots.Count(paths), calls, inventory, listener, modules, resources, relation, executor, trigger, console, Random.Shared, clock);

while (true)
{
    switch (await loop.RunAsync(life.Token))
    {
        case AgentEnd.Stopped:
            await life.CancelAsync();
            return 0;
        case AgentEnd.Reboot:
            console.Say("restarting this machine");
            await life.CancelAsync();
            await modules.StopAllAsync(CancellationToken.None);
            if (isInstalled) await Machine.RestartByItsSystemAsync();
            else if (root == "/") Machine.Reboot();
            return 0;
        case AgentEnd.LoadedKernel:
            console.Say("booting another image");
            await life.CancelAsync();
            await modules.StopAllAsync(CancellationToken.None);
            if (root == "/") Machine.BootLoadedKernel();
            return 0;
        case AgentEnd.Update:
            // Their programs go on; the new agent looks after them meanwhile.
            await modules.DisposeAsync();
            if (await update.TryAsync(life.Token) == TrialEnd.Accepted) return 0;
            break;
        case AgentEnd.Accepted:
            update.Accept();
            return 0;
        default:
            throw new InvalidOperationException("the loop ended in no known way");
    }
}
