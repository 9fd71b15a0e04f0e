using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Troubles;

/// <summary>A switch that does not keep its VLANs apart: what one server sends is handed to another as well, whatever VLANs they are in. No table that the switch shows tells of it.</summary>
sealed class VlanLeak : ITrouble
{
    public string Name => "leak";
    public string Summary => "has the switch hand what a server sends to the next server too, past their VLANs";
    public bool NeedsServer => true;
    public string LookAt => "'gridctl fabric verify', when the two are in different VLANs ('gridctl switch vlan NODE 250')";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation)
    {
        var from = rig.Servers.Named(server);
        var to = rig.Plan.Servers.SkipWhile(s => s != from).Skip(1).FirstOrDefault() ?? rig.Plan.Servers[0];
        return from == to ? throw new LabException("There is only one server: nobody to leak to.") : MakeAsync(rig, from.Tap, to.Tap, cancellation);
    }

    /// <summary>From a port to another.</summary>
    public static Task MakeAsync(LabRig rig, string from, string to, CancellationToken cancellation) =>
        Command.RunAsync(OpenVswitch.Copy(rig.Plan.Paths, rig.Plan.Switch, from, to), cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => Command.RunAsync(OpenVswitch.CopyNothing(rig.Plan.Paths, rig.Plan.Switch), cancellation);
}
