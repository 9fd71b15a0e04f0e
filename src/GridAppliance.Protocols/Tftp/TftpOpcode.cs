namespace GridAppliance.Protocols.Tftp;

/// <summary>RFC 1350 section 5; OACK from RFC 2347.</summary>
public enum TftpOpcode : ushort
{
    ReadRequest = 1,
    WriteRequest = 2,
    Data = 3,
    Acknowledgement = 4,
    Error = 5,
    OptionAcknowledgement = 6,
}

/// <summary>RFC 1350 section 1. "mail" was obsolete in 1992 and is recognised only to be refused.</summary>
public enum TftpMode { Netascii, Octet, Mail }

/// <summary>RFC 1350 appendix; 8 from RFC 2347. Peers send other numbers too, so a switch over a received one has to expect them.</summary>
public enum TftpErrorCode : ushort
{
    Undefined = 0,
    FileNotFound = 1,
    AccessViolation = 2,
    DiskFull = 3,
    IllegalOperation = 4,
    UnknownTransfer = 5,
    FileExists = 6,
    NoSuchUser = 7,
    OptionsRefused = 8,
}

/// <summary>Why a datagram is not the TFTP packet that was asked for.</summary>
public enum TftpDefect
{
    None,
    /// <summary>Shorter than the fixed part of its kind.</summary>
    Truncated,
    /// <summary>Longer than RFC 2347's 512 octets for a request.</summary>
    RequestTooLong,
    /// <summary>No TFTP operation has this code.</summary>
    UnknownOpcode,
    /// <summary>A packet of another kind than the state allows.</summary>
    UnexpectedOpcode,
    /// <summary>A text that the datagram's end cuts off before its zero octet.</summary>
    UnterminatedText,
    EmptyFileName,
    UnknownMode,
}
