using GridAppliance.Lab.Appliance;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab;

/// <summary>A lab that can be touched: builds what the plan says, and takes it away again.</summary>
sealed class LabRig : IDisposable
{
    readonly TimeProvider clock;

    public LabRig(LabPlan plan, LabPrograms programs, TimeProvider clock)
    {
        this.clock = clock;
        Plan = plan;
        Processes = new LabProcesses(plan.Paths, clock);
        Switch = new SwitchRig(plan, programs, Processes, clock);
        Appliance = new ApplianceRig(plan, programs, Processes, clock);
        Servers = new ServerRig(plan, Processes);
        Bmcs = new BmcRig(plan, programs, Processes);
    }

    public LabPlan Plan { get; }
    public LabProcesses Processes { get; }
    public SwitchRig Switch { get; }
    public ApplianceRig Appliance { get; }
    public ServerRig Servers { get; }
    public BmcRig Bmcs { get; }

    /// <summary>Namespaces, cables and the switch: everything that has to be there before the first power button is pressed.</summary>
    public async Task BuildAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Plan.Paths.Logs);
        Directory.CreateDirectory(Plan.Paths.Pids);
        LabState.Of(Plan, clock.GetUtcNow()).Write(Plan.Paths.State);
        foreach (var space in Plan.Namespaces) await Namespaces.CreateAsync(space, cancellation);
        await Namespaces.CableAsync(Plan.Switch.Namespace, Plan.Switch.Uplink, Plan.Appliance.Namespace, Plan.Appliance.Interface, cancellation);
        await Namespaces.AddAddressAsync(Plan.Appliance.Namespace, Plan.Appliance.Interface, Plan.Appliance.Address.ToString(), cancellation);
        await Namespaces.CableAsync(Plan.Switch.Namespace, Plan.Switch.Management, Plan.Appliance.Namespace, Plan.Switch.ManagementOfAppliance, cancellation);
        await Namespaces.AddAddressAsync(Plan.Switch.Namespace, Plan.Switch.Management, $"{LabSwitch.ManagementAddress}/24", cancellation);
        await Namespaces.AddAddressAsync(Plan.Appliance.Namespace, Plan.Switch.ManagementOfAppliance, $"{LabSwitch.ManagementOfApplianceAddress}/24", cancellation);
        await Switch.StartAsync(cancellation);
        await Bmcs.StartAsync(cancellation);
        await Appliance.PrepareAsync(cancellation);
    }

    /// <summary>
    /// Removes every process, namespace, interface, mount and file of the lab, whether it was built whole, in part or not at all, by us or by a gridlab that was killed.
    /// </summary>
    public async Task TearDownAsync(CancellationToken cancellation)
    {
        await Processes.EndAllAsync(cancellation);
        foreach (var space in NamespacesOnThisMachine()) await Namespaces.DeleteAsync(space, cancellation);
        await Mounts.UnmountAsync(Plan.Paths.Data, cancellation);
        if (Directory.Exists(Plan.Paths.Root)) Directory.Delete(Plan.Paths.Root, recursive: true);
        if (Directory.Exists(LabPaths.Everything) && !Directory.EnumerateFileSystemEntries(LabPaths.Everything).Any()) Directory.Delete(LabPaths.Everything);
    }

    /// <summary>By prefix, since a trouble may have added some.</summary>
    IEnumerable<string> NamespacesOnThisMachine() => Directory.Exists("/run/netns")
        ? Directory.EnumerateFiles("/run/netns", $"{Plan.Name}-*").Select(path => Path.GetFileName(path))
        : [];

    public void Dispose() => Appliance.Dispose();
}
