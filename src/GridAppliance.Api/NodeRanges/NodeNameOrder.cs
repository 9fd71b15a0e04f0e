namespace GridAppliance.Api.NodeRanges;

/// <summary>Names as people count them: n2 before n10.</summary>
public sealed class NodeNameOrder : IComparer<string>
{
    public static NodeNameOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null) return string.CompareOrdinal(x, y);
        int i = 0, j = 0;
        while (i < x.Length && j < y.Length)
        {
            if (char.IsAsciiDigit(x[i]) && char.IsAsciiDigit(y[j]))
            {
                var left = Digits(x, ref i);
                var right = Digits(y, ref j);
                var order = left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.CompareTo(right, StringComparison.Ordinal);
                if (order != 0) return order;
            }
            else
            {
                var order = char.ToLowerInvariant(x[i++]).CompareTo(char.ToLowerInvariant(y[j++]));
                if (order != 0) return order;
            }
        }
        var rest = (x.Length - i).CompareTo(y.Length - j);
        return rest != 0 ? rest : string.CompareOrdinal(x, y);
    }

    // A run of digits without its leading zeros, so that a longer run is a larger number.
    static ReadOnlySpan<char> Digits(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return text.AsSpan(start, at - start).TrimStart('0');
    }
}
