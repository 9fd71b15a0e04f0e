using System.Buffers.Binary;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>RAKP message 1, console to BMC (IPMI 2.0, section 13.20): who wants in, and the console's random number.</summary>
public readonly ref struct Rakp1
{
    //  octet 0     1-3   4-7           8-23              24     25-26   27            28 …
    //  +-----+-------+-------------+-----------------+------+-------+-------------+--------+
    //  | tag | 0 0 0 | BMC id (LE) | console random  | role | 0 0   | name length | name   |
    //  +-----+-------+-------------+-----------------+------+-------+-------------+--------+

    public const int FixedLength = 28;
    public const int MaxName = 16;

    /// <summary>Role bit 4: look the account up by name alone, rather than by name and privilege.</summary>
    public const byte NameOnlyLookup = 0x10;

    public byte Tag { get; init; }
    public uint BmcId { get; init; }
    public ReadOnlySpan<byte> ConsoleRandom { get; init; }
    public byte Role { get; init; }
    public ReadOnlySpan<byte> Name { get; init; }

    public int Write(Span<byte> payload)
    {
        payload[..FixedLength].Clear();
        payload[0] = Tag;
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], BmcId);
        ConsoleRandom.CopyTo(payload[8..24]);
        payload[24] = Role;
        payload[27] = (byte)Name.Length;
        Name.CopyTo(payload[FixedLength..]);
        return FixedLength + Name.Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out Rakp1 message, out IpmiDefect defect)
    {
        message = default;
        defect = IpmiDefect.Truncated;
        if (payload.Length < FixedLength) return false;
        int name = payload[27];
        if (name > MaxName) { defect = IpmiDefect.Value; return false; }
        if (payload.Length - FixedLength < name) return false;
        message = new()
        {
            Tag = payload[0],
            BmcId = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]),
            ConsoleRandom = payload[8..24],
            Role = payload[24],
            Name = payload.Slice(FixedLength, name),
        };
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>RAKP message 2, BMC to console (section 13.21): the BMC's random number, its GUID, and proof that it knows the account's password.</summary>
public readonly ref struct Rakp2
{
    //  octet 0     1        2-3   4-7               8-23         24-39     40 …
    //  +-----+--------+-----+-----------------+------------+----------+-------------+
    //  | tag | status | 0 0 | console id (LE) | BMC random | BMC GUID | auth code   |
    //  +-----+--------+-----+-----------------+------------+----------+-------------+

    public const int FixedLength = 40;
    const int RefusalLength = 8;

    public byte Tag { get; init; }
    public RakpStatus Status { get; init; }
    public uint ConsoleId { get; init; }
    public ReadOnlySpan<byte> BmcRandom { get; init; }
    /// <summary>Sixteen octets as sent; the order of their fields differs from maker to maker.</summary>
    public ReadOnlySpan<byte> BmcGuid { get; init; }
    public ReadOnlySpan<byte> AuthenticationCode { get; init; }

    public int Write(Span<byte> payload)
    {
        Refusal.Write(payload, Tag, Status, ConsoleId);
        if (Status != RakpStatus.Ok) return RefusalLength;
        BmcRandom.CopyTo(payload[8..24]);
        BmcGuid.CopyTo(payload[24..40]);
        AuthenticationCode.CopyTo(payload[FixedLength..]);
        return FixedLength + AuthenticationCode.Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, CipherSuite suite, out Rakp2 message, out IpmiDefect defect)
    {
        message = default;
        defect = IpmiDefect.Truncated;
        if (payload.Length < RefusalLength) return false;
        var (tag, status, consoleId) = Refusal.Read(payload);
        message = new() { Tag = tag, Status = status, ConsoleId = consoleId };
        if (status != RakpStatus.Ok) { defect = IpmiDefect.None; return true; }
        if (payload.Length < FixedLength + suite.HashLength) return false;
        message = new()
        {
            Tag = tag,
            Status = status,
            ConsoleId = consoleId,
            BmcRandom = payload[8..24],
            BmcGuid = payload[24..40],
            AuthenticationCode = payload.Slice(FixedLength, suite.HashLength),
        };
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>RAKP message 3, console to BMC (section 13.22): proof that the console knows the password.</summary>
public readonly ref struct Rakp3
{
    //  octet 0     1        2-3   4-7           8 …
    //  +-----+--------+-----+-------------+-------------+
    //  | tag | status | 0 0 | BMC id (LE) | auth code   |
    //  +-----+--------+-----+-------------+-------------+

    public const int FixedLength = 8;

    public byte Tag { get; init; }
    public RakpStatus Status { get; init; }
    public uint BmcId { get; init; }
    public ReadOnlySpan<byte> AuthenticationCode { get; init; }

    public int Write(Span<byte> payload)
    {
        Refusal.Write(payload, Tag, Status, BmcId);
        AuthenticationCode.CopyTo(payload[FixedLength..]);
        return FixedLength + AuthenticationCode.Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, CipherSuite suite, out Rakp3 message, out IpmiDefect defect)
    {
        message = default;
        defect = IpmiDefect.Truncated;
        if (payload.Length < FixedLength) return false;
        var (tag, status, bmcId) = Refusal.Read(payload);
        var codeLength = status == RakpStatus.Ok ? suite.HashLength : 0;
        if (payload.Length < FixedLength + codeLength) return false;
        message = new() { Tag = tag, Status = status, BmcId = bmcId, AuthenticationCode = payload.Slice(FixedLength, codeLength) };
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>RAKP message 4, BMC to console (section 13.23): proof that both hold the same session key.</summary>
public readonly ref struct Rakp4
{
    //  octet 0     1        2-3   4-7               8 …
    //  +-----+--------+-----+-----------------+---------------+
    //  | tag | status | 0 0 | console id (LE) | check value   |
    //  +-----+--------+-----+-----------------+---------------+

    public const int FixedLength = 8;

    public byte Tag { get; init; }
    public RakpStatus Status { get; init; }
    public uint ConsoleId { get; init; }
    public ReadOnlySpan<byte> CheckValue { get; init; }

    public int Write(Span<byte> payload)
    {
        Refusal.Write(payload, Tag, Status, ConsoleId);
        CheckValue.CopyTo(payload[FixedLength..]);
        return FixedLength + CheckValue.Length;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, CipherSuite suite, out Rakp4 message, out IpmiDefect defect)
    {
        message = default;
        defect = IpmiDefect.Truncated;
        if (payload.Length < FixedLength) return false;
        var (tag, status, consoleId) = Refusal.Read(payload);
        var codeLength = status == RakpStatus.Ok ? suite.Rakp4Length : 0;
        if (payload.Length < FixedLength + codeLength) return false;
        message = new() { Tag = tag, Status = status, ConsoleId = consoleId, CheckValue = payload.Slice(FixedLength, codeLength) };
        defect = IpmiDefect.None;
        return true;
    }
}

/// <summary>The eight octets that RAKP 2, 3 and 4 begin with, and that a refusal consists of.</summary>
static class Refusal
{
    public static void Write(Span<byte> payload, byte tag, RakpStatus status, uint sessionId)
    {
        payload[0] = tag;
        payload[1] = (byte)status;
        payload[2] = payload[3] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], sessionId);
    }

    public static (byte Tag, RakpStatus Status, uint SessionId) Read(ReadOnlySpan<byte> payload) =>
        (payload[0], (RakpStatus)payload[1], BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]));
}
