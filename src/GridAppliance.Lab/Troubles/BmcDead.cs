namespace GridAppliance.Lab.Troubles;

/// <summary>A BMC that has hung, as they do: the machine runs on, and nothing answers for it.</summary>
sealed class BmcDead : ITrouble
{
    public string Name => "bmc-dead";
    public string Summary => "makes a server's BMC fall silent";
    public bool NeedsServer => true;
    public string LookAt => "'gridctl port list' and 'gridctl why' for that node";

    public Task MakeAsync(LabRig rig, string server, CancellationToken cancellation) => rig.Bmcs.KillAsync(rig.Servers.Named(server), cancellation);

    public Task UndoAsync(LabRig rig, string server, CancellationToken cancellation) => rig.Bmcs.StartAsync(rig.Servers.Named(server), cancellation);
}
