namespace GridAppliance.Protocols.Snmp;

/// <summary>
/// Writes BER from the last octet to the first, so that every length is known when it is written and always in its shortest form. Callers write
/// their fields in reverse. Running out of room throws: sizes are ours to know.
/// </summary>
ref struct BerWriter(Span<byte> buffer)
{
    readonly Span<byte> buffer = buffer;
    int at = buffer.Length;

    /// <summary>Where the next octet goes to the left of: pass it to <see cref="Close"/> to wrap what has been written since.</summary>
    public readonly int Position => at;

    public readonly Span<byte> Written => buffer[at..];

    public readonly Span<byte> From(int end) => buffer[at..end];

    /// <summary>Moves what was written to the front of the buffer; returns its length.</summary>
    public readonly int Finish()
    {
        Written.CopyTo(buffer);
        return buffer.Length - at;
    }

    public void Close(byte tag, int end)
    {
        WriteLength(end - at);
        buffer[--at] = tag;
    }

    public void WriteOctets(byte tag, scoped ReadOnlySpan<byte> contents)
    {
        var end = at;
        WriteRaw(contents);
        Close(tag, end);
    }

    public void WriteRaw(scoped ReadOnlySpan<byte> octets)
    {
        at -= octets.Length;
        octets.CopyTo(buffer[at..]);
    }

    public void WriteInteger(byte tag, long value)
    {
        var end = at;
        for (var i = IntegerLength(value); i > 0; i--, value >>= 8) buffer[--at] = (byte)value;
        Close(tag, end);
    }

    public void WriteInteger(int value) => WriteInteger((byte)SnmpSyntax.Integer32, value);

    public void WriteUnsigned(byte tag, ulong value)
    {
        var end = at;
        for (var i = UnsignedLength(value); i > 0; i--, value >>= 8) buffer[--at] = (byte)value;
        Close(tag, end);
    }

    public void WriteIdentifier(ObjectIdentifier value)
    {
        var end = at;
        at -= value.ContentsLength;
        value.WriteContents(buffer[at..end]);
        Close((byte)SnmpSyntax.ObjectIdentifier, end);
    }

    void WriteLength(int length)
    {
        if (length < 0x80)
        {
            buffer[--at] = (byte)length;
            return;
        }
        var end = at;
        for (; length > 0; length >>= 8) buffer[--at] = (byte)length;
        buffer[at - 1] = (byte)(0x80 | (end - at));
        at--;
    }

    public static int IntegerLength(long value)
    {
        var length = 1;
        for (; value is < -128 or > 127; value >>= 8) length++;
        return length;
    }

    /// <summary>With a zero octet in front where the top bit would make it negative.</summary>
    public static int UnsignedLength(ulong value)
    {
        var length = 1;
        for (; value > 127; value >>= 8) length++;
        return length;
    }

    /// <summary>Octets of a whole field with contents so long.</summary>
    public static int FieldLength(int contents) => contents + contents switch { < 0x80 => 2, < 0x100 => 3, < 0x1_0000 => 4, _ => 5 };
}
