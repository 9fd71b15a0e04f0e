using System.Collections.Immutable;

namespace GridAppliance.Protocols.Snmp;

/// <summary>The kinds of PDU, by tag (RFC 3416, section 3; the version 1 trap is a layout of its own, see <see cref="TrapV1"/>).</summary>
public enum SnmpPduType : byte
{
    Get = 0xA0,
    GetNext = 0xA1,
    Response = 0xA2,
    Set = 0xA3,
    GetBulk = 0xA5,
    Inform = 0xA6,
    Trap = 0xA7,
    Report = 0xA8,
}

/// <summary>An agent's verdict (RFC 3416, section 3). Others than these are read as <see cref="GeneralError"/>.</summary>
public enum SnmpErrorStatus
{
    None = 0,
    TooBig = 1,
    NoSuchName = 2,
    BadValue = 3,
    ReadOnly = 4,
    GeneralError = 5,
    NoAccess = 6,
    WrongType = 7,
    WrongLength = 8,
    WrongEncoding = 9,
    WrongValue = 10,
    NoCreation = 11,
    InconsistentValue = 12,
    ResourceUnavailable = 13,
    CommitFailed = 14,
    UndoFailed = 15,
    AuthorizationError = 16,
    NotWritable = 17,
    InconsistentName = 18,
}

/// <summary>A PDU of every kind but the version 1 trap.</summary>
public sealed record SnmpPdu
{
    //  [type] SEQUENCE {
    //      request-id      INTEGER,
    //      error-status    INTEGER,    -- GETBULK: non-repeaters
    //      error-index     INTEGER,    -- GETBULK: max-repetitions
    //      SEQUENCE OF SEQUENCE { name OBJECT IDENTIFIER, value CHOICE }
    //  }

    /// <summary>More than fit in a datagram of any sane agent, and few enough to hold.</summary>
    public const int MaximumVarbinds = 4096;

    const byte Sequence = 0x30;

    public required SnmpPduType Type { get; init; }
    public required int RequestId { get; init; }
    public SnmpErrorStatus ErrorStatus { get; init; }
    /// <summary>The varbind that the error is about, from 1; zero: none, or all.</summary>
    public int ErrorIndex { get; init; }
    /// <summary>GETBULK: how many of the first variables are asked for once only.</summary>
    public int NonRepeaters { get; init; }
    /// <summary>GETBULK: how many rows of the others.</summary>
    public int MaxRepetitions { get; init; }
    public ImmutableArray<Varbind> Varbinds { get; init; } = [];

    /// <summary>Whether a Response or Report may be sent back for it (RFC 3411, section 2.8: the confirmed class).</summary>
    public bool IsConfirmed => Type is SnmpPduType.Get or SnmpPduType.GetNext or SnmpPduType.Set or SnmpPduType.GetBulk or SnmpPduType.Inform;

    public static bool TryRead(ReadOnlySpan<byte> source, out SnmpPdu? pdu, out ReadOnlySpan<byte> rest, out SnmpDefect defect)
    {
        pdu = null;
        if (!BerReader.TryRead(source, out var tag, out var body, out rest, out defect)) return false;
        if (!Enum.IsDefined((SnmpPduType)tag)) { defect = SnmpDefect.UnknownPdu; return false; }
        if (!BerReader.TryTakeInt32(ref body, out var id, out defect)
            || !BerReader.TryTakeInt32(ref body, out var second, out defect)
            || !BerReader.TryTakeInt32(ref body, out var third, out defect)
            || !TryReadVarbinds(ref body, out var varbinds, out defect)) return false;
        if (!body.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
        var type = (SnmpPduType)tag;
        pdu = type == SnmpPduType.GetBulk
            // Negative counts stand for zero (RFC 3416, section 4.2.3).
            ? new() { Type = type, RequestId = id, NonRepeaters = Math.Max(0, second), MaxRepetitions = Math.Max(0, third), Varbinds = varbinds }
            : new() { Type = type, RequestId = id, ErrorStatus = Known(second), ErrorIndex = Math.Max(0, third), Varbinds = varbinds };
        return true;
    }

    /// <summary>The request id of a PDU, without reading its variables.</summary>
    internal static bool TryPeekRequestId(ReadOnlySpan<byte> source, out int requestId)
    {
        requestId = 0;
        return BerReader.TryRead(source, out _, out var body, out _, out _) && BerReader.TryTakeInt32(ref body, out requestId, out _);
    }

    internal void Write(ref BerWriter writer)
    {
        var end = writer.Position;
        WriteVarbinds(ref writer, Varbinds);
        writer.WriteInteger(Type == SnmpPduType.GetBulk ? MaxRepetitions : ErrorIndex);
        writer.WriteInteger(Type == SnmpPduType.GetBulk ? NonRepeaters : (int)ErrorStatus);
        writer.WriteInteger(RequestId);
        writer.Close((byte)Type, end);
    }

    /// <summary>Octets that it takes at most in a message, itself included.</summary>
    public int EncodedLength
    {
        get
        {
            const int Integers = 3 * 6;
            var varbinds = 0;
            foreach (var varbind in Varbinds) varbinds += varbind.EncodedLength;
            return BerWriter.FieldLength(Integers + BerWriter.FieldLength(varbinds));
        }
    }

    internal static bool TryReadVarbinds(scoped ref ReadOnlySpan<byte> source, out ImmutableArray<Varbind> varbinds, out SnmpDefect defect)
    {
        varbinds = [];
        if (!BerReader.TryTake(ref source, Sequence, out var list, out defect)) return false;
        var found = ImmutableArray.CreateBuilder<Varbind>();
        while (!list.IsEmpty)
        {
            if (found.Count == MaximumVarbinds) { defect = SnmpDefect.TooManyVarbinds; return false; }
            if (!BerReader.TryTake(ref list, Sequence, out var pair, out defect)) return false;
            if (!BerReader.TryTake(ref pair, (byte)SnmpSyntax.ObjectIdentifier, out var name, out defect)) return false;
            if (!ObjectIdentifier.TryReadContents(name, out var identifier)) { defect = SnmpDefect.BadObjectIdentifier; return false; }
            if (!BerReader.TryRead(pair, out var tag, out var contents, out var rest, out defect)) return false;
            if (!rest.IsEmpty) { defect = SnmpDefect.TrailingOctets; return false; }
            if (!SnmpValue.TryRead(tag, contents, out var value, out defect)) return false;
            found.Add(new(identifier, value));
        }
        varbinds = found.DrainToImmutable();
        return true;
    }

    internal static void WriteVarbinds(ref BerWriter writer, ImmutableArray<Varbind> varbinds)
    {
        var end = writer.Position;
        for (var i = varbinds.Length - 1; i >= 0; i--)
        {
            var pair = writer.Position;
            varbinds[i].Value.Write(ref writer);
            writer.WriteIdentifier(varbinds[i].Name);
            writer.Close(Sequence, pair);
        }
        writer.Close(Sequence, end);
    }

    static SnmpErrorStatus Known(int status) => Enum.IsDefined((SnmpErrorStatus)status) ? (SnmpErrorStatus)status : SnmpErrorStatus.GeneralError;
}
