using GridAppliance.Nodes;
using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

/// <summary>Every kind of operation goes through the crash harness: a new one without a world here, wherever it is registered, fails the first test.</summary>
public sealed class EveryOperationTests
{
    static readonly Dictionary<string, (string Kind, Func<OperationWorld> New)> Worlds = new()
    {
        ["enrol a node"] = (EnrollNode.KindName, static () => new EnrollNodeWorld()),
        ["enrol a node that tries a module"] = (EnrollNode.KindName, static () => new TrialWorld(true)),
        ["enrol a node on which modules do not work"] = (EnrollNode.KindName, static () => new TrialWorld(false)),
        ["install a module"] = (InstallModule.KindName, static () => new InstallModuleWorld()),
        ["upgrade a module"] = (InstallModule.KindName, static () => new UpgradeModuleWorld()),
        ["reserve resources"] = (HoldResources.KindName, static () => new ReserveWorld()),
        ["allocate resources"] = (HoldResources.KindName, static () => new AllocateWorld()),
        ["allocate what is reserved"] = (HoldResources.KindName, static () => new AllocateReservationWorld()),
        ["free resources"] = (FreeResources.KindName, static () => new FreeWorld()),
        ["change a node's master"] = (SetMaster.KindName, static () => new SetMasterWorld()),
        ["update an agent"] = (UpdateAgent.KindName, static () => new UpdateAgentWorld()),
        ["boot another image"] = (BootImage.KindName, static () => new BootImageWorld()),
        ["boot another image through the firmware"] = (BootImage.KindName, static () => new BootImageByFirmwareWorld()),
        ["install a system on a disk"] = (InstallDisk.KindName, static () => new InstallDiskWorld()),
        ["release a node with a system on its disk"] = (ReleaseNode.KindName, static () => new ReleaseNodeWorld()),
        ["become a grid's master"] = (JoinGrid.KindName, static () => new JoinAsMasterWorld()),
        ["become a grid's worker"] = (JoinGrid.KindName, static () => new JoinAsWorkerWorld()),
        ["become a grid's worker in a system of its own"] = (JoinGrid.KindName, static () => new JoinAsWorkerWorld(staysInItsSystem: true)),
        ["become a grid's backup master"] = (JoinGrid.KindName, static () => new JoinAsBackupWorld()),
        ["come back to a grid after a boot"] = (JoinGrid.KindName, static () => new ReturnWorld()),
        ["leave as a grid's backup master"] = (LeaveGrid.KindName, static () => new LeaveAsBackupWorld()),
        ["leave a grid that works"] = (LeaveGrid.KindName, static () => new LeaveWorld()),
        ["leave a grid in a system of its own"] = (LeaveGrid.KindName, static () => new LeaveWorld(staysInItsSystem: true)),
        ["leave as the last of a grid"] = (LeaveGrid.KindName, static () => new DissolveWorld()),
        ["remove a module"] = (RemoveModule.KindName, static () => new RemoveModuleWorld()),
    };

    public static TheoryData<string> Names => [.. Worlds.Keys];

    /// <summary>Its world is a machine with sshd, which is too slow to be started for each moment: EstablishTests restarts the appliance under it.</summary>
    static readonly string[] Elsewhere = [EstablishMachine.KindName];

    [Fact]
    public void Every_kind_that_there_is_has_a_world_here()
    {
        var kinds = typeof(IOperationKind).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IOperationKind)))
            .Select(type => type.GetField("KindName")!.GetValue(null) as string);
        Assert.Equal(kinds.Except(Elsewhere).Order(), Worlds.Values.Select(world => world.Kind).Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public Task Survives_everything(string name) => new CrashHarness(Worlds[name].New).RunEverythingAsync();
}

/// <summary>A node whose agent has just enrolled.</summary>
sealed class EnrollNodeWorld : OperationWorld
{
    static readonly byte[] Key = [1, 2, 3];

    Guid node;

    public override IOperationKind Kind => new EnrollNode(Store.Nodes, new(new(Store.Database, Store.Nodes, new(), Store.Clock), Store.Clock), Store.Clock);

    public override async Task<NewOperation> PrepareAsync()
    {
        node = (await Store.DiscoverAsync(1)).Id;
        var enrolling = await Store.Nodes.ApplyAsync(node, NodeEvent.AgentEnrolled, "enrolling", "node", latest => latest with
        {
            AgentKey = [.. Key],
            Inventory = new() { Cpus = 1, Nics = [new() { Name = "eth0", Mac = TestStore.Mac(1).ToString(), Neighbours = [new() { ChassisId = "02:00:00:00:00:01", PortId = "7" }] }] },
        }, CancellationToken.None);
        return EnrollNode.For(enrolling!, null);
    }

    public override string Fingerprint()
    {
        var now = Store.Nodes.Current.Find(node)!;
        return $"{now.State} at {now.Switch}/{now.SwitchPort}, told of {Store.Timeline.ReadNode(node, 500).Count(e => e.Kind == "state.idle")} times";
    }

    // A place that was found is no harm; the node goes where its life says.
    public override string? ExpectedAfter(OperationEnd end, string before) => null;
}
