namespace GridAppliance.Protocols.Ipmi;

/// <summary>Network functions of requests (IPMI 2.0, table 5-1); an answer carries the value plus one.</summary>
public enum NetFunction : byte
{
    Chassis = 0x00,
    Bridge = 0x02,
    SensorEvent = 0x04,
    App = 0x06,
    Firmware = 0x08,
    Storage = 0x0A,
    Transport = 0x0C,
    GroupExtension = 0x2C,
    OemGroup = 0x2E,
}

/// <summary>Completion codes (IPMI 2.0, table 5-2). Codes 01h-7Eh are the maker's, 80h-BEh the command's own.</summary>
public enum CompletionCode : byte
{
    Ok = 0x00,
    NodeBusy = 0xC0,
    InvalidCommand = 0xC1,
    InvalidForLun = 0xC2,
    Timeout = 0xC3,
    OutOfSpace = 0xC4,
    ReservationLost = 0xC5,
    RequestTruncated = 0xC6,
    RequestLength = 0xC7,
    RequestTooLong = 0xC8,
    ParameterOutOfRange = 0xC9,
    CannotReturnThatMany = 0xCA,
    NotPresent = 0xCB,
    InvalidField = 0xCC,
    IllegalForSensor = 0xCD,
    NoAnswerPossible = 0xCE,
    Duplicate = 0xCF,
    SdrUpdating = 0xD0,
    FirmwareUpdating = 0xD1,
    Initializing = 0xD2,
    DestinationUnavailable = 0xD3,
    InsufficientPrivilege = 0xD4,
    NotNow = 0xD5,
    SubfunctionDisabled = 0xD6,
    Unspecified = 0xFF,
}

/// <summary>Privilege levels (IPMI 2.0, section 6.8).</summary>
public enum IpmiPrivilege : byte
{
    /// <summary>In Open Session: the highest that the account and suite allow.</summary>
    Highest = 0,
    Callback = 1,
    User = 2,
    Operator = 3,
    Administrator = 4,
    Oem = 5,
    None = 15,
}
