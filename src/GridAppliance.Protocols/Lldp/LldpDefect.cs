namespace GridAppliance.Protocols.Lldp;

/// <summary>Why an LLDPDU is discarded (IEEE 802.1AB-2016 section 9.2.7.7).</summary>
public enum LldpDefect
{
    None,
    /// <summary>The octets end within a TLV.</summary>
    Truncated,
    /// <summary>Chassis ID, port ID and time to live are not the first three, in this order.</summary>
    MandatoryMissing,
    /// <summary>A TLV that may stand once stands again.</summary>
    Duplicate,
    /// <summary>A TLV's length is outside what its type allows.</summary>
    BadLength,
}

/// <summary>What a chassis ID is made of (IEEE 802.1AB-2016 table 8-2).</summary>
public enum LldpChassisKind : byte { ChassisComponent = 1, InterfaceAlias = 2, PortComponent = 3, MacAddress = 4, NetworkAddress = 5, InterfaceName = 6, Local = 7 }

/// <summary>What a port ID is made of (IEEE 802.1AB-2016 table 8-3).</summary>
public enum LldpPortKind : byte { InterfaceAlias = 1, PortComponent = 2, MacAddress = 3, NetworkAddress = 4, InterfaceName = 5, AgentCircuitId = 6, Local = 7 }
