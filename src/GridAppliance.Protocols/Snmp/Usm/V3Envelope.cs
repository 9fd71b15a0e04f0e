using System.Buffers.Binary;

namespace GridAppliance.Protocols.Snmp.Usm;

/// <summary>What goes around a scoped PDU when a message is written; the layout stands at <see cref="V3Message"/>.</summary>
public readonly ref struct V3Envelope
{
    const byte Sequence = 0x30;

    /// <summary>Octets around the PDU at most, with the longest names and signatures.</summary>
    public const int Overhead = 320;

    public required int MessageId { get; init; }
    /// <summary>Octets that we take in one message.</summary>
    public required int MaximumSize { get; init; }
    public required bool IsReportable { get; init; }
    public required ReadOnlySpan<byte> EngineId { get; init; }
    public required int Boots { get; init; }
    public required int Time { get; init; }
    /// <summary>Never the same twice for one key, as long as an engine's boots and time do not change: a counter from a random start.</summary>
    public ulong Salt { get; init; }

    /// <summary>Writes a message protected as <paramref name="user"/> says to the front of <paramref name="destination"/>; returns its length.</summary>
    public int Write(Span<byte> destination, UsmUser user, ScopedPdu scoped)
    {
        Span<byte> salt = stackalloc byte[user.Cipher is null ? 0 : UsmCipher.SaltLength];
        if (!salt.IsEmpty) BinaryPrimitives.WriteUInt64BigEndian(salt, Salt);
        var writer = new BerWriter(destination);
        var end = writer.Position;

        scoped.Write(ref writer);
        if (user.Cipher is { } cipher)
        {
            cipher.Encrypt(writer.From(end), Boots, Time, salt);
            writer.Close((byte)SnmpSyntax.OctetString, end);
        }
        var fromEnd = WriteSecurity(ref writer, user, salt);
        WriteHeader(ref writer, user);
        writer.WriteInteger((int)SnmpVersion.V3);
        writer.Close(Sequence, end);

        var length = writer.Finish();
        if (user.Authentication != UsmAuthentication.None)
        {
            var message = destination[..length];
            user.Sign(message, message.Slice(length - fromEnd, user.Authentication.SignatureLength()));
        }
        return length;
    }

    // Returns where the signature starts, counted from the end of the message.
    int WriteSecurity(ref BerWriter writer, UsmUser user, scoped ReadOnlySpan<byte> salt)
    {
        var end = writer.Position;
        writer.WriteOctets((byte)SnmpSyntax.OctetString, salt);
        Span<byte> zeros = stackalloc byte[user.Authentication.SignatureLength()];
        zeros.Clear();
        var signature = writer.Position;
        writer.WriteRaw(zeros);
        var fromEnd = writer.Written.Length;
        writer.Close((byte)SnmpSyntax.OctetString, signature);
        writer.WriteOctets((byte)SnmpSyntax.OctetString, user.Name);
        writer.WriteInteger(Time);
        writer.WriteInteger(Boots);
        writer.WriteOctets((byte)SnmpSyntax.OctetString, EngineId);
        writer.Close(Sequence, end);
        writer.Close((byte)SnmpSyntax.OctetString, end);
        return fromEnd;
    }

    void WriteHeader(ref BerWriter writer, UsmUser user)
    {
        var end = writer.Position;
        writer.WriteInteger(V3Message.UserSecurityModel);
        writer.WriteOctets((byte)SnmpSyntax.OctetString, [(byte)(user.Level | (IsReportable ? V3Flags.Reportable : V3Flags.None))]);
        writer.WriteInteger(MaximumSize);
        writer.WriteInteger(MessageId);
        writer.Close(Sequence, end);
    }
}
