namespace GridAppliance.Protocols.Ipmi.Sensors;

/// <summary>A sensor's unit: the three unit octets of its record (IPMI 2.0, tables 43-1 and 43-15).</summary>
public readonly record struct SensorUnit(byte Flags, byte Base, byte Modifier)
{
    static readonly string[] Names =
    [
        "unspecified", "degrees C", "degrees F", "degrees K", "Volts", "Amps", "Watts", "Joules", "Coulombs", "VA", "Nits", "lumen", "lux", "Candela", "kPa", "PSI",
        "Newton", "CFM", "RPM", "Hz", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "mil", "inches", "feet", "cu in", "cu feet",
        "mm", "cm", "m", "cu cm", "cu m", "liters", "fluid ounce", "radians", "steradians", "revolutions", "cycles", "gravities", "ounce", "pound", "ft-lb", "oz-in",
        "gauss", "gilberts", "henry", "millihenry", "farad", "microfarad", "ohms", "siemens", "mole", "becquerel", "PPM", "reserved", "Decibels", "DbA", "DbC", "gray",
        "sievert", "color temp deg K", "bit", "kilobit", "megabit", "gigabit", "byte", "kilobyte", "megabyte", "gigabyte", "word", "dword", "qword", "line", "hit", "miss",
        "retry", "reset", "overflow", "underrun", "collision", "packets", "messages", "characters", "error", "correctable error", "uncorrectable error", "fatal error", "grams",
    ];

    static readonly string[] Rates = ["", " per microsecond", " per millisecond", " per second", " per minute", " per hour", " per day", ""];

    public bool IsPercentage => (Flags & 1) != 0;

    public override string ToString()
    {
        var name = NameOf(Base);
        name = (Flags >> 1 & 3) switch
        {
            1 => $"{name}/{NameOf(Modifier)}",
            2 => $"{name}*{NameOf(Modifier)}",
            _ => name,
        };
        return IsPercentage ? Base == 0 ? "percent" : $"% {name}" : name + Rates[Flags >> 3 & 7];
    }

    static string NameOf(byte unit) => unit < Names.Length ? Names[unit] : $"unit {unit}";
}
