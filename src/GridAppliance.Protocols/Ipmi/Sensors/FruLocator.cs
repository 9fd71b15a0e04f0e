using System.Diagnostics.CodeAnalysis;
using GridAppliance.Protocols.Ipmi.Fru;

namespace GridAppliance.Protocols.Ipmi.Sensors;

/// <summary>A record that says where a FRU inventory lies (IPMI 2.0, section 43.8).</summary>
public sealed record FruLocator(byte AccessAddress, byte Device, bool IsLogical, byte Entity, byte EntityInstance, string Name)
{
    //  octet 5          6        7                              8         10-11        12       13         15            16 …
    //  +--------------+--------+------------------------------+---------+------------+--------+----------+-------------+------+
    //  | address 7:1  | device | logical 7, LUN 4:3, bus 2:0  | channel | type …     | entity | instance | name's type | name |
    //  +--------------+--------+------------------------------+---------+------------+--------+----------+-------------+------+

    const int NameAt = 15;

    /// <summary>True when the BMC itself reads it, so that <see cref="Commands.ReadFruData"/> serves.</summary>
    public bool IsReadThroughBmc => IsLogical && AccessAddress == IpmbMessage.BmcAddress;

    public static bool TryRead(ReadOnlySpan<byte> record, [MaybeNullWhen(false)] out FruLocator locator)
    {
        locator = null;
        if (!SdrHeader.TryRead(record, out var header) || header.Type != SdrType.FruLocator) return false;
        if (record.Length <= NameAt || !FruField.TryRead(record[NameAt..], out var name, out _)) return false;
        locator = new((byte)(record[5] & 0xFE), record[6], (record[7] & 0x80) != 0, record[12], record[13], name);
        return true;
    }
}
