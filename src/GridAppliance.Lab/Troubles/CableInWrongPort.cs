using GridAppliance.Lab.Switches;

namespace GridAppliance.Lab.Troubles;

/// <summary>A server's cable in a port of another VLAN: link is up, and nobody answers.</summary>
sealed class CableInWrongPort : ITrouble
{
    public string Name => "cable";
    public string Summary => "puts a server's cable into a port of an empty VLAN: it has link and nobody answers";
    public bool NeedsServer => true;
    public string LookAt => "its last-seen time stands still; power-cycle it and its console says that no DHCP server answers";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) =>
        rig.Switch.SetVlanAsync(rig.Servers.Named(server).Tap, LabSwitch.WrongVlan, cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) =>
        rig.Switch.SetVlanAsync(rig.Servers.Named(server).Tap, LabSwitch.ProvisioningVlan, cancellation);
}
