using System.Buffers;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>msgFlags (RFC 3412, section 6.4).</summary>
[Flags]
public enum V3Flags : byte
{
    None = 0,
    Authenticated = 1,
    Private = 2,
    /// <summary>A Report may be sent back.</summary>
    Reportable = 4,
}

/// <summary>A version 3 message with the security parameters of the User-based Security Model, as it lies in its datagram: nothing of it is verified yet.</summary>
public readonly ref struct V3Message
{
    //  SEQUENCE {
    //      version INTEGER (3),
    //      SEQUENCE { msgID INTEGER, msgMaxSize INTEGER, msgFlags OCTET STRING (1), msgSecurityModel INTEGER (3) },
    //      OCTET STRING { SEQUENCE { engineID OCTET STRING, boots INTEGER, time INTEGER, user OCTET STRING, signature OCTET STRING, salt OCTET STRING } },
    //      CHOICE { scopedPDU SEQUENCE { contextEngineID, contextName, PDU },  encrypted OCTET STRING }
    //  }

    public const int UserSecurityModel = 3;
    /// <summary>Smallest size that an engine must take (RFC 3412, section 6.3).</summary>
    public const int SmallestMaximum = 484;
    public const int MaximumEngineId = 32;
    public const int MaximumUserName = 32;

    const byte Sequence = 0x30;

    ReadOnlySpan<byte> Datagram { get; init; }
    int SignatureOffset { get; init; }
    ReadOnlySpan<byte> Signature { get; init; }
    ReadOnlySpan<byte> Salt { get; init; }
    ReadOnlySpan<byte> Body { get; init; }

    public int MessageId { get; private init; }
    /// <summary>Octets that the sender takes in one message.</summary>
    public int MaximumSize { get; private init; }
    public V3Flags Flags { get; private init; }
    /// <summary>The authoritative engine: the agent's, for all but traps. Empty in a request for it.</summary>
    public ReadOnlySpan<byte> EngineId { get; private init; }
    public int Boots { get; private init; }
    public int Time { get; private init; }
    public ReadOnlySpan<byte> UserName { get; private init; }

    public V3Flags Level => Flags & (V3Flags.Authenticated | V3Flags.Private);

    public static bool TryRead(ReadOnlySpan<byte> datagram, out V3Message message, out SnmpDefect defect)
    {
        message = default;
        var outer = datagram;
        if (!BerReader.TryTake(ref outer, Sequence, out var rest, out defect)) return false;
        if (!outer.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        if (!BerReader.TryTakeInt32(ref rest, out var version, out defect)) return false;
        if (version != (int)SnmpVersion.V3) { defect = SnmpDefect.UnknownVersion; return false; }
        if (!TryReadHeader(ref rest, out var id, out var maximum, out var flags, out defect)) return false;
        if (!BerReader.TryTake(ref rest, (byte)SnmpSyntax.OctetString, out var wrapped, out defect)
            || !BerReader.TryTake(ref wrapped, Sequence, out var security, out defect)
            || !BerReader.TryTake(ref security, (byte)SnmpSyntax.OctetString, out var engine, out defect)
            || !BerReader.TryTakeInt32(ref security, out var boots, out defect)
            || !BerReader.TryTakeInt32(ref security, out var time, out defect)
            || !BerReader.TryTake(ref security, (byte)SnmpSyntax.OctetString, out var user, out defect)
            || !BerReader.TryTake(ref security, (byte)SnmpSyntax.OctetString, out var signature, out defect)
            || !BerReader.TryTake(ref security, (byte)SnmpSyntax.OctetString, out var salt, out defect)) return false;
        if (!security.IsEmpty || !wrapped.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        // Boots and time may be anything here: a negative one is in nobody's window, and says no less who the engine is.
        if (engine.Length > MaximumEngineId || user.Length > MaximumUserName) { defect = SnmpDefect.BadSecurityParameters; return false; }
        message = new()
        {
            Datagram = datagram,
            MessageId = id,
            MaximumSize = maximum,
            Flags = flags,
            EngineId = engine,
            Boots = boots,
            Time = time,
            UserName = user,
            Signature = signature,
            SignatureOffset = OffsetOf(datagram, signature),
            Salt = salt,
            Body = rest,
        };
        return true;
    }

    static bool TryReadHeader(scoped ref ReadOnlySpan<byte> source, out int id, out int maximum, out V3Flags flags, out SnmpDefect defect)
    {
        id = maximum = 0;
        flags = default;
        if (!BerReader.TryTake(ref source, Sequence, out var header, out defect)
            || !BerReader.TryTakeInt32(ref header, out id, out defect)
            || !BerReader.TryTakeInt32(ref header, out maximum, out defect)
            || !BerReader.TryTake(ref header, (byte)SnmpSyntax.OctetString, out var octets, out defect)
            || !BerReader.TryTakeInt32(ref header, out var model, out defect)) return false;
        if (!header.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        if (model != UserSecurityModel) { defect = SnmpDefect.UnknownSecurityModel; return false; }
        if (id < 0 || maximum < SmallestMaximum) { defect = SnmpDefect.BadInteger; return false; }
        if (octets.Length != 1) { defect = SnmpDefect.BadFlags; return false; }
        flags = (V3Flags)octets[0] & (V3Flags.Authenticated | V3Flags.Private | V3Flags.Reportable);
        if ((flags & V3Flags.Private) != 0 && (flags & V3Flags.Authenticated) == 0) { defect = SnmpDefect.BadFlags; return false; }
        return true;
    }

    // The signature's place is needed to blank it out; the span itself only says what is in it.
    static int OffsetOf(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> part)
    {
        whole.Overlaps(part, out var offset);
        return offset;
    }

    /// <summary>The message's id, cheaply: to find whom it answers before it is read whole.</summary>
    public static bool TryPeekMessageId(ReadOnlySpan<byte> datagram, out int messageId)
    {
        messageId = 0;
        return BerReader.TryTake(ref datagram, Sequence, out var rest, out _)
            && BerReader.TryTakeInt32(ref rest, out var version, out _) && version == (int)SnmpVersion.V3
            && BerReader.TryTake(ref rest, Sequence, out var header, out _)
            && BerReader.TryTakeInt32(ref header, out messageId, out _);
    }

    /// <summary>Whether the signature is of that user; a message without one is not.</summary>
    public bool IsSignedBy(UsmUser user) =>
        (Flags & V3Flags.Authenticated) != 0 && user.Authentication != UsmAuthentication.None && Signature.Length == user.Authentication.SignatureLength()
        && user.Verify(Datagram, SignatureOffset);

    /// <summary>
    /// Verifies, decrypts and reads what is inside, at the level that the message's own flags say: the caller compares <see cref="Level"/> with
    /// what it demands, and <see cref="Boots"/> and <see cref="Time"/> with the window.
    /// </summary>
    public bool TryOpen(UsmUser user, out ScopedPdu? scoped, out SnmpDefect defect)
    {
        scoped = null;
        if (!UserName.SequenceEqual(user.Name)) { defect = SnmpDefect.WrongUser; return false; }
        if ((Flags & V3Flags.Authenticated) != 0 && !IsSignedBy(user)) { defect = SnmpDefect.WrongDigest; return false; }
        var body = Body;
        if ((Flags & V3Flags.Private) == 0) return ScopedPdu.TryRead(body, mayHavePadding: false, out scoped, out defect);
        if (user.Cipher is null) { defect = SnmpDefect.Undecipherable; return false; }
        if (!BerReader.TryTake(ref body, (byte)SnmpSyntax.OctetString, out var secret, out defect)) return false;
        if (!body.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        var rented = ArrayPool<byte>.Shared.Rent(secret.Length);
        try
        {
            var text = rented.AsSpan(0, secret.Length);
            if (user.Cipher.TryDecrypt(secret, text, Boots, Time, Salt) && ScopedPdu.TryRead(text, mayHavePadding: true, out scoped, out _)) return true;
            defect = SnmpDefect.Undecipherable;
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }
}
