using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace GridAppliance.Switches;

/// <summary>The number of a VLAN that frames can be tagged with: 1–4094 (IEEE 802.1Q, section 9.6).</summary>
readonly record struct VlanId : IComparable<VlanId>, ISpanParsable<VlanId>
{
    public const int Largest = 4094;

    readonly ushort value;

    /// <exception cref="ArgumentOutOfRangeException">Not between 1 and 4094.</exception>
    public VlanId(int value) => this.value = IsValid(value) ? (ushort)value : throw new ArgumentOutOfRangeException(nameof(value), value, "a VLAN is between 1 and 4094");

    public int Value => value;

    public static bool IsValid(long value) => value is >= 1 and <= Largest;

    /// <summary>Null for a number that no VLAN has: 0 and 4095 stand for "none" on some switches.</summary>
    public static VlanId? From(long value) => IsValid(value) ? new((int)value) : null;

    public int CompareTo(VlanId other) => value.CompareTo(other.value);

    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out VlanId result)
    {
        var isNumber = int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && IsValid(number);
        result = isNumber ? new(number) : default;
        return isNumber;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out VlanId result) => TryParse(s.AsSpan(), provider, out result);

    /// <exception cref="FormatException">The text is not a VLAN.</exception>
    public static VlanId Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) => TryParse(s, provider, out var result) ? result : throw new FormatException($"'{s}' is not a VLAN (1-4094)");

    /// <exception cref="FormatException">The text is not a VLAN.</exception>
    public static VlanId Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    public override string ToString() => value.ToString(CultureInfo.InvariantCulture);
}
