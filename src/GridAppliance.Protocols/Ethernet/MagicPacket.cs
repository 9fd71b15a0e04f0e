using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Protocols.Ethernet;

/// <summary>The pattern that wakes a machine whose NIC listens for it while the rest sleeps (AMD publication 20213): six octets FFh, then its MAC sixteen times.</summary>
/// <remarks>
/// <code>
/// | FF FF FF FF FF FF | MAC (6) × 16 |
/// 0                   6              102
/// </code>
/// </remarks>
public static class MagicPacket
{
    public const int Length = Preamble + Repeats * MacAddress.Length;

    const int Preamble = 6;
    const int Repeats = 16;

    /// <param name="destination">At least <see cref="Length"/> octets.</param>
    /// <param name="mac">Who is to wake up.</param>
    public static int Write(Span<byte> destination, MacAddress mac)
    {
        destination[..Preamble].Fill(0xFF);
        for (var at = Preamble; at < Length; at += MacAddress.Length) mac.Write(destination[at..]);
        return Length;
    }

    /// <summary>Finds the pattern, which may stand anywhere in a frame.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out MacAddress mac)
    {
        for (; source.Length >= Length; source = source[1..])
        {
            if (source[..Preamble].ContainsAnyExcept((byte)0xFF)) continue;
            var first = source.Slice(Preamble, MacAddress.Length);
            var matches = true;
            for (var at = Preamble; at < Length && matches; at += MacAddress.Length) matches = source.Slice(at, MacAddress.Length).SequenceEqual(first);
            if (!matches) continue;
            mac = MacAddress.Read(first);
            return true;
        }
        mac = default;
        return false;
    }
}
