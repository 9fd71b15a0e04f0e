namespace GridAppliance.Lab.Switches;

/// <summary>The lab's switch: Open vSwitch in a namespace of its own, in the userspace datapath, so that no kernel module is needed.</summary>
sealed record LabSwitch
{
    /// <summary>What the appliance calls it.</summary>
    public const string Name = "rack";
    /// <summary>VLAN that the appliance and the servers are on.</summary>
    public const int ProvisioningVlan = 100;
    /// <summary>VLAN with nobody on it: where a cable in the wrong port ends.</summary>
    public const int WrongVlan = 999;

    /// <summary>Where the switch answers SNMP, and the appliance's own address on that cable.</summary>
    public const string ManagementAddress = "10.78.0.2";
    public const string ManagementOfApplianceAddress = "10.78.0.1";
    /// <summary>The user of the lab's switch. No secret: the lab is open to whoever is root on this machine.</summary>
    public const string SnmpUser = "grid", SnmpAuthentication = "lab authentication", SnmpPrivacy = "lab privacy";

    public required string Namespace { get; init; }
    /// <summary>Its end of the cable to the appliance.</summary>
    public required string Uplink { get; init; }
    public string Bridge => "rack";
    /// <summary>A cable beside the data's, as switches have a management port: its end at the switch, and the appliance's.</summary>
    public required string Management { get; init; }
    public required string ManagementOfAppliance { get; init; }
}
