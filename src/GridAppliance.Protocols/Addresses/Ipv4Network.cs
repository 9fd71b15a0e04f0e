using System.Diagnostics.CodeAnalysis;

namespace GridAppliance.Protocols.Addresses;

/// <summary>An interface address with its prefix (<c>10.77.0.1/24</c>): the host address is kept, the network follows from it.</summary>
public readonly record struct Ipv4Network(Ipv4Address Address, int PrefixLength) : ISpanParsable<Ipv4Network>
{
    public Ipv4Address Mask => new(PrefixLength == 0 ? 0 : uint.MaxValue << (32 - PrefixLength));

    /// <summary>First address of the network.</summary>
    public Ipv4Address Network => new(Address.Value & Mask.Value);

    /// <summary>Last address of the network: the directed broadcast.</summary>
    public Ipv4Address DirectedBroadcast => new(Address.Value | ~Mask.Value);

    public bool Contains(Ipv4Address address) => (address.Value & Mask.Value) == Network.Value;

    public bool Overlaps(Ipv4Network other) => Contains(other.Network) || other.Contains(Network);

    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Ipv4Network result)
    {
        result = default;
        var slash = s.IndexOf('/');
        if (slash < 0 || !Ipv4Address.TryParse(s[..slash], provider, out var address)) return false;
        if (!int.TryParse(s[(slash + 1)..], System.Globalization.NumberStyles.None, null, out var prefix) || prefix > 32) return false;
        result = new(address, prefix);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out Ipv4Network)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Ipv4Network result) => TryParse(s.AsSpan(), provider, out result);

    /// <exception cref="FormatException">The text is not ADDRESS/PREFIX.</exception>
    public static Ipv4Network Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not an address with a prefix such as 10.77.0.1/24");

    /// <exception cref="FormatException">The text is not ADDRESS/PREFIX.</exception>
    public static Ipv4Network Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public override string ToString() => $"{Address}/{PrefixLength}";
}

/// <summary>An inclusive range of addresses (<c>10.77.0.50-10.77.0.250</c>).</summary>
public readonly record struct Ipv4Range(Ipv4Address First, Ipv4Address Last) : ISpanParsable<Ipv4Range>
{
    /// <summary>How many addresses the range holds.</summary>
    public long Count => (long)Last.Value - First.Value + 1;

    public bool Contains(Ipv4Address address) => address >= First && address <= Last;

    /// <summary>Every address, from the first to the last.</summary>
    public IEnumerable<Ipv4Address> All()
    {
        for (var at = (long)First.Value; at <= Last.Value; at++) yield return new((uint)at);
    }

    public bool Overlaps(Ipv4Range other) => First <= other.Last && other.First <= Last;

    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Ipv4Range result)
    {
        result = default;
        var dash = s.IndexOf('-');
        if (dash < 0 || !Ipv4Address.TryParse(s[..dash].Trim(), provider, out var first) || !Ipv4Address.TryParse(s[(dash + 1)..].Trim(), provider, out var last)) return false;
        if (first > last) return false;
        result = new(first, last);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out Ipv4Range)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Ipv4Range result) => TryParse(s.AsSpan(), provider, out result);

    /// <exception cref="FormatException">The text is not FIRST-LAST in order.</exception>
    public static Ipv4Range Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not an address range such as 10.77.0.50-10.77.0.250");

    /// <exception cref="FormatException">The text is not FIRST-LAST in order.</exception>
    public static Ipv4Range Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public override string ToString() => $"{First}-{Last}";
}
