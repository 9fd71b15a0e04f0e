namespace GridAppliance.Protocols.Dhcp;

/// <summary>The BOOTP <c>op</c> octet (RFC 2131 section 2).</summary>
public enum DhcpOperation : byte { Request = 1, Reply = 2 }

/// <summary>Option 53 (RFC 2132 section 9.6; 9 from RFC 3203; 10 to 13 from RFC 4388 section 6.1).</summary>
public enum DhcpMessageType : byte
{
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
    ForceRenew = 9,
    LeaseQuery = 10,
    LeaseUnassigned = 11,
    LeaseUnknown = 12,
    LeaseActive = 13,
}

/// <summary>Option codes that somebody here reads or writes. Any other octet is a valid value too.</summary>
public enum DhcpOption : byte
{
    Pad = 0,
    SubnetMask = 1,
    Router = 3,
    DomainNameServer = 6,
    HostName = 12,
    DomainName = 15,
    BroadcastAddress = 28,
    VendorSpecific = 43,
    RequestedAddress = 50,
    LeaseTime = 51,
    Overload = 52,
    MessageType = 53,
    ServerIdentifier = 54,
    ParameterRequestList = 55,
    Message = 56,
    MaximumMessageSize = 57,
    RenewalTime = 58,
    RebindingTime = 59,
    VendorClass = 60,
    ClientIdentifier = 61,
    TftpServerName = 66,
    BootFileName = 67,
    UserClass = 77,
    RelayAgentInformation = 82,
    ClientLastTransactionTime = 91,
    AssociatedAddress = 92,
    ClientArchitecture = 93,
    ClientInterface = 94,
    ClientMachine = 97,
    DomainSearch = 119,
    ClasslessStaticRoute = 121,
    Ipxe = 175,
    End = 255,
}

/// <summary>Option 52: which BOOTP fields carry options instead of text (RFC 2132 section 9.3).</summary>
[Flags]
public enum DhcpOverload : byte { None = 0, BootFile = 1, ServerName = 2 }

/// <summary>Why a datagram is no DHCP message.</summary>
public enum DhcpDefect
{
    None,
    /// <summary>Shorter than the fixed fields and the cookie.</summary>
    TooShort,
    /// <summary><c>op</c> is neither 1 nor 2.</summary>
    BadOperation,
    /// <summary><c>hlen</c> is more than the 16 octets that there are.</summary>
    BadHardwareLength,
    /// <summary>No magic cookie: plain BOOTP, or not ours at all.</summary>
    NoCookie,
    /// <summary>An option's length runs past the end of its field.</summary>
    OptionOverrun,
    /// <summary>Option 52 is not 1, 2 or 3.</summary>
    BadOverload,
    /// <summary>No option 53: BOOTP with vendor extensions.</summary>
    NoMessageType,
    /// <summary>Option 53 is not one octet with a known value.</summary>
    BadMessageType,
}
