using GridAppliance.Protocols.Ipmi.Session;

namespace GridAppliance.Protocols.Ipmi.Commands;

/// <summary>Channel numbers with a meaning of their own (IPMI 2.0, section 6.3).</summary>
public static class IpmiChannel
{
    /// <summary>The channel that the command came in by.</summary>
    public const byte Current = 0x0E;
}

/// <summary>Get Channel Authentication Capabilities (section 22.13); answered outside a session, so it serves discovery.</summary>
public sealed record GetChannelAuthenticationCapabilities(IpmiPrivilege Privilege) : IpmiRequest<AuthenticationCapabilities>
{
    const byte AskForIpmi20 = 0x80;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x38;

    public override int WriteData(Span<byte> data)
    {
        data[0] = AskForIpmi20 | IpmiChannel.Current;
        data[1] = (byte)Privilege;
        return 2;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out AuthenticationCapabilities answer)
    {
        answer = default;
        if (data.Length < 8) return false;
        var extended = (data[1] & 0x80) != 0;
        answer = new()
        {
            Channel = data[0],
            Types = (AuthenticationTypes)(data[1] & 0x3F),
            KgIsSet = (data[2] & 0x20) != 0,
            HasNamedUsers = (data[2] & 0x04) != 0,
            HasNullNameUsers = (data[2] & 0x02) != 0,
            AllowsAnonymousLogin = (data[2] & 0x01) != 0,
            SupportsIpmi20 = extended && (data[3] & 0x02) != 0,
            SupportsIpmi15 = !extended || (data[3] & 0x01) != 0,
            OemEnterprise = (uint)(data[4] | data[5] << 8 | data[6] << 16),
        };
        return true;
    }
}

public readonly record struct AuthenticationCapabilities
{
    public byte Channel { get; init; }
    /// <summary>What IPMI 1.5 sessions may use.</summary>
    public AuthenticationTypes Types { get; init; }
    /// <summary>The BMC wants a key of its own (K_g) beside the account's password.</summary>
    public bool KgIsSet { get; init; }
    public bool HasNamedUsers { get; init; }
    public bool HasNullNameUsers { get; init; }
    /// <summary>An account with neither name nor password is enabled.</summary>
    public bool AllowsAnonymousLogin { get; init; }
    public bool SupportsIpmi20 { get; init; }
    public bool SupportsIpmi15 { get; init; }
    public uint OemEnterprise { get; init; }
}

[Flags]
public enum AuthenticationTypes : byte { Nothing = 0, None = 0x01, Md2 = 0x02, Md5 = 0x04, Password = 0x10, Oem = 0x20 }

/// <summary>
/// Get Channel Cipher Suites (section 22.15), one index of up to 64: sixteen octets of records each, fewer in the last. Answered outside a session.
/// </summary>
public sealed record GetChannelCipherSuites(byte Index) : IpmiRequest<CipherSuiteRecords>
{
    const byte ListBySuite = 0x80;

    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x54;

    public override int WriteData(Span<byte> data)
    {
        data[0] = IpmiChannel.Current;
        data[1] = (byte)PayloadType.IpmiMessage;
        data[2] = (byte)(ListBySuite | Index & 0x3F);
        return 3;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out CipherSuiteRecords answer)
    {
        answer = default;
        if (data.Length is < 1 or > 1 + CipherSuiteRecords.PerIndex) return false;
        answer = new(data[1..].ToArray());
        return true;
    }
}

/// <summary>
/// Get Channel Cipher Suites (section 22.15) in its other form: which algorithms there are, without the suites that join them. They all fit one answer,
/// where the list of suites takes up to five.
/// </summary>
public sealed record GetChannelAlgorithms : IpmiRequest<ChannelAlgorithms>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x54;

    public override int WriteData(Span<byte> data)
    {
        data[0] = IpmiChannel.Current;
        data[1] = (byte)PayloadType.IpmiMessage;
        data[2] = 0;
        return 3;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out ChannelAlgorithms answer)
    {
        answer = default;
        // A BMC that knows only the other form sends records, which start with C0h or C1h; no algorithm does.
        if (data.Length < 2 || data[1..].ContainsAnyInRange((byte)0xC0, (byte)0xFF)) return false;
        foreach (var octet in data[1..])
        {
            var bit = (ushort)(1 << (octet & 0x0F));
            answer = (octet >> 6) switch
            {
                0 => answer with { Authentication = (ushort)(answer.Authentication | bit) },
                1 => answer with { Integrity = (ushort)(answer.Integrity | bit) },
                _ => answer with { Confidentiality = (ushort)(answer.Confidentiality | bit) },
            };
        }
        return true;
    }
}

/// <summary>Algorithms that a BMC has, as a bit for each number.</summary>
public readonly record struct ChannelAlgorithms(ushort Authentication, ushort Integrity, ushort Confidentiality)
{
    /// <summary>False only when the suite cannot be offered: the BMC lacks one of its algorithms.</summary>
    public bool Allow(CipherSuite suite) =>
        (Authentication >> (int)suite.Authentication & 1) != 0 && (Integrity >> (int)suite.Integrity & 1) != 0 && (Confidentiality >> (int)suite.Confidentiality & 1) != 0;
}

/// <summary>A piece of the list of cipher suites; records may straddle pieces.</summary>
public readonly record struct CipherSuiteRecords(ReadOnlyMemory<byte> Octets)
{
    public const int PerIndex = 16;

    /// <summary>True when another index may follow.</summary>
    public bool IsFull => Octets.Length == PerIndex;

    const byte StandardStart = 0xC0;
    const byte OemStart = 0xC1;

    /// <summary>Suite ids in the joined records (table 22-18). OEM suites are passed over; a broken record ends the list.</summary>
    public static IReadOnlyList<byte> ReadIds(ReadOnlySpan<byte> joined)
    {
        List<byte> ids = [];
        for (var at = 0; at + 1 < joined.Length;)
        {
            var start = joined[at];
            if (start is not (StandardStart or OemStart)) break;
            if (start == StandardStart) ids.Add(joined[at + 1]);
            at += start == StandardStart ? 2 : 5;
            // Algorithm octets carry their kind in bits 7:6, which is never 3; a start octet always has it.
            while (at < joined.Length && joined[at] < StandardStart) at++;
        }
        return ids;
    }
}

/// <summary>Set Session Privilege Level (section 22.18).</summary>
public sealed record SetSessionPrivilege(IpmiPrivilege Privilege) : IpmiRequest<IpmiPrivilege>
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x3B;

    public override int WriteData(Span<byte> data)
    {
        data[0] = (byte)Privilege;
        return 1;
    }

    public override bool TryReadAnswer(ReadOnlySpan<byte> data, out IpmiPrivilege answer)
    {
        answer = data.Length > 0 ? (IpmiPrivilege)(data[0] & 0x0F) : IpmiPrivilege.None;
        return data.Length > 0;
    }
}

/// <summary>Close Session (section 22.19).</summary>
public sealed record CloseSession(uint BmcSessionId) : IpmiOrder
{
    public override NetFunction Function => NetFunction.App;
    public override byte Command => 0x3C;

    public override int WriteData(Span<byte> data)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(data, BmcSessionId);
        return 4;
    }
}
