using System.Text;

namespace GridAppliance.Testing;

/// <summary>Sensor data records laid out by hand (IPMI 2.0, section 43.1).</summary>
public static class SdrBytes
{
    /// <summary>A full record of a threshold sensor whose octet is its value times <paramref name="m"/>, unsigned.</summary>
    public static byte[] Full(byte number, string name, byte sensorType, byte unit, byte m = 1)
    {
        var record = new byte[48 + name.Length];
        (record[0], record[2], record[3], record[4]) = (number, 0x51, 0x01, (byte)(record.Length - 5));
        // Owner 20h, sensor, entity 3 (processor) instance 1, initialised, event messages per threshold.
        (record[5], record[7], record[8], record[9], record[10], record[11]) = (0x20, number, 3, 1, 0x7F, 0x68);
        (record[12], record[13]) = (sensorType, 0x01);
        // All thresholds can be read and set.
        (record[18], record[19]) = (0x3F, 0x3F);
        (record[21], record[24]) = (unit, m);
        (record[36], record[37], record[38], record[39], record[40], record[41]) = (110, 100, 90, 1, 2, 3);
        record[47] = (byte)(0xC0 | name.Length);
        Encoding.ASCII.GetBytes(name, record.AsSpan(48));
        return record;
    }
}

/// <summary>Inventories laid out by hand (FRU Information Storage Definition 1.3).</summary>
public static class FruBytes
{
    /// <summary>A header and a board area.</summary>
    public static byte[] Board(string maker, string product, string serial, string partNumber)
    {
        byte[] area = [1, 0, 25, 0x40, 0x42, 0x0F, .. Field(maker), .. Field(product), .. Field(serial), .. Field(partNumber), 0xC0, 0xC1];
        Array.Resize(ref area, (area.Length + 8) / 8 * 8);
        area[1] = (byte)(area.Length / 8);
        area[^1] = Checksum(area);
        byte[] header = [1, 0, 0, 1, 0, 0, 0, 0];
        header[7] = Checksum(header);
        return [.. header, .. area];
    }

    static byte[] Field(string text) => [(byte)(0xC0 | text.Length), .. Encoding.ASCII.GetBytes(text)];

    static byte Checksum(byte[] octets) => unchecked((byte)-octets.Sum(o => o));
}
