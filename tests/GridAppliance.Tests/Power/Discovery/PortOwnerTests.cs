using GridAppliance.Nodes;
using GridAppliance.Power.Ports;

namespace GridAppliance.Tests.Power.Discovery;

public sealed class PortOwnerTests
{
    static readonly Guid Uuid = Guid.Parse("4c4c4544-0057-4610-8038-b2c04f385032");

    static Node Node(int number, Guid? uuid = null, string? bmc = null, NodeState state = NodeState.Idle) => new()
    {
        Id = Guid.NewGuid(), Name = $"n{number}", State = state, StateSince = default, FirstSeen = default, BootMac = TestStore.Mac(number), Macs = [TestStore.Mac(number)], Network = "provisioning",
        Uuid = uuid, Inventory = bmc is null ? null : new() { Bmc = new() { Kind = "ipmi", Address = bmc } },
    };

    static NodePort Port(PortIdentity? identity) => new() { Id = Guid.NewGuid(), Address = new("ipmi://10.0.0.5"), SetBy = "root", SetAt = default, Identity = identity };

    [Fact]
    public void The_machines_uuid_tells_in_whatever_order_the_bmc_gives_its_octets()
    {
        var port = Port(new() { Uuids = [Guid.NewGuid(), Uuid, Guid.NewGuid()] });
        var owner = PortOwner.Of(port, [Node(1, Guid.NewGuid()), Node(2, Uuid), Node(3)]);
        Assert.Equal("n2", owner!.Value.Node.Name);
        Assert.Contains(Uuid.ToString(), owner.Value.Evidence);
    }

    [Fact]
    public void Boards_that_share_a_uuid_are_told_apart_by_nothing() => Assert.Null(PortOwner.Of(Port(new() { Uuids = [Uuid] }), [Node(1, Uuid), Node(2, Uuid)]));

    [Fact]
    public void The_nodes_own_word_for_its_bmc_tells_where_nothing_contradicts_it()
    {
        Assert.Null(PortOwner.Of(Port(new() { Uuids = [Uuid] }), [Node(1, bmc: "10.0.0.5"), Node(2, Uuid)]));
        Assert.Equal("n1", PortOwner.Of(Port(new() { Uuids = [Uuid] }), [Node(1, bmc: "10.0.0.5"), Node(2, Guid.NewGuid())])!.Value.Node.Name);
        Assert.Equal("n1", PortOwner.Of(Port(null), [Node(1, bmc: "10.0.0.5"), Node(2, bmc: "10.0.0.6")])!.Value.Node.Name);
        // Two machines behind one address cannot both be right.
        Assert.Null(PortOwner.Of(Port(new() { Uuids = [Uuid] }), [Node(1, bmc: "10.0.0.5"), Node(2, Uuid, bmc: "10.0.0.5")]));
    }

    [Fact]
    public void A_nic_that_machine_and_bmc_share_tells_too() => Assert.Equal("n2", PortOwner.Of(Port(new() { Mac = TestStore.Mac(2) }), [Node(1), Node(2)])!.Value.Node.Name);

    [Fact]
    public void Nobody_is_nobody_and_the_retired_have_nothing()
    {
        Assert.Null(PortOwner.Of(Port(null), [Node(1, Uuid)]));
        Assert.Null(PortOwner.Of(Port(new()), [Node(1)]));
        Assert.Null(PortOwner.Of(Port(new() { Uuids = [Uuid] }), [Node(1, Uuid, state: NodeState.Retired)]));
    }
}
