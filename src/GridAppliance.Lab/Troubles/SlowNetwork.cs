using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Troubles;

/// <summary>The appliance's link carries 4 Mbit/s: loaders crawl over TFTP, and images take a minute.</summary>
sealed class SlowNetwork : ITrouble
{
    const string TrafficControl = "/usr/sbin/tc";

    public string Name => "slow-tftp";
    public string Summary => "slows the appliance's link to 4 Mbit/s, so that every transfer crawls";
    public bool NeedsServer => false;
    public string LookAt => "power-cycle a server and watch its boot's percent on the status page";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) =>
        Command.RunAsync([.. Tool(rig, "replace"), "tbf", "rate", "4mbit", "burst", "32k", "latency", "400ms"], cancellation);

    public async Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => await Command.TryRunAsync(Tool(rig, "delete"), cancellation);

    static IReadOnlyList<string> Tool(LabRig rig, string verb) =>
        [TrafficControl, "-n", rig.Plan.Appliance.Namespace, "qdisc", verb, "dev", rig.Plan.Appliance.Interface, "root"];
}
