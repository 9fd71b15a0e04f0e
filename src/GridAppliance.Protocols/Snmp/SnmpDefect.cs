namespace GridAppliance.Protocols.Snmp;

/// <summary>Why a datagram is not a message that we take.</summary>
public enum SnmpDefect
{
    None,
    /// <summary>Ends inside a field.</summary>
    Truncated,
    /// <summary>A field of another kind than the layout has there.</summary>
    UnexpectedTag,
    /// <summary>Indefinite, or longer than four octets say.</summary>
    BadLength,
    /// <summary>Octets are left over behind the last field.</summary>
    TrailingOctets,
    /// <summary>No octets, or more than its type holds.</summary>
    BadInteger,
    /// <summary>More than 128 sub-identifiers, one beyond 32 bits, or one that stops in the middle.</summary>
    BadObjectIdentifier,
    UnknownSyntax,
    /// <summary>A value whose octets cannot be of its syntax.</summary>
    BadValue,
    UnknownVersion,
    UnknownPdu,
    TooManyVarbinds,
    UnknownSecurityModel,
    /// <summary>Flags that contradict each other (privacy without authentication), or of a wrong length.</summary>
    BadFlags,
    /// <summary>An engine id, user name or security field of an impossible length.</summary>
    BadSecurityParameters,
    /// <summary>The message is of another user than the keys.</summary>
    WrongUser,
    WrongDigest,
    /// <summary>What came out of decryption is not a scoped PDU.</summary>
    Undecipherable,
}
