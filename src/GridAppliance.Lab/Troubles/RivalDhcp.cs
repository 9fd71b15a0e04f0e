using GridAppliance.Lab.Machine;

namespace GridAppliance.Lab.Troubles;

/// <summary>A second DHCP server on the wire: dnsmasq, in a namespace of its own, on a port of the switch.</summary>
sealed class RivalDhcp : ITrouble
{
    const string Process = "rival";
    const string Address = "10.77.0.2";

    public string Name => "rival-dhcp";
    public string Summary => "plugs a second DHCP server (10.77.0.2) into the switch";
    public bool NeedsServer => false;
    public string LookAt => "the status page's problems; an appliance that starts now refuses to serve ('gridlab break kill-appliance', then --undo it)";

    public async Task MakeAsync(LabRig rig, string server, CancellationToken cancellation)
    {
        var plan = rig.Plan;
        var (space, inside, outside) = Names(plan);
        if (Namespaces.Exists(space)) return;
        await Namespaces.CreateAsync(space, cancellation);
        await Namespaces.CableAsync(plan.Switch.Namespace, outside, space, inside, cancellation);
        await Namespaces.AddAddressAsync(space, inside, $"{Address}/{plan.Appliance.Address.PrefixLength}", cancellation);
        await rig.Switch.AddPortAsync(outside, cancellation);
        await rig.Processes.StartAsync(Process, space,
        [
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0", "--no-hosts", "--no-resolv", "--pid-file",
            "--log-facility=-", "--log-dhcp", $"--interface={inside}", "--bind-interfaces", "--dhcp-authoritative",
            "--dhcp-range=10.77.0.240,10.77.0.249,2m", $"--dhcp-leasefile={plan.Paths.Root}/rival.leases",
        ], cancellation);
        await UntilItServesAsync(plan, cancellation);
    }

    /// <summary>A rival that is not listening yet is none: who makes trouble wants it made when the call returns.</summary>
    static async Task UntilItServesAsync(LabPlan plan, CancellationToken cancellation)
    {
        var log = plan.Paths.Log(Process);
        for (var looks = 0; looks < 250; looks++)
        {
            if (File.Exists(log) && (await File.ReadAllTextAsync(log, cancellation)).Contains("IP range", StringComparison.Ordinal)) return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }
        throw new LabException($"The second DHCP server did not start; its log is {log}.");
    }

    public async Task UndoAsync(LabRig rig, string server, CancellationToken cancellation)
    {
        var (space, _, outside) = Names(rig.Plan);
        if (rig.Processes.Find(Process) is { } process) await rig.Processes.KillAsync(process, cancellation);
        await rig.Switch.RemovePortAsync(outside, cancellation);
        await Namespaces.DeleteAsync(space, cancellation);
    }

    static (string Space, string Inside, string Outside) Names(LabPlan plan) => ($"{plan.Name}-rival", $"{plan.Name}-rival0", $"{plan.Name}-rival1");
}
