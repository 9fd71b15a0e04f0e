namespace GridAppliance.Protocols.Disks;

/// <summary>CRC-32 with the polynomial of IEEE 802.3, reflected, as UEFI asks for it (UEFI 2.10 section 4.2.1).</summary>
static class Crc32
{
    const uint Polynomial = 0xEDB88320;

    static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(static index =>
    {
        var value = (uint)index;
        for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? value >> 1 ^ Polynomial : value >> 1;
        return value;
    })];

    public static uint Of(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var octet in data) crc = crc >> 8 ^ Table[(byte)crc ^ octet];
        return ~crc;
    }
}
