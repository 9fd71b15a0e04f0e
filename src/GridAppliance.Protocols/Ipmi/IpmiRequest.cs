using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Protocols.Ipmi;

/// <summary>A command to a BMC: which one, and how its data is laid out.</summary>
public abstract record IpmiRequest
{
    /// <summary>Most data that any request here carries; a caller's buffer has at least this much room.</summary>
    public const int MaxData = 64;

    public abstract NetFunction Function { get; }
    public abstract byte Command { get; }
    public virtual byte Lun => 0;

    /// <summary>False where doing it twice differs from doing it once: such a request is never sent again on silence.</summary>
    public virtual bool IsRepeatable => true;

    /// <summary>Writes the request's data, without header and checksums; returns its length.</summary>
    public virtual int WriteData(Span<byte> data) => 0;
}

/// <summary>A command with the answer that it gets.</summary>
public abstract record IpmiRequest<TAnswer> : IpmiRequest
{
    /// <summary>Reads the data that follows the completion code <see cref="CompletionCode.Ok"/>; false when it is too short or makes no sense.</summary>
    public abstract bool TryReadAnswer(ReadOnlySpan<byte> data, [MaybeNullWhen(false)] out TAnswer answer);
}

/// <summary>A command whose answer is its completion code alone.</summary>
public abstract record IpmiOrder : IpmiRequest<Accepted>
{
    public sealed override bool TryReadAnswer(ReadOnlySpan<byte> data, out Accepted answer)
    {
        answer = default;
        return true;
    }
}

/// <summary>The BMC took the order; there is nothing more to know.</summary>
public readonly record struct Accepted;
