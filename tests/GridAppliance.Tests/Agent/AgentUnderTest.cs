using System.Globalization;
using System.Text;
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

namespace GridAppliance.Tests.Agent;

/// <summary>A whole agent below a folder of its own; everything real but the machine.</summary>
sealed class AgentUnderTest : IAsyncDisposable
{
    readonly CancellationTokenSource life = new();
    readonly ApplianceCalls calls;
    readonly AgentKey key;
    readonly AgentLoop loop;
    readonly StringWriter console = new();
    bool ended;

    public AgentUnderTest(ScriptedAppliance appliance, string root, string token = "token-1", bool rebootWhenUnknown = false, TimeProvider? clock = null, INodeKernel? kernel = null, Action<string>? reached = null, IControlGroups? groups = null,
        Func<string, string, string, string?>? load = null, Func<DiskOrder, CancellationToken, Task<DiskDevice?>>? disk = null)
        : this(new() { Appliance = appliance.EndPoint, ApplianceFingerprint = appliance.Fingerprint, Token = token, RebootWhenUnknown = rebootWhenUnknown }, root, clock, kernel, reached, groups, load, disk) { }

    public AgentUnderTest(BootParameters boot, string root, TimeProvider? clock = null, INodeKernel? kernel = null, Action<string>? reached = null, IControlGroups? groups = null,
        Func<string, string, string, string?>? load = null, Func<DiskOrder, CancellationToken, Task<DiskDevice?>>? disk = null)
    {
        clock ??= TimeProvider.System;
        disk ??= static (_, _) => Task.FromResult<DiskDevice?>(null);
        Paths = new AgentPaths(root);
        var say = new AgentConsole(TextWriter.Synchronized(console));
        var trigger = new HeartbeatTrigger();
        calls = new ApplianceCalls(boot.Appliance);
        var store = new ModuleStore(Paths);
        var machine = new MachineResources([0, 1, 2, 3], 4096, 100_000, ["0000:3b:00.0"]);
        Resources = new ResourceHost(new ResourceBook(Paths, machine, "boot-1"), groups ?? new ScriptedGroups(), trigger, say, clock, store.IsNeededOutside);
        key = AgentKey.LoadOrCreate(Paths.Key);
        var packages = new ModulePackages(Paths, calls, boot.ApplianceFingerprint, clock);
        var images = new RootImages(Paths, calls);
        var views = new ModuleView(Paths, images, Resources.SpaceFor);
        var changes = new NodeChanges(Paths, kernel ?? new LinuxKernel(), reached);
        var launcher = new ModuleLauncher(Launcher, Paths, views, boot.Appliance.ToString(), Resources.GroupFor);
        var stage = new ModuleStage(Paths, store, launcher, views, changes, trigger, say, clock, reached);
        Modules = new ModuleHost(Paths, store, packages, stage, views, images, changes, say, reached);
        var relation = new ManagerRelation(Paths);
        var enroller = new Enroller(boot, Paths, key, calls, say, new Random(1), clock);
        var neighbours = new NeighbourTable(clock);
        var inventory = new InventoryReader(Paths, neighbours, new IpmiDevice(Path.Combine(root, "no-ipmi")), machine);
        loop = new AgentLoop(enroller, key, KeptBoots.Count(Paths), calls, inventory, new NeighbourListener(neighbours, trigger, say), Modules, Resources, relation, new OrderExecutor(Modules, Resources, relation, new AgentUpdate(Paths, Path.Combine(root, "bin/grid-agent"), packages, "boot-1", AgentUpdate.Patience, say, clock), new BmcAdoption(new IpmiDevice(Path.Combine(root, "no-ipmi"))),
            new ImageBoot(boot, Paths, calls, load ?? ((_, _, _) => "a test's machine is not started anew")), new DiskInstall(boot, Paths, calls, disk, trigger.Say, clock), new DiskWipe(disk, trigger.Say), new ModuleRuns(store, launcher, views, calls, clock), new OrderLedger(Paths.Orders), trigger), trigger, say, new Random(1), clock);
        Running = loop.RunAsync(life.Token);
    }

    public static string Launcher => Path.Combine(AppContext.BaseDirectory, "fixtures", "agent", "grid-run");

    /// <summary>Views without an appliance that could give them images.</summary>
    public static ModuleView ViewsOf(AgentPaths paths) => new(paths, new RootImages(paths, new ApplianceCalls(new(System.Net.IPAddress.Loopback, 9))));

    public AgentPaths Paths { get; }
    public ModuleHost Modules { get; }
    public ResourceHost Resources { get; }
    public Task<AgentEnd> Running { get; }
    public string Said => console.ToString();

    /// <summary>The process of a module's program; 0 while none is noted, since a program that is started again has none for a moment.</summary>
    public int ProcessOf(string module) => DurableFile.Read(Path.Combine(Paths.Processes, module)) is { } note ? int.Parse(Encoding.ASCII.GetString(note).Split(' ')[0], CultureInfo.InvariantCulture) : 0;

    /// <summary>Waits for the end of an agent that fell over something that it did not expect, as a kill would have it.</summary>
    public async Task EndAsync()
    {
        ended = true;
        await life.CancelAsync();
        try { await Running; }
        catch (Exception e) when (e is not OperationCanceledException) { /* that is the end that the test made */ }
    }

    /// <summary>Ends the agent as a kill would: what it started goes on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!ended)
        {
            await life.CancelAsync();
            await Running;
        }
        await Modules.DisposeAsync();
        key.Dispose();
        life.Dispose();
    }
}

/// <summary>A folder that is gone after the test.</summary>
sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("grid-agent-test-").FullName;

    /// <summary>Every file and folder below, for telling whether a trace was left.</summary>
    public string Listing(string below)
    {
        var from = System.IO.Path.Combine(Path, below);
        if (!Directory.Exists(from)) return "";
        var text = new StringBuilder();
        foreach (var entry in Directory.GetFileSystemEntries(from, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)) text.Append(entry[from.Length..]).Append('\n');
        return text.ToString();
    }

    public void Dispose()
    {
        foreach (var place in MountTable.Below(Path)) MountTable.Unmount(place);
        NodeRoot.Forget(Path);
        Directory.Delete(Path, recursive: true);
    }
}
