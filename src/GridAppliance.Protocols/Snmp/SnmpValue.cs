using System.Text;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Snmp;

/// <summary>A value of any syntax. Numbers are held as they are, octets and identifiers by reference; equal when syntax and contents are.</summary>
public readonly struct SnmpValue : IEquatable<SnmpValue>
{
    readonly object? contents;
    readonly ulong bits;

    SnmpValue(SnmpSyntax syntax, ulong bits, object? contents) => (Syntax, this.bits, this.contents) = (syntax, bits, contents);

    public static SnmpValue Null { get; } = new(SnmpSyntax.Null, 0, null);
    public static SnmpValue NoSuchObject { get; } = new(SnmpSyntax.NoSuchObject, 0, null);
    public static SnmpValue NoSuchInstance { get; } = new(SnmpSyntax.NoSuchInstance, 0, null);
    public static SnmpValue EndOfMibView { get; } = new(SnmpSyntax.EndOfMibView, 0, null);

    public static SnmpValue Integer(int value) => new(SnmpSyntax.Integer32, (ulong)value, null);
    public static SnmpValue Gauge(uint value) => new(SnmpSyntax.Gauge32, value, null);
    public static SnmpValue Counter(uint value) => new(SnmpSyntax.Counter32, value, null);
    public static SnmpValue Counter64(ulong value) => new(SnmpSyntax.Counter64, value, null);
    /// <param name="hundredths">Hundredths of a second.</param>
    public static SnmpValue TimeTicks(uint hundredths) => new(SnmpSyntax.TimeTicks, hundredths, null);
    public static SnmpValue Octets(ReadOnlySpan<byte> octets) => new(SnmpSyntax.OctetString, 0, octets.ToArray());
    public static SnmpValue Opaque(ReadOnlySpan<byte> octets) => new(SnmpSyntax.Opaque, 0, octets.ToArray());
    public static SnmpValue Text(string text) => new(SnmpSyntax.OctetString, 0, Encoding.UTF8.GetBytes(text));
    public static SnmpValue Identifier(ObjectIdentifier value) => new(SnmpSyntax.ObjectIdentifier, 0, value);
    public static SnmpValue Address(Ipv4Address address)
    {
        var octets = new byte[4];
        address.Write(octets);
        return new(SnmpSyntax.IpAddress, 0, octets);
    }

    public SnmpSyntax Syntax { get; }

    /// <summary>One of the three answers that say that there is no value.</summary>
    public bool IsException => Syntax is SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView;

    /// <summary>The octets of an OCTET STRING, IpAddress or Opaque; empty for all others.</summary>
    public ReadOnlySpan<byte> AsOctets => contents as byte[];

    /// <summary>The identifier; empty for all others.</summary>
    public ObjectIdentifier AsIdentifier => contents is ObjectIdentifier identifier ? identifier : default;

    /// <summary>The octets as UTF-8 text; what is not UTF-8 shows as U+FFFD.</summary>
    public string AsText => Encoding.UTF8.GetString(AsOctets);

    /// <summary>Any of the number syntaxes, as it was sent.</summary>
    public bool TryGetNumber(out long value)
    {
        value = (long)bits;
        return Syntax is SnmpSyntax.Integer32 or SnmpSyntax.Counter32 or SnmpSyntax.Gauge32 or SnmpSyntax.TimeTicks || (Syntax == SnmpSyntax.Counter64 && value >= 0);
    }

    /// <summary>A number that fits: agents mix Integer32 and Gauge32 freely where a MIB asks for one of them.</summary>
    public bool TryGetInt32(out int value)
    {
        var fits = TryGetNumber(out var number) && number is >= int.MinValue and <= int.MaxValue;
        value = fits ? (int)number : 0;
        return fits;
    }

    /// <inheritdoc cref="TryGetInt32"/>
    public bool TryGetUInt32(out uint value)
    {
        var fits = TryGetNumber(out var number) && number is >= 0 and <= uint.MaxValue;
        value = fits ? (uint)number : 0;
        return fits;
    }

    /// <summary>All 64 bits of a number.</summary>
    public ulong AsUInt64 => bits;

    public bool Equals(SnmpValue other) => Syntax == other.Syntax && bits == other.bits && (contents, other.contents) switch
    {
        (byte[] mine, byte[] theirs) => mine.AsSpan().SequenceEqual(theirs),
        (ObjectIdentifier mine, ObjectIdentifier theirs) => mine == theirs,
        _ => contents is null && other.contents is null,
    };

    public override bool Equals(object? obj) => obj is SnmpValue other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Syntax);
        hash.Add(bits);
        hash.AddBytes(AsOctets);
        return hash.ToHashCode();
    }

    public static bool operator ==(SnmpValue left, SnmpValue right) => left.Equals(right);
    public static bool operator !=(SnmpValue left, SnmpValue right) => !left.Equals(right);

    public override string ToString() => Syntax switch
    {
        SnmpSyntax.Integer32 => ((long)bits).ToString(),
        SnmpSyntax.Counter32 or SnmpSyntax.Gauge32 or SnmpSyntax.TimeTicks or SnmpSyntax.Counter64 => bits.ToString(),
        SnmpSyntax.OctetString or SnmpSyntax.Opaque => Convert.ToHexStringLower(AsOctets),
        SnmpSyntax.IpAddress => Ipv4Address.Read(AsOctets).ToString(),
        SnmpSyntax.ObjectIdentifier => AsIdentifier.ToString(),
        SnmpSyntax.Null or SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView => Syntax.ToString(),
    };

    internal static bool TryRead(byte tag, ReadOnlySpan<byte> octets, out SnmpValue value, out SnmpDefect defect)
    {
        value = default;
        defect = SnmpDefect.None;
        var syntax = (SnmpSyntax)tag;
        switch (tag)
        {
            case (byte)SnmpSyntax.Integer32:
                if (!BerReader.TryDecodeInt32(octets, out var number)) return Fail(SnmpDefect.BadInteger, out defect);
                value = Integer(number);
                return true;
            case (byte)SnmpSyntax.Counter32 or (byte)SnmpSyntax.Gauge32 or (byte)SnmpSyntax.TimeTicks or (byte)SnmpSyntax.Counter64:
                var width = syntax == SnmpSyntax.Counter64 ? 8 : 4;
                if (!BerReader.TryDecodeUnsigned(octets, width, out var unsigned)) return Fail(SnmpDefect.BadInteger, out defect);
                value = new(syntax, unsigned, null);
                return true;
            case (byte)SnmpSyntax.IpAddress when octets.Length != 4:
                return Fail(SnmpDefect.BadValue, out defect);
            case (byte)SnmpSyntax.OctetString or (byte)SnmpSyntax.Opaque or (byte)SnmpSyntax.IpAddress:
                value = new(syntax, 0, octets.ToArray());
                return true;
            case (byte)SnmpSyntax.ObjectIdentifier:
                if (!ObjectIdentifier.TryReadContents(octets, out var identifier)) return Fail(SnmpDefect.BadObjectIdentifier, out defect);
                value = Identifier(identifier);
                return true;
            case (byte)SnmpSyntax.Null or (byte)SnmpSyntax.NoSuchObject or (byte)SnmpSyntax.NoSuchInstance or (byte)SnmpSyntax.EndOfMibView:
                if (!octets.IsEmpty) return Fail(SnmpDefect.BadValue, out defect);
                value = new(syntax, 0, null);
                return true;
            default:
                return Fail(SnmpDefect.UnknownSyntax, out defect);
        }
    }

    static bool Fail(SnmpDefect reason, out SnmpDefect defect)
    {
        defect = reason;
        return false;
    }

    internal void Write(ref BerWriter writer)
    {
        switch (Syntax)
        {
            case SnmpSyntax.Integer32:
                writer.WriteInteger((byte)Syntax, (long)bits);
                break;
            case SnmpSyntax.Counter32 or SnmpSyntax.Gauge32 or SnmpSyntax.TimeTicks or SnmpSyntax.Counter64:
                writer.WriteUnsigned((byte)Syntax, bits);
                break;
            case SnmpSyntax.ObjectIdentifier:
                writer.WriteIdentifier(AsIdentifier);
                break;
            case SnmpSyntax.OctetString or SnmpSyntax.Opaque or SnmpSyntax.IpAddress:
                writer.WriteOctets((byte)Syntax, AsOctets);
                break;
            case SnmpSyntax.Null or SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView:
                writer.WriteOctets((byte)Syntax, default);
                break;
        }
    }

    /// <summary>Octets of the contents, without tag and length.</summary>
    internal int ContentsLength => Syntax switch
    {
        SnmpSyntax.Integer32 => BerWriter.IntegerLength((long)bits),
        SnmpSyntax.Counter32 or SnmpSyntax.Gauge32 or SnmpSyntax.TimeTicks or SnmpSyntax.Counter64 => BerWriter.UnsignedLength(bits),
        SnmpSyntax.ObjectIdentifier => AsIdentifier.ContentsLength,
        SnmpSyntax.OctetString or SnmpSyntax.Opaque or SnmpSyntax.IpAddress => AsOctets.Length,
        SnmpSyntax.Null or SnmpSyntax.NoSuchObject or SnmpSyntax.NoSuchInstance or SnmpSyntax.EndOfMibView => 0,
    };
}
