namespace GridAppliance.Protocols.Snmp;

/// <summary>
/// The VLANs of a trunk as CISCO-VTP-MIB writes them: four columns of 128 octets, each for 1,024 VLANs, counted from ZERO, most significant bit
/// first (unlike a <see cref="PortList"/>, which counts from one).
/// </summary>
public static class VlanBits
{
    public const int ColumnOctets = 128;
    public const int VlansPerColumn = ColumnOctets * 8;
    public const int Columns = 4;

    /// <summary>The VLANs of column 0–3. Columns come short, and a missing octet holds no VLAN.</summary>
    public static IEnumerable<int> Read(ReadOnlyMemory<byte> octets, int column)
    {
        for (var bit = 0; bit < Math.Min(octets.Length, ColumnOctets) * 8; bit++)
        {
            if ((octets.Span[bit / 8] & 0x80 >> (bit & 7)) != 0) yield return column * VlansPerColumn + bit;
        }
    }

    /// <summary>All 128 octets of column 0–3.</summary>
    public static byte[] Write(IEnumerable<int> vlans, int column)
    {
        var octets = new byte[ColumnOctets];
        foreach (var vlan in vlans)
        {
            if (vlan / VlansPerColumn == column) octets[vlan % VlansPerColumn / 8] |= (byte)(0x80 >> (vlan & 7));
        }
        return octets;
    }
}
