namespace GridAppliance.Protocols.Ipmi.Sensors;

/// <summary>Table 43-1, octet 24; from 70h on the sensor has a table of its own and no formula.</summary>
public enum Linearisation : byte
{
    Linear = 0, Ln = 1, Log10 = 2, Log2 = 3, Exp = 4, Exp10 = 5, Exp2 = 6, Reciprocal = 7, Square = 8, Cube = 9, SquareRoot = 10, CubeRoot = 11,
    NonLinear = 0x70,
}

/// <summary>From a sensor's octet to its value: y = L((M·x + B·10^K1)·10^K2) (IPMI 2.0, section 36.3).</summary>
public sealed record SensorConversion(AnalogFormat Format, Linearisation Linearisation, int M, int B, int BExponent, int ResultExponent)
{
    /// <summary>The value, or null where this octet has none: out of a logarithm's domain, or a sensor without formula.</summary>
    public double? ToValue(byte raw)
    {
        double? x = Format switch
        {
            AnalogFormat.Unsigned => raw,
            AnalogFormat.OnesComplement => (sbyte)raw < 0 ? (sbyte)raw + 1 : raw,
            AnalogFormat.TwosComplement => (sbyte)raw,
            AnalogFormat.None => null,
        };
        if (x is null) return null;
        var linear = (M * x.Value + B * Math.Pow(10, BExponent)) * Math.Pow(10, ResultExponent);
        double? value = Linearisation switch
        {
            Linearisation.Linear => linear,
            Linearisation.Ln => Math.Log(linear),
            Linearisation.Log10 => Math.Log10(linear),
            Linearisation.Log2 => Math.Log2(linear),
            Linearisation.Exp => Math.Exp(linear),
            Linearisation.Exp10 => Math.Pow(10, linear),
            Linearisation.Exp2 => Math.Pow(2, linear),
            Linearisation.Reciprocal => 1 / linear,
            Linearisation.Square => linear * linear,
            Linearisation.Cube => linear * linear * linear,
            Linearisation.SquareRoot => Math.Sqrt(linear),
            Linearisation.CubeRoot => Math.Cbrt(linear),
            Linearisation.NonLinear => null,
        };
        return value is { } known && double.IsFinite(known) ? known : null;
    }

    /// <summary>Reads octets 20 and 23-29 of a full record; null where the sensor gives no number.</summary>
    internal static SensorConversion? Read(ReadOnlySpan<byte> record)
    {
        var format = (AnalogFormat)(record[20] >> 6);
        if (format == AnalogFormat.None) return null;
        var linearisation = (byte)(record[23] & 0x7F);
        return new(
            format,
            linearisation > (byte)Linearisation.CubeRoot ? Linearisation.NonLinear : (Linearisation)linearisation,
            Signed(record[24] | (record[25] & 0xC0) << 2, 10),
            Signed(record[26] | (record[27] & 0xC0) << 2, 10),
            Signed(record[29] & 0x0F, 4),
            Signed(record[29] >> 4, 4));
    }

    static int Signed(int value, int bits) => value << 32 - bits >> 32 - bits;
}
