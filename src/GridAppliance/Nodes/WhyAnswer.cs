using GridAppliance.Api.Nodes;
using GridAppliance.Api.Operations;
using GridAppliance.Grids;
using GridAppliance.Power;

namespace GridAppliance.Nodes;

/// <summary>One thing that can be wrong with a node, how it shows, and what to do about it.</summary>
/// <param name="Name">For tests and for people who add the next one.</param>
/// <param name="Applies">Whether this is it.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="NextStep">One sentence that starts with a verb; null when there is nothing to do.</param>
/// <param name="Evidence">Kinds of events that speak for it; an entry that ends in a dot stands for all that begin so.</param>
sealed record WhyRule(string Name, Func<WhyFacts, bool> Applies, Func<WhyFacts, string> Reason, Func<WhyFacts, string?> NextStep, params string[] Evidence)
{
    /// <summary>The rule says that nothing is wrong.</summary>
    public bool Ok { get; init; }
}

/// <summary>Why a node is not ready: the first rule that applies answers. Pure; the table is the whole knowledge.</summary>
static class WhyAnswer
{
    const int MostEvidence = 8;

    public static IReadOnlyList<WhyRule> Rules { get; } =
    [
        new("retired", f => f.State == NodeState.Retired,
            f => $"{f.Name} is retired: it gets an address and nothing to boot.",
            f => $"Take it back with `gridctl node revive {f.Name}`.", "state.retired") { Ok = true },

        new("in recovery", f => f.LastUnless("recovery.booted", "boot.script", "boot.loader", "agent.enrolled") is not null,
            f => $"{f.Name} runs its image for recovery since {Ago(f.Now - f.Last("recovery.booted")!.At)}: somebody at its console mends it, and its agent does not run.",
            f => $"Go on with `gridctl console {f.Name}`, and restart it when it is mended.", "recovery."),

        new("recovery asked for", f => f.Node.Recovery is not null,
            f => $"{f.Name}'s next boot over the network is for recovery, as {f.Node.Recovery!.By} asked {Ago(f.Now - f.Node.Recovery.At)} ago.",
            f => $"Restart it over the network and go on at its console, or take it back with `gridctl recover {f.Name} --cancel`.", "recovery."),

        new("disk not wiped", f => f.State == NodeState.Failed && f.Node.Disk is not null,
            f => $"{f.Name} failed: {f.Node.Problem ?? "no reason was kept"}.",
            f => $"Have it in the tiny image (restart it over the network if its agent is silent), then run `gridctl node release {f.Name}`.", "state.failed", "operation.", "disk."),

        new("failed", f => f.State == NodeState.Failed,
            f => $"{f.Name} failed: {f.Node.Problem ?? "no reason was kept"}.",
            f => $"Mend that, then run `gridctl node retry {f.Name}` and restart the machine.", "state.failed", "operation.", "boot.transfer-failed"),

        new("held by a person", f => f.State == NodeState.Held && f.Last("state.held") is { Actor: not null and not "appliance" },
            f => $"{f.Name} is held back: {f.Last("state.held")!.Message}.",
            f => $"Let it go on with `gridctl discover release {f.Name}`.", "state.held"),

        new("held by policy", f => f.State == NodeState.Held,
            f => $"{f.Name} is held back because policy asks for a person's approval before a node may join.",
            f => $"Look at it with `gridctl node show {f.Name}`, then let it join with `gridctl discover approve {f.Name}`.", "state.held", "state.discovered"),

        new("disk full", f => f.State is NodeState.Discovered or NodeState.Enrolling && f.Problem("store.disk-full") is not null,
            f => $"{f.Name} cannot join: {f.Problem("store.disk-full")!.Message}.",
            _ => "Free space on the file system of dataDir; the node goes on by itself.", "state."),

        new("switched off", f => f.IsOff && f.State is not (NodeState.Retired or NodeState.Held or NodeState.Failed),
            f => $"{f.Name} is off since {Ago(f.Now - f.Node.Reach.Power!.Value.Since)}{(f.Node.PowerWish is { Desired: PowerState.Off } wish ? $", as {wish.By} asked" : "")}.",
            f => f.State == NodeState.Discovered || f.Node.AgentKey.IsEmpty ? $"Boot it with `gridctl boot {f.Name} --once net --power`." : $"Switch it on with `gridctl power on {f.Name}`.", "power.", "port."),

        new("token refused", f => f.AwaitsAgent && f.LastUnless("agent.refused", "agent.enrolled", "state.enrolling", "dhcp.discover") is not null,
            f => $"{f.Name}'s agent called and was refused: {f.LastUnless("agent.refused", "agent.enrolled")!.Message}.",
            _ => "Restart the machine over the network: each boot brings a fresh token, and an old one is worth nothing.", "agent.refused", "boot.script"),

        new("rival DHCP server", f => f.AwaitsAgent && f.Reached is null or BootMilestone.Discover && f.Problem("dhcp.rival") is not null,
            f => $"{f.Name} may have listened to another DHCP server: {f.Problem("dhcp.rival")!.Message}.",
            f => f.Problem("dhcp.rival")!.NextStep ?? "Switch the other server off on this network, or set dhcp.mode: proxy.", "dhcp."),

        new("address in use", f => f.AwaitsAgent && f.LastUnless("dhcp.decline", "dhcp.ack") is not null,
            f => $"{f.Name} declined its address because somebody else on the network uses it: {f.Last("dhcp.decline")!.Message}.",
            _ => "Find the other device (`arping` from the appliance names its MAC) or take the address out of dhcp.range.", "dhcp."),

        new("range used up", f => f.AwaitsAgent && f.Reached is null or BootMilestone.Discover && f.Problem("dhcp.exhausted") is not null,
            f => $"{f.Name} gets no address: {f.Problem("dhcp.exhausted")!.Message}.",
            _ => "Widen dhcp.range of its network, or shorten leaseTime.", "dhcp."),

        new("transfer broke off", f => f.AwaitsAgent && f.Silence > TimeSpan.FromSeconds(15) && f.LastUnless("boot.transfer-failed", "boot.loader", "boot.script", "boot.kernel-fetched", "boot.initramfs-fetched", "dhcp.discover") is not null,
            f => $"{f.Name} began to fetch a boot file and gave up: {f.Last("boot.transfer-failed")!.Message}.",
            _ => "Check the cable and the switch port for errors, and that its firmware has room for the file (a PXE-E05 or PXE-E32 on its console says which).", "boot."),

        new("offer never taken", f => f.IsStuckAt(BootMilestone.Discover),
            f => $"{f.Name} asked for an address {Ago(f.Silence)} ago, was offered one, and never took it.",
            _ => "Check that no other DHCP server answers on this network and that the switch lets broadcasts back to its port (spanning tree: portfast).", "dhcp."),

        new("no boot file fetched", f => f.IsStuckAt(BootMilestone.Address),
            f => $"{f.Name} took the address {f.Node.Ip?.ToString() ?? "it was offered"} {Ago(f.Silence)} ago and fetched no boot file.",
            f => $"Check that nothing between it and the appliance blocks UDP 69 (TFTP) and TCP 8067 (HTTP boot), and that its {(f.Node.Firmware == "uefi" ? "UEFI boots by PXE or HTTP over IPv4 before its disks" : "BIOS boots from the network before its disks")}.", "dhcp.ack", "boot."),

        new("loader but no script", f => f.IsStuckAt(BootMilestone.Loader),
            f => $"{f.Name} fetched its boot loader {Ago(f.Silence)} ago, and the loader did not ask for its script.",
            f => f.Node.Firmware == "uefi"
                ? "Look at its console: Secure Boot may have refused the loader, or the loader has no driver for the NIC."
                : "Look at its console: the loader may have no driver for the NIC, or waits for an address of its own.", "boot.loader", "dhcp."),

        new("script but no kernel", f => f.IsStuckAt(BootMilestone.Script),
            f => $"{f.Name} fetched its boot script {Ago(f.Silence)} ago and no kernel.",
            _ => "Look at its console for the loader's message, and check that TCP 8067 is reachable from it and that `make image` has been run.", "boot.script"),

        new("kernel but no node image", f => f.IsStuckAt(BootMilestone.Kernel),
            f => $"{f.Name} began to fetch its kernel {Ago(f.Silence)} ago and did not go on to the node image.",
            _ => "Look at its console: a machine with less than 512 MiB of memory cannot hold both, and a bad cable shows here first.", "boot."),

        new("booted but no call", f => f.IsStuckAt(BootMilestone.Initramfs),
            f => $"{f.Name} has kernel and node image since {Ago(f.Silence)}, and its agent has not called.",
            _ => "Look at its console: a kernel panic, a NIC without a driver (boot the `metal` profile), or too little memory (512 MiB are needed) end like this.", "boot."),

        new("on its way back to its grid", f => f.DownInGrid is not null && f.Returning is not null,
            f => $"{f.Name} booted anew and is on its way back into grid {f.Grid!.Name}, for {Ago(f.Now - f.Returning!.Started)}{(f.Returning.Reason is { } reason ? $": {reason}" : "")}.",
            f => $"See its steps with `gridctl operation show {f.Returning!.Id}`; `gridctl grid remove {f.Grid!.Name} {f.Name}` takes it out instead.", "grid.", "operation.", "agent."),

        new("down in its grid", f => f.DownInGrid is not null,
            f => $"{f.Name} works for grid {f.Grid!.Name}, whose {f.Grid.Engine} has it as down since {Ago(f.Now - f.DownInGrid!.Value)}: {(f.Grid.Find(f.Node.Id)!.Role == GridRole.Worker ? "it gets no work there, and what it had goes on elsewhere" : "as a master it can take over from nobody")}{(f.AgentSilence is { } silence ? $"; its agent was last heard {Ago(silence)} ago" : "")}.",
            f => f.AgentSilence is null
                ? $"{(f.LastFailed is { } failed ? $"The way back failed ({failed.Reason}) and is tried again; see" : "See")} what its module says with `gridctl node timeline {f.Name}`; it gets work again as soon as it answers there, and `gridctl grid remove {f.Grid!.Name} {f.Name}` takes it out for good."
                : $"Restart it over the network: it comes back by itself; or take it out with `gridctl grid remove {f.Grid!.Name} {f.Name}`.", "grid.", "agent.", "state."),

        new("agent silent", f => f.AgentSilence is not null,
            f => $"{f.Name}'s agent was last heard {Ago(f.AgentSilence!.Value)} ago.",
            f => $"Check its power and its cable; restart it over the network if it does not answer at {f.Node.Ip?.ToString() ?? "its address"}.", "agent.", "state."),

        new("enrolment stuck", f => f.IsStuckEnrolling,
            f => $"{f.Name}'s agent has called {Ago(f.Now - f.Node.StateSince)} ago, and its enrolment has not ended{(f.Waiting is { } at ? $": {at.Reason}" : "")}.",
            f => f.Waiting is { } at ? $"See its steps with `gridctl operation show {at.Id}`." : "See what is being done with `gridctl operation list`.", "operation.", "agent.", "state.enrolling"),

        new("operation waits", f => f.Waiting is { } at && f.Now - at.Started > TimeSpan.FromSeconds(30),
            f => $"{f.Name} is {Word(f.State)}, and {What(f.Waiting!)} waits: {f.Waiting!.Reason}.",
            f => $"See its steps with `gridctl operation show {f.Waiting!.Id}`, or stop it with `gridctl operation cancel {f.Waiting!.Id}`.", "operation."),

        new("operation failed", f => f.LastFailed is not null,
            f => $"{f.Name} is {Word(f.State)}, but {What(f.LastFailed!)} failed: {f.LastFailed!.Reason ?? "no reason was kept"}.",
            f => $"Mend that and ask for it again; its steps are in `gridctl operation show {f.LastFailed!.Id}`.", "operation."),

        new("module failed", f => f.Node.Modules.Any(m => m.State == "failed"),
            f => $"{f.Name} is {Word(f.State)}, but its module {f.Node.Modules.First(m => m.State == "failed").Name} has failed.",
            f => $"Remove it with `gridctl module remove {f.Name} {f.Node.Modules.First(m => m.State == "failed").Name}`, and see `gridctl node timeline {f.Name}` for its last words.", "operation.", "module."),

        new("has a problem", f => f.Node.Problem is not null,
            f => $"{f.Name} is {Word(f.State)}: {f.Node.Problem}.",
            f => $"Read `gridctl node timeline {f.Name}`.", "state.", "operation."),

        new("booting", f => f.AwaitsAgent && f.Reached is not null,
            f => $"{f.Name} is booting: {Stage(f.Reached!.Value)}, {Ago(f.Silence)} since its last sign.",
            _ => null, "dhcp.", "boot.") { Ok = true },

        new("port refuses the account", f => f.PortThat("refused") is not null,
            f => $"{f.Name} is {Word(f.State)}, and cannot be acted on: {f.PortThat("refused")!.Problem}.",
            f => $"Set the right account with `gridctl port set {f.Name} {f.PortThat("refused")!.Address} --user NAME`; until then the wrong one is not tried again.", "port."),

        new("port is silent", f => f.PortThat("silent") is not null,
            f => $"{f.Name} is {Word(f.State)}, and cannot be acted on: {f.PortThat("silent")!.Problem}.",
            _ => "Check the BMC's or the outlet's power, its cable and its address; most BMCs come back when the machine's power is cut for half a minute.", "port."),

        new("port has trouble", f => f.PortThat("troubled") is not null,
            f => $"{f.Name} is {Word(f.State)}, and its port has trouble: {f.PortThat("troubled")!.Problem}.",
            f => $"See what it does with `gridctl power status {f.Name}`.", "port.", "power."),

        new("seen and silent", f => f.AwaitsAgent,
            f => $"{f.Name} was seen {Ago(f.Now - f.Node.StateSince)} ago and is not booting.",
            _ => "Restart it, with network boot before its disks.", "state.", "dhcp."),

        new("enrolling", f => f.State == NodeState.Enrolling,
            f => $"{f.Name} is enrolling: its agent has called {Ago(f.Now - f.Node.StateSince)} ago.",
            _ => null, "agent.", "operation.") { Ok = true },

        new("under way", f => f.State is NodeState.Assigning or NodeState.Releasing,
            f => $"{f.Name} is {Word(f.State)} since {Ago(f.Now - f.Node.StateSince)}.",
            _ => null, "operation.", "state.") { Ok = true },

        new("well but open", f => f.Node.Reach.Weaknesses.Length > 0,
            f => $"{f.Name} is {Word(f.State)}, but whoever reaches its BMC can take it: {string.Join("; ", f.Node.Reach.Weaknesses)}.",
            f => f.Node.Reach.Weaknesses.Any(w => w.Contains("cipher suite 0", StringComparison.Ordinal)) ? "Switch cipher suite 0 off in the BMC's settings, and keep its network apart." : "Mend that in the BMC's settings, and keep its network apart.", "port.insecure") { Ok = true },

        new("well", _ => true,
            f => $"{f.Name} is {Word(f.State)} and well.",
            _ => null, "state.") { Ok = true },
    ];

    public static WhyDocument Of(WhyFacts facts)
    {
        var rule = Rules.First(rule => rule.Applies(facts));
        return new()
        {
            Node = facts.Name,
            State = Word(facts.State),
            Ok = rule.Ok,
            Reason = rule.Reason(facts),
            NextStep = rule.NextStep(facts),
            Evidence = [.. facts.Events.Where(e => rule.Evidence.Any(kind => kind.EndsWith('.') ? e.Kind.StartsWith(kind, StringComparison.Ordinal) : e.Kind == kind)).TakeLast(MostEvidence)],
        };
    }

    static string What(OperationDocument operation) => operation.Subject is { } subject ? $"{operation.Kind} of {subject}" : operation.Kind;

    static string Word(NodeState state) => state.ToString().ToLowerInvariant();

    static string Stage(BootMilestone milestone) => milestone switch
    {
        BootMilestone.Discover => "asking for an address",
        BootMilestone.Address => "has an address",
        BootMilestone.Loader => "has its boot loader",
        BootMilestone.Script => "has its boot script",
        BootMilestone.Kernel => "fetching the kernel",
        BootMilestone.Initramfs => "starting the node image",
        BootMilestone.Agent => "its agent has called",
        BootMilestone.Idle => "arrived",
    };

    static string Ago(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalMinutes: < 3 } => $"{span.TotalSeconds:0} s",
        { TotalHours: < 3 } => $"{span.TotalMinutes:0} min",
        { TotalDays: < 3 } => $"{span.TotalHours:0} h",
        _ => $"{span.TotalDays:0} days",
    };
}
