using GridAppliance.Agents;
using GridAppliance.Api;
using GridAppliance.Api.Nodes;
using GridAppliance.Api.Operations;
using GridAppliance.Api.Ports;
using GridAppliance.Disks;
using GridAppliance.Grids;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Power;
using GridAppliance.Power.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Nodes;

public sealed class WhyAnswerTests
{
    static readonly WrittenDisk Written = new() { Id = Guid.Empty, Name = "vda", SizeBytes = 1, Image = "debian", Digest = "", Settings = new() { HostName = "n1" }, Token = "", Since = Now, By = "root" };
    static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>One case for every rule: the rule's name, the facts, and words of the answer.</summary>
    public static TheoryData<string, string, string?> Cases => new()
    {
        { "retired", "is retired", "gridctl node revive n1" },
        { "in recovery", "runs its image for recovery since 60 s", "gridctl console n1" },
        { "recovery asked for", "is for recovery, as root asked 60 s ago", "gridctl recover n1 --cancel" },
        { "disk not wiped", "n1 failed: what was written to its disk vda is not wiped; `gridctl node release n1` does that.", "gridctl node release n1" },
        { "failed", "n1 failed: the disk is dead.", "gridctl node retry n1" },
        { "held by a person", "held by root", "gridctl discover release n1" },
        { "held by policy", "policy asks for a person's approval", "gridctl discover approve n1" },
        { "disk full", "the disk that holds dataDir is full", "Free space" },
        { "switched off", "n1 is off since 60 s, as root asked.", "gridctl power on n1" },
        { "token refused", "was refused: the token was spent", "Restart the machine" },
        { "rival DHCP server", "10.77.0.9 answers too", "Switch it off." },
        { "address in use", "somebody else on the network uses it", "arping" },
        { "range used up", "every address is leased", "Widen dhcp.range" },
        { "transfer broke off", "a transfer broke off (ipxe.efi)", "Check the cable" },
        { "offer never taken", "asked for an address 60 s ago, was offered one, and never took it", "no other DHCP server" },
        { "no boot file fetched", "took the address 10.77.0.51 60 s ago and fetched no boot file", "UDP 69" },
        { "loader but no script", "fetched its boot loader 60 s ago", "Look at its console" },
        { "script but no kernel", "fetched its boot script 60 s ago and no kernel", "make image" },
        { "kernel but no node image", "did not go on to the node image", "512 MiB" },
        { "booted but no call", "its agent has not called", "kernel panic" },
        { "on its way back to its grid", "n1 booted anew and is on its way back into grid hpc, for 20 s: n1 boots the debian image", "gridctl operation show 0d1" },
        { "down in its grid", "has it as down since 60 s: it gets no work there, and what it had goes on elsewhere; its agent was last heard 120 s ago", "gridctl grid remove hpc n1" },
        { "agent silent", "agent was last heard 10 min ago", "Check its power" },
        { "enrolment stuck", "its enrolment has not ended: waits for the BMC", "gridctl operation show 0d1" },
        { "operation waits", "module-install of hello waits: its agent does not answer", "gridctl operation cancel 0d1" },
        { "operation failed", "module-install of hello failed: out of disk", "gridctl operation show 0d1" },
        { "module failed", "its module hello has failed", "gridctl module remove n1 hello" },
        { "has a problem", "n1 is idle: its fan is loud.", "gridctl node timeline n1" },
        { "booting", "n1 is booting: fetching the kernel, 5 s since its last sign", null },
        { "port refuses the account", "cannot be acted on: ipmi://10.0.0.5: the password is wrong", "gridctl port set n1 ipmi://10.0.0.5" },
        { "port is silent", "cannot be acted on: ipmi://10.0.0.5: does not answer", "its cable" },
        { "port has trouble", "all of the BMC's sessions are taken", "gridctl power status n1" },
        { "seen and silent", "is not booting", "network boot" },
        { "enrolling", "is enrolling", null },
        { "under way", "n1 is assigning", null },
        { "well but open", "ipmi://10.0.0.5: cipher suite 0 is accepted", "Switch cipher suite 0 off" },
        { "well", "n1 is idle and well.", null },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stuck_node_gets_a_sentence_and_a_next_step(string rule, string reason, string? nextStep)
    {
        var facts = FactsFor(rule);
        var answer = WhyAnswer.Of(facts);

        Assert.Equal(rule, WhyAnswer.Rules.First(r => r.Applies(facts)).Name);
        Assert.Contains(reason, answer.Reason);
        Assert.EndsWith(".", answer.Reason);
        if (nextStep is null) Assert.Null(answer.NextStep); else Assert.Contains(nextStep, answer.NextStep);
        Assert.Equal(rule is "retired" or "booting" or "enrolling" or "under way" or "well but open" or "well", answer.Ok);
    }

    [Fact]
    public void Every_rule_has_a_case() => Assert.Equal(WhyAnswer.Rules.Select(r => r.Name), Cases.Select(c => (string)c[0]));

    [Fact]
    public void After_a_restart_the_events_say_how_far_the_boot_had_come()
    {
        var facts = Facts(Node(NodeState.Discovered) with { Ip = Ipv4Address.Parse("10.77.0.51") }, Event("dhcp.discover", 90), Event("dhcp.ack", 80));
        Assert.Contains("fetched no boot file", WhyAnswer.Of(facts).Reason);
        Assert.Equal(["dhcp.ack"], WhyAnswer.Of(facts).Evidence.Select(e => e.Kind));
    }

    [Fact]
    public void What_was_wrong_in_an_earlier_boot_is_not_held_against_this_one()
    {
        var facts = Facts(Node(NodeState.Discovered) with { Boot = Boot(BootMilestone.Discover, 2) }, Event("agent.refused", 100), Event("boot.transfer-failed", 90), Event("dhcp.decline", 80), Event("dhcp.ack", 70), Event("dhcp.discover", 2));
        Assert.True(WhyAnswer.Of(facts).Ok);
    }

    [Fact]
    public void A_node_in_use_that_boots_again_is_booting_and_not_silent()
    {
        var node = Node(NodeState.Idle) with { AgentKey = [1], AgentLastSeen = Now.AddMinutes(-3), Boot = Boot(BootMilestone.Kernel, 5) };
        Assert.Equal("n1 is booting: fetching the kernel, 5 s since its last sign.", WhyAnswer.Of(Facts(node)).Reason);
        Assert.Contains("did not go on to the node image", WhyAnswer.Of(Facts(node with { Boot = Boot(BootMilestone.Kernel, 60) })).Reason);
    }

    [Fact]
    public void An_agent_that_is_missed_since_before_our_restart_is_silent_since_then()
    {
        var node = Node(NodeState.Idle) with { AgentKey = [1], Problem = AgentPresence.Silent };
        Assert.Contains("last heard 120 s ago", WhyAnswer.Of(Facts(node, Event("agent.silent", 120))).Reason);
    }

    [Fact]
    public void Evidence_is_the_newest_of_its_kind_and_bounded()
    {
        var facts = Facts(Node(NodeState.Discovered) with { Boot = Boot(BootMilestone.Discover, 60) }, [.. Enumerable.Range(0, 50).Select(i => Event("dhcp.offer", 200 - i))]);
        Assert.Equal(8, WhyAnswer.Of(facts).Evidence.Count);
        Assert.Equal(Now.AddSeconds(-151), WhyAnswer.Of(facts).Evidence[^1].At);
    }

    static WhyFacts FactsFor(string rule) => rule switch
    {
        "retired" => Facts(Node(NodeState.Retired)),
        "in recovery" => Facts(Stuck(BootMilestone.Initramfs), Event("boot.script", 70), Event("recovery.booted", 60)),
        "recovery asked for" => Facts(Node(NodeState.Idle) with { Recovery = new("root", Now.AddSeconds(-60)) }),
        "disk not wiped" => Facts(Node(NodeState.Failed) with { Disk = Written, Problem = InstallDisk.Left(Node(NodeState.Failed), Written, null) }),
        "failed" => Facts(Node(NodeState.Failed) with { Problem = "the disk is dead" }),
        "held by a person" => Facts(Node(NodeState.Held), Event("state.held", 9) with { Actor = "root", Message = "n1 was held by root: being moved" }),
        "held by policy" => Facts(Node(NodeState.Held), Event("state.held", 9) with { Actor = "appliance" }),
        "disk full" => Facts(Node(NodeState.Discovered)) with { Problems = [Problem("store.disk-full", "the disk that holds dataDir is full")] },
        "switched off" => Facts(Node(NodeState.Idle) with
        {
            AgentKey = [1],
            PowerWish = new() { Desired = PowerState.Off, By = "root", At = Now },
            Reach = NodeReach.Nothing with { Power = new(PowerState.Off, PowerState.Off, Now.AddSeconds(-60)) },
        }),
        "token refused" => Facts(Stuck(BootMilestone.Initramfs), Event("agent.refused", 9) with { Message = "the token was spent" }),
        "rival DHCP server" => Facts(Stuck(BootMilestone.Discover)) with { Problems = [Problem("dhcp.rival.provisioning", "10.77.0.9 answers too")] },
        "address in use" => Facts(Stuck(BootMilestone.Discover), Event("dhcp.ack", 20), Event("dhcp.decline", 9)),
        "range used up" => Facts(Stuck(BootMilestone.Discover)) with { Problems = [Problem("dhcp.exhausted", "every address is leased")] },
        "transfer broke off" => Facts(Stuck(BootMilestone.Address), Event("boot.transfer-failed", 60) with { Message = "a transfer broke off (ipxe.efi)" }),
        "offer never taken" => Facts(Stuck(BootMilestone.Discover)),
        "no boot file fetched" => Facts(Stuck(BootMilestone.Address)),
        "loader but no script" => Facts(Stuck(BootMilestone.Loader)),
        "script but no kernel" => Facts(Stuck(BootMilestone.Script)),
        "kernel but no node image" => Facts(Stuck(BootMilestone.Kernel)),
        "booted but no call" => Facts(Stuck(BootMilestone.Initramfs)),
        "on its way back to its grid" => InGrid(Node(NodeState.Active) with { AgentKey = [1], AgentLastSeen = Now }) with { Operations = [Operation("running", "grid-join", "hpc", "n1 boots the debian image", 20)] },
        "down in its grid" => InGrid(Node(NodeState.Active) with { AgentKey = [1], AgentLastSeen = Now.AddMinutes(-2) }),
        "agent silent" => Facts(Node(NodeState.Idle) with { AgentKey = [1], AgentLastSeen = Now.AddMinutes(-10) }),
        "enrolment stuck" => Facts(Enrolling(90)) with { Operations = [Operation("running", "enroll", null, "waits for the BMC", 90)] },
        "operation waits" => Facts(Node(NodeState.Idle)) with { Operations = [Operation("running", "module-install", "hello", "its agent does not answer", 60)] },
        "operation failed" => Facts(Node(NodeState.Idle)) with { Operations = [Operation("failed", "module-install", "hello", "out of disk", 60)] },
        "module failed" => Facts(Node(NodeState.Idle) with { Modules = [new() { Name = "hello", Version = "1", State = "failed" }] }),
        "has a problem" => Facts(Node(NodeState.Idle) with { Problem = "its fan is loud" }),
        "booting" => Facts(Node(NodeState.Discovered) with { Boot = Boot(BootMilestone.Kernel, 5) }),
        "port refuses the account" => Facts(Node(NodeState.Idle)) with { Ports = [Port("refused", "ipmi://10.0.0.5: the password is wrong")] },
        "port is silent" => Facts(Node(NodeState.Idle)) with { Ports = [Port("silent", "ipmi://10.0.0.5: does not answer")] },
        "port has trouble" => Facts(Node(NodeState.Idle)) with { Ports = [Port("troubled", "ipmi://10.0.0.5: all of the BMC's sessions are taken")] },
        "seen and silent" => Facts(Node(NodeState.Discovered)),
        "enrolling" => Facts(Enrolling(5)),
        "under way" => Facts(Node(NodeState.Assigning)),
        "well but open" => Facts(Node(NodeState.Idle) with { Reach = NodeReach.Nothing with { Weaknesses = ["ipmi://10.0.0.5: cipher suite 0 is accepted: a session opens without the password"] } }),
        "well" => Facts(Node(NodeState.Idle)),
        _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "a rule without a case"),
    };

    static WhyFacts InGrid(Node node) => Facts(node) with
    {
        Grid = new() { Id = Guid.NewGuid(), Name = "hpc", Engine = "slurm", Created = Now.AddDays(-1), Members = [new(node.Id, node.Name, GridRole.Worker, GridStanding.Member) { DownSince = Now.AddMinutes(-1) }] },
    };

    static WhyFacts Facts(Node node, params EventDocument[] events) => new() { Node = node, Events = [.. events.Select((e, i) => e with { Sequence = i + 1 })], Problems = [], Now = Now };

    static Node Node(NodeState state) => new()
    {
        Id = Guid.NewGuid(), Name = "n1", State = state, StateSince = Now.AddMinutes(-5), FirstSeen = Now.AddDays(-1), BootMac = TestStore.Mac(1), Macs = [TestStore.Mac(1)], Network = "provisioning",
    };

    static Node Stuck(BootMilestone at) => Node(NodeState.Discovered) with { Boot = Boot(at, 60), Ip = Ipv4Address.Parse("10.77.0.51") };

    static Node Enrolling(int seconds) => Node(NodeState.Enrolling) with { AgentKey = [1], AgentLastSeen = Now, StateSince = Now.AddSeconds(-seconds) };

    static BootProgress Boot(BootMilestone milestone, int silence) => new() { Started = Now.AddSeconds(-silence - 5), LastActivity = Now.AddSeconds(-silence), Milestone = milestone };

    static EventDocument Event(string kind, int ago) => new() { Sequence = 0, At = Now.AddSeconds(-ago), Kind = kind, Node = "n1", Message = kind };

    static ApplianceProblemDocument Problem(string code, string message) => new() { Code = code, Message = message, NextStep = "Switch it off.", Since = Now };

    static PortDocument Port(string state, string problem) => new() { Address = "ipmi://10.0.0.5", Kind = "bmc", State = state, Problem = problem };

    static OperationDocument Operation(string state, string kind, string? subject, string reason, int ago) =>
        new() { Id = "0d1", Kind = kind, Subject = subject, Node = "n1", State = state, Started = Now.AddSeconds(-ago), Reason = reason, Steps = [] };
}
