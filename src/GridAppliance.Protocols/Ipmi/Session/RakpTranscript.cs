using System.Buffers.Binary;
using System.Security.Cryptography;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>
/// What both ends have said by the end of RAKP message 2, and the codes that follow from it (IPMI 2.0, sections 13.28 to 13.32). The same
/// computation serves the console and a simulated BMC.
/// </summary>
public sealed class RakpTranscript
{
    public const int RandomLength = 16;
    public const int GuidLength = 16;
    public const int MaxHash = HMACSHA256.HashSizeInBytes;

    readonly byte[] consoleRandom, bmcRandom, bmcGuid, name;

    public RakpTranscript(CipherSuite suite, uint consoleId, uint bmcId, ReadOnlySpan<byte> consoleRandom, ReadOnlySpan<byte> bmcRandom, ReadOnlySpan<byte> bmcGuid, byte role, ReadOnlySpan<byte> name)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, Rakp1.MaxName);
        Suite = suite;
        ConsoleId = consoleId;
        BmcId = bmcId;
        Role = role;
        this.consoleRandom = consoleRandom[..RandomLength].ToArray();
        this.bmcRandom = bmcRandom[..RandomLength].ToArray();
        this.bmcGuid = bmcGuid[..GuidLength].ToArray();
        this.name = name.ToArray();
    }

    public CipherSuite Suite { get; }
    public uint ConsoleId { get; }
    public uint BmcId { get; }
    public byte Role { get; }

    /// <summary>HMAC(password; SIDm, SIDc, Rm, Rc, GUIDc, RoleM, ULengthM, UNameM).</summary>
    public int Rakp2Code(ReadOnlySpan<byte> password, Span<byte> destination)
    {
        Span<byte> data = stackalloc byte[8 + 2 * RandomLength + GuidLength + 2 + Rakp1.MaxName];
        var end = Append(data, 0, ConsoleId);
        end = Append(data, end, BmcId);
        end = Append(data, end, consoleRandom);
        end = Append(data, end, bmcRandom);
        end = Append(data, end, bmcGuid);
        end = AppendName(data, end);
        Suite.Hmac(password, data[..end], destination);
        return Suite.HashLength;
    }

    /// <summary>HMAC(password; Rc, SIDm, RoleM, ULengthM, UNameM).</summary>
    public int Rakp3Code(ReadOnlySpan<byte> password, Span<byte> destination)
    {
        Span<byte> data = stackalloc byte[RandomLength + 4 + 2 + Rakp1.MaxName];
        var end = Append(data, 0, bmcRandom);
        end = Append(data, end, ConsoleId);
        end = AppendName(data, end);
        Suite.Hmac(password, data[..end], destination);
        return Suite.HashLength;
    }

    /// <summary>The session integrity key: HMAC(K_g, or the password where no K_g is set; Rm, Rc, RoleM, ULengthM, UNameM).</summary>
    public int SessionKey(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        Span<byte> data = stackalloc byte[2 * RandomLength + 2 + Rakp1.MaxName];
        var end = Append(data, 0, consoleRandom);
        end = Append(data, end, bmcRandom);
        end = AppendName(data, end);
        Suite.Hmac(key, data[..end], destination);
        return Suite.HashLength;
    }

    /// <summary>HMAC(session key; Rm, SIDc, GUIDc), cut to <see cref="CipherSuite.Rakp4Length"/>.</summary>
    public int Rakp4Code(ReadOnlySpan<byte> sessionKey, Span<byte> destination)
    {
        Span<byte> data = stackalloc byte[RandomLength + 4 + GuidLength];
        var end = Append(data, 0, consoleRandom);
        end = Append(data, end, BmcId);
        end = Append(data, end, bmcGuid);
        Span<byte> full = stackalloc byte[MaxHash];
        Suite.Hmac(sessionKey, data[..end], full);
        full[..Suite.Rakp4Length].CopyTo(destination);
        return Suite.Rakp4Length;
    }

    int AppendName(Span<byte> data, int at)
    {
        data[at++] = Role;
        data[at++] = (byte)name.Length;
        return Append(data, at, name);
    }

    static int Append(Span<byte> data, int at, ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(data[at..]);
        return at + octets.Length;
    }

    static int Append(Span<byte> data, int at, uint sessionId)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(data[at..], sessionId);
        return at + 4;
    }
}
