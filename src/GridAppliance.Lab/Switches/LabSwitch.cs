namespace GridAppliance.Lab.Switches;

/// <summary>The lab's switch: Open vSwitch in a namespace of its own, in the userspace datapath, so that no kernel module is needed.</summary>
sealed record LabSwitch
{
    /// <summary>VLAN that the appliance and the servers are on.</summary>
    public const int ProvisioningVlan = 100;
    /// <summary>VLAN with nobody on it: where a cable in the wrong port ends.</summary>
    public const int WrongVlan = 999;

    public required string Namespace { get; init; }
    /// <summary>Its end of the cable to the appliance.</summary>
    public required string Uplink { get; init; }
    public string Bridge => "rack";
}
