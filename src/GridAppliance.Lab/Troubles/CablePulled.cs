using System.Text.Json.Nodes;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab.Troubles;

/// <summary>A server's cable pulled out: its NIC sees no link.</summary>
sealed class CablePulled : ITrouble
{
    public string Name => "unplug";
    public string Summary => "pulls a server's cable out: its NIC has no link";
    public bool NeedsServer => true;
    public string LookAt => "its last-seen time stands still";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) => SetLinkAsync(rig, server, up: false, cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => SetLinkAsync(rig, server, up: true, cancellation);

    static Task SetLinkAsync(LabRig rig, string server, bool up, CancellationToken cancellation) =>
        QmpClient.SendAsync(rig.Servers.Named(server), "set_link", new JsonObject { ["name"] = "net0", ["up"] = up }, cancellation);
}
