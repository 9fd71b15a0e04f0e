using System.Globalization;

namespace GridAppliance.Consoles.Serial;

enum SerialParity { None, Odd, Even, Mark, Space }

enum SerialFlow { None, RtsCts, XonXoff }

/// <summary>How a serial line is spoken: <c>?speed=115200&amp;bits=8&amp;parity=none&amp;stop=1&amp;flow=none&amp;dtr=on&amp;rts=on</c> behind a port's address; what is not named is as here.</summary>
sealed record SerialSettings
{
    public int Speed { get; init; } = 115200;
    public int Bits { get; init; } = 8;
    public SerialParity Parity { get; init; }
    public int StopBits { get; init; } = 1;
    public SerialFlow Flow { get; init; }
    /// <summary>Raised while the port is open; some adapters wire a machine's reset to it.</summary>
    public bool Dtr { get; init; } = true;
    public bool Rts { get; init; } = true;

    static readonly SerialSettings Usual = new();

    /// <summary>Reads what stands behind the question mark; null when it is not understood.</summary>
    public static SerialSettings? Read(string query)
    {
        var settings = Usual;
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Split('=') is not [var key, var value] || With(settings, key, value) is not { } next) return null;
            settings = next;
        }
        return settings;
    }

    /// <summary>The one form in which settings are kept: only what is not usual, always in this order.</summary>
    public string ToQuery()
    {
        var parts = new List<string>();
        if (Speed != Usual.Speed) parts.Add($"speed={Speed}");
        if (Bits != Usual.Bits) parts.Add($"bits={Bits}");
        if (Parity != Usual.Parity) parts.Add($"parity={Parity.ToString().ToLowerInvariant()}");
        if (StopBits != Usual.StopBits) parts.Add($"stop={StopBits}");
        if (Flow != Usual.Flow) parts.Add($"flow={Flow.ToString().ToLowerInvariant()}");
        if (!Dtr) parts.Add("dtr=off");
        if (!Rts) parts.Add("rts=off");
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    static SerialSettings? With(SerialSettings settings, string key, string value) => (key, value) switch
    {
        ("speed", _) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var speed) && speed is >= 50 and <= 12_000_000 ? settings with { Speed = speed } : null,
        ("bits", "5" or "6" or "7" or "8") => settings with { Bits = value[0] - '0' },
        ("parity", "none" or "odd" or "even" or "mark" or "space") => settings with { Parity = Enum.Parse<SerialParity>(value, ignoreCase: true) },
        ("stop", "1" or "2") => settings with { StopBits = value[0] - '0' },
        ("flow", "none" or "rtscts" or "xonxoff") => settings with { Flow = Enum.Parse<SerialFlow>(value, ignoreCase: true) },
        ("dtr", "on" or "off") => settings with { Dtr = value == "on" },
        ("rts", "on" or "off") => settings with { Rts = value == "on" },
        _ => null,
    };
}
