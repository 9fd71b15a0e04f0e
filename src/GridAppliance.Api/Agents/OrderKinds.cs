namespace GridAppliance.Api.Agents;

/// <summary>The words of <see cref="OrderDocument.Kind"/>.</summary>
public static class OrderKinds
{
    public const string InstallModule = "module.install";
    public const string RemoveModule = "module.remove";
    public const string Inventory = "inventory";
    public const string Reboot = "reboot";
    public const string AdoptBmc = "bmc.adopt";
    public const string Hold = "resources.hold";
    public const string Free = "resources.free";
    public const string Relation = "relation";
    public const string UpdateAgent = "agent.update";
    public const string Probe = "fabric.probe";
    public const string BootImage = "image.boot";
    public const string Run = "module.run";
    public const string LookAtDisk = "disk.look";
    public const string InstallDisk = "disk.install";
    public const string WipeDisk = "disk.wipe";
    /// <summary>Install a module and take it out again: whether modules work on this node. Only for agents that have said so (<see cref="EnrollRequest.TriesModules"/>).</summary>
    public const string TryModule = "module.try";

    /// <summary>Every kind of order that an agent knows.</summary>
    public static IReadOnlyList<string> All { get; } = [InstallModule, RemoveModule, Inventory, Reboot, AdoptBmc, Hold, Free, Relation, UpdateAgent, Probe, BootImage, Run, LookAtDisk, InstallDisk, WipeDisk, TryModule];
}
