namespace GridAppliance.Boot.Dhcp;

/// <summary>The hex text of relays' circuit and remote ids, made once for each: a switch has as many as ports. When somebody makes them up, remembering stops and the text is made anew.</summary>
sealed class CircuitIds
{
    const int Limit = 8192;

    readonly Lock gate = new();
    readonly Dictionary<string, string> known = [];
    readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> bySpan;

    public CircuitIds() => bySpan = known.GetAlternateLookup<ReadOnlySpan<char>>();

    public string Text(ReadOnlySpan<byte> id)
    {
        Span<char> text = stackalloc char[2 * 255];
        var converted = Convert.TryToHexStringLower(id, text, out var length);
        System.Diagnostics.Debug.Assert(converted, "a sub-option has at most 255 octets");
        lock (gate)
        {
            if (bySpan.TryGetValue(text[..length], out var found)) return found;
            var made = text[..length].ToString();
            if (known.Count < Limit) known[made] = made;
            return made;
        }
    }
}
