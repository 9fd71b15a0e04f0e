namespace GridAppliance.Lab.Troubles;

/// <summary>The appliance loses power: <c>kill -9</c>.</summary>
sealed class KillAppliance : ITrouble
{
    public string Name => "kill-appliance";
    public string Summary => "kills the appliance at once (kill -9); undo starts it again";
    public bool NeedsServer => false;
    public string LookAt => "servers that are up go on; boots under way wait for its return";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) => rig.Appliance.KillAsync(cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => rig.Appliance.StartAsync(cancellation);
}
