namespace GridAppliance.Protocols.Ipmi;

/// <summary>Why a datagram or a message from a peer was not taken.</summary>
public enum IpmiDefect
{
    None,
    /// <summary>Shorter than its own layout or than the length that it states.</summary>
    Truncated,
    /// <summary>Not RMCP version 1.0.</summary>
    RmcpVersion,
    /// <summary>RMCP, but not the class that was asked for.</summary>
    RmcpClass,
    /// <summary>An RMCP acknowledge, which carries nothing.</summary>
    RmcpAcknowledge,
    /// <summary>An authentication type that this reader does not read.</summary>
    AuthenticationType,
    PayloadType,
    /// <summary>An IPMB checksum that does not add up to zero.</summary>
    Checksum,
    /// <summary>A packet that must be signed and is not.</summary>
    Unauthenticated,
    /// <summary>A packet that must be encrypted and is not.</summary>
    Unencrypted,
    /// <summary>An auth code that does not verify with the session's key.</summary>
    AuthenticationCode,
    /// <summary>Integrity or confidentiality pad that cannot be.</summary>
    Padding,
    /// <summary>Cipher text that is not whole blocks.</summary>
    CipherText,
    /// <summary>A field holds a value outside its range.</summary>
    Value,
}
