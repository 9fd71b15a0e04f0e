using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>RMCP+ and RAKP status codes (IPMI 2.0, table 13-15).</summary>
public enum RakpStatus : byte
{
    Ok = 0x00,
    InsufficientResources = 0x01,
    InvalidSessionId = 0x02,
    InvalidPayloadType = 0x03,
    InvalidAuthenticationAlgorithm = 0x04,
    InvalidIntegrityAlgorithm = 0x05,
    NoMatchingAuthenticationPayload = 0x06,
    NoMatchingIntegrityPayload = 0x07,
    InactiveSessionId = 0x08,
    InvalidRole = 0x09,
    UnauthorizedRole = 0x0A,
    InsufficientResourcesForRole = 0x0B,
    InvalidNameLength = 0x0C,
    UnauthorizedName = 0x0D,
    UnauthorizedGuid = 0x0E,
    InvalidIntegrityCheckValue = 0x0F,
    InvalidConfidentialityAlgorithm = 0x10,
    NoCipherSuiteMatch = 0x11,
    IllegalParameter = 0x12,
}

/// <summary>RMCP+ Open Session Request (IPMI 2.0, section 13.17): proposes one suite.</summary>
public readonly record struct OpenSessionRequest(byte Tag, IpmiPrivilege Privilege, uint ConsoleId, AuthenticationAlgorithm Authentication, IntegrityAlgorithm Integrity, ConfidentialityAlgorithm Confidentiality)
{
    //  octet 0     1           2-3   4-7               8-15            16-23        24-31
    //  +-----+-----------+-----+-----------------+----------------+-----------+-----------------+
    //  | tag | privilege | 0 0 | console id (LE) | authentication | integrity | confidentiality |
    //  +-----+-----------+-----+-----------------+----------------+-----------+-----------------+
    //  an algorithm: type (0, 1, 2), 0 0, length 8, algorithm, 0 0 0

    public const int Length = 32;

    public OpenSessionRequest(byte tag, IpmiPrivilege privilege, uint consoleId, CipherSuite suite)
        : this(tag, privilege, consoleId, suite.Authentication, suite.Integrity, suite.Confidentiality) { }

    public int Write(Span<byte> payload)
    {
        payload[..8].Clear();
        payload[0] = Tag;
        payload[1] = (byte)Privilege;
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], ConsoleId);
        AlgorithmPayloads.Write(payload[8..], Authentication, Integrity, Confidentiality);
        return Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out OpenSessionRequest request, out IpmiDefect defect)
    {
        request = default;
        if (payload.Length < Length) { defect = IpmiDefect.Truncated; return false; }
        if (!AlgorithmPayloads.TryRead(payload[8..], out var authentication, out var integrity, out var confidentiality)) { defect = IpmiDefect.Value; return false; }
        request = new(payload[0], (IpmiPrivilege)(payload[1] & 0x0F), BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]), authentication, integrity, confidentiality);
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>RMCP+ Open Session Response (IPMI 2.0, section 13.18). On a refusal a BMC may send the first eight octets alone.</summary>
public readonly record struct OpenSessionResponse(byte Tag, RakpStatus Status, IpmiPrivilege Privilege, uint ConsoleId)
{
    //  octet 0     1        2           3   4-7               8-11          12-35
    //  +-----+--------+-----------+---+-----------------+-------------+---------------------+
    //  | tag | status | privilege | 0 | console id (LE) | BMC id (LE) | as in the request   |
    //  +-----+--------+-----------+---+-----------------+-------------+---------------------+

    public const int Length = 36;
    const int RefusalLength = 8;

    public uint BmcId { get; init; }
    public AuthenticationAlgorithm Authentication { get; init; }
    public IntegrityAlgorithm Integrity { get; init; }
    public ConfidentialityAlgorithm Confidentiality { get; init; }

    public bool Chose(CipherSuite suite) => Authentication == suite.Authentication && Integrity == suite.Integrity && Confidentiality == suite.Confidentiality;

    public int Write(Span<byte> payload)
    {
        payload[0] = Tag;
        payload[1] = (byte)Status;
        payload[2] = (byte)Privilege;
        payload[3] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], ConsoleId);
        if (Status != RakpStatus.Ok) return RefusalLength;
        BinaryPrimitives.WriteUInt32LittleEndian(payload[8..], BmcId);
        AlgorithmPayloads.Write(payload[12..], Authentication, Integrity, Confidentiality);
        return Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out OpenSessionResponse response, out IpmiDefect defect)
    {
        response = default;
        defect = IpmiDefect.Truncated;
        if (payload.Length < RefusalLength) return false;
        response = new(payload[0], (RakpStatus)payload[1], (IpmiPrivilege)(payload[2] & 0x0F), BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]));
        if (response.Status != RakpStatus.Ok) { defect = IpmiDefect.None; return true; }
        if (payload.Length < Length) return false;
        if (!AlgorithmPayloads.TryRead(payload[12..], out var authentication, out var integrity, out var confidentiality)) { defect = IpmiDefect.Value; return false; }
        response = response with
        {
            BmcId = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
            Authentication = authentication,
            Integrity = integrity,
            Confidentiality = confidentiality,
        };
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>The three algorithm payloads that both Open Session messages carry.</summary>
static class AlgorithmPayloads
{
    const int EntryLength = 8;

    public static void Write(Span<byte> destination, AuthenticationAlgorithm authentication, IntegrityAlgorithm integrity, ConfidentialityAlgorithm confidentiality)
    {
        ReadOnlySpan<byte> algorithms = [(byte)authentication, (byte)integrity, (byte)confidentiality];
        for (var type = 0; type < algorithms.Length; type++)
        {
            var entry = destination.Slice(type * EntryLength, EntryLength);
            entry.Clear();
            entry[0] = (byte)type;
            entry[3] = EntryLength;
            entry[4] = algorithms[type];
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> source, out AuthenticationAlgorithm authentication, out IntegrityAlgorithm integrity, out ConfidentialityAlgorithm confidentiality)
    {
        authentication = (AuthenticationAlgorithm)(source[4] & 0x3F);
        integrity = (IntegrityAlgorithm)(source[12] & 0x3F);
        confidentiality = (ConfidentialityAlgorithm)(source[20] & 0x3F);
        return source[0] == 0 && source[8] == 1 && source[16] == 2;
    }
}
