namespace GridAppliance.Protocols.Snmp;

/// <summary>What a value is, by its BER tag (RFC 3416, section 3).</summary>
public enum SnmpSyntax : byte
{
    /// <summary>INTEGER and Integer32.</summary>
    Integer32 = 0x02,
    OctetString = 0x04,
    /// <summary>No value: what requests carry.</summary>
    Null = 0x05,
    ObjectIdentifier = 0x06,
    IpAddress = 0x40,
    Counter32 = 0x41,
    /// <summary>Gauge32 and Unsigned32, which share a tag.</summary>
    Gauge32 = 0x42,
    /// <summary>Hundredths of a second.</summary>
    TimeTicks = 0x43,
    Opaque = 0x44,
    Counter64 = 0x46,
    /// <summary>The agent has no such object at all.</summary>
    NoSuchObject = 0x80,
    /// <summary>The object is there, this row of it is not.</summary>
    NoSuchInstance = 0x81,
    /// <summary>A walk is at its end.</summary>
    EndOfMibView = 0x82,
}
