using System.Security.Cryptography;
using GridAppliance.Protocols.Ipmi.Rmcp;

namespace GridAppliance.Protocols.Ipmi.Session;

/// <summary>
/// Signs and encrypts the packets of one session, and checks and decrypts what comes back (IPMI 2.0, sections 13.28.4 and 13.29). Not for use by
/// two threads at once: a session has one owner.
/// </summary>
public sealed class SessionCipher : IDisposable
{
    //  encrypted payload:                                   | AES-CBC-128 under K2's first 16 octets                |
    //  +---------------------------------------------------+------------------------------------------------------+
    //  | initialisation vector, 16 octets                  | payload, pad 01 02 03 …, pad length                   |
    //  +---------------------------------------------------+------------------------------------------------------+

    /// <summary>Octets of AES block, key and initialisation vector.</summary>
    public const int BlockLength = AesCbc.BlockLength;

    /// <summary>Most octets that sealing adds to a payload, headers included.</summary>
    public const int MaxOverhead = RmcpPlusPacket.HeaderLength + 2 * BlockLength + 3 + 2 + 16;

    const byte NextHeader = 0x07;
    const byte IntegrityPad = 0xFF;
    const int ConstantLength = 20;

    readonly CipherSuite suite;
    // Both are kept for as long as the session: setting one up takes longer than a packet.
    readonly IncrementalHash? hmac;
    readonly AesCbc? aes;

    /// <param name="suite">The suite both ends agreed on.</param>
    /// <param name="sessionKey">SIK, <see cref="CipherSuite.HashLength"/> octets.</param>
    public SessionCipher(CipherSuite suite, ReadOnlySpan<byte> sessionKey)
    {
        this.suite = suite;
        // K1 signs and K2 encrypts: HMACs of the session key over twenty octets 01 and 02 (section 13.32), twenty in the SHA-256 suites too.
        Span<byte> constant = stackalloc byte[ConstantLength], key = stackalloc byte[RakpTranscript.MaxHash];
        if (suite.Integrity != IntegrityAlgorithm.None)
        {
            constant.Fill(0x01);
            suite.Hmac(sessionKey, constant, key);
            hmac = suite.KeepHmac(key[..suite.HashLength]);
        }
        if (suite.Confidentiality != ConfidentialityAlgorithm.None)
        {
            if (suite.Confidentiality != ConfidentialityAlgorithm.AesCbc128) throw new NotSupportedException($"{suite} does not encrypt with AES");
            constant.Fill(0x02);
            suite.Hmac(sessionKey, constant, key);
            aes = new(key[..BlockLength]);
        }
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Wraps a payload for the peer; returns the datagram's length. <paramref name="datagram"/> has room for <see cref="MaxOverhead"/> octets more than the payload.</summary>
    /// <param name="datagram">Where the whole datagram is written.</param>
    /// <param name="type">What the payload is.</param>
    /// <param name="sessionId">The peer's own id of the session.</param>
    /// <param name="sequence">The session sequence number, never zero inside a session.</param>
    /// <param name="payload">Clear payload, outside of <paramref name="datagram"/>.</param>
    /// <param name="initialisationVector">Sixteen random octets; unused where the suite does not encrypt.</param>
    public int Seal(Span<byte> datagram, PayloadType type, uint sessionId, uint sequence, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> initialisationVector)
    {
        var flags = (aes is null ? 0 : RmcpPlusPacket.EncryptedBit) | (hmac is null ? 0 : RmcpPlusPacket.AuthenticatedBit);
        var length = Encrypt(datagram[RmcpPlusPacket.HeaderLength..], payload, initialisationVector);
        RmcpPlusPacket.WriteHeader(datagram, (byte)((byte)type | flags), sessionId, sequence, length);
        var end = RmcpPlusPacket.HeaderLength + length;
        if (hmac is null) return end;

        var signed = end - RmcpHeader.Length + 2;
        var pad = (4 - signed % 4) % 4;
        datagram.Slice(end, pad).Fill(IntegrityPad);
        end += pad;
        datagram[end++] = (byte)pad;
        datagram[end++] = NextHeader;
        Span<byte> code = stackalloc byte[RakpTranscript.MaxHash];
        hmac.AppendData(datagram[RmcpHeader.Length..end]);
        hmac.GetHashAndReset(code);
        code[..suite.AuthenticationCodeLength].CopyTo(datagram[end..]);
        return end + suite.AuthenticationCodeLength;
    }

    /// <summary>Checks a packet and decrypts its payload into <paramref name="clear"/>, which is at least as long as the packet's payload. A packet weaker than the suite is refused.</summary>
    public bool TryOpen(in RmcpPlusPacket packet, Span<byte> clear, out int length, out IpmiDefect defect)
    {
        length = 0;
        defect = packet.IsAuthenticated != (hmac is not null) ? IpmiDefect.Unauthenticated
            : packet.IsEncrypted != (aes is not null) ? IpmiDefect.Unencrypted
            : IpmiDefect.None;
        if (defect != IpmiDefect.None) return false;
        if (hmac is not null && !Verify(hmac, packet, out defect)) return false;
        return Decrypt(packet.Payload, clear, out length, out defect);
    }

    public void Dispose()
    {
        hmac?.Dispose();
        aes?.Dispose();
    }

    bool Verify(IncrementalHash hmac, in RmcpPlusPacket packet, out IpmiDefect defect)
    {
        var payloadEnd = RmcpPlusPacket.HeaderLength - RmcpHeader.Length + packet.Payload.Length;
        var signed = packet.Body.Length - suite.AuthenticationCodeLength;
        if (signed < payloadEnd + 2) { defect = IpmiDefect.Truncated; return false; }
        Span<byte> code = stackalloc byte[RakpTranscript.MaxHash];
        hmac.AppendData(packet.Body[..signed]);
        hmac.GetHashAndReset(code);
        if (!CryptographicOperations.FixedTimeEquals(code[..suite.AuthenticationCodeLength], packet.Body[signed..])) { defect = IpmiDefect.AuthenticationCode; return false; }
        // Signed by the BMC itself from here on; the pad is still counted so that payload and trailer cannot overlap.
        if (packet.Body[signed - 2] != signed - 2 - payloadEnd) { defect = IpmiDefect.Padding; return false; }
        defect = IpmiDefect.None;
        return true;
    }

    int Encrypt(Span<byte> destination, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> initialisationVector)
    {
        if (aes is null)
        {
            payload.CopyTo(destination);
            return payload.Length;
        }
        var pad = (BlockLength - (payload.Length + 1) % BlockLength) % BlockLength;
        var padded = payload.Length + pad + 1;
        initialisationVector[..BlockLength].CopyTo(destination);
        var text = destination.Slice(BlockLength, padded);
        payload.CopyTo(text);
        for (var i = 0; i < pad; i++) text[payload.Length + i] = (byte)(i + 1);
        text[^1] = (byte)pad;
        aes.Encrypt(text, destination[..BlockLength]);
        return BlockLength + padded;
    }

    bool Decrypt(ReadOnlySpan<byte> payload, Span<byte> clear, out int length, out IpmiDefect defect)
    {
        length = 0;
        defect = IpmiDefect.None;
        if (aes is null)
        {
            payload.CopyTo(clear);
            length = payload.Length;
            return true;
        }
        if (payload.Length < 2 * BlockLength || payload.Length % BlockLength != 0) { defect = IpmiDefect.CipherText; return false; }
        var written = aes.Decrypt(payload, clear);
        // The pad's own octets are not compared: some BMCs fill them with anything, and they are signed.
        var pad = clear[written - 1];
        if (pad > written - 1) { defect = IpmiDefect.Padding; return false; }
        length = written - 1 - pad;
        return true;
    }
}
