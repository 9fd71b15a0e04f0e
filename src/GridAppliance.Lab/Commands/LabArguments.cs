using System.Globalization;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab.Commands;

/// <summary>gridlab's command line, read.</summary>
sealed record LabArguments
{
    public const string Usage =
        """
        gridlab builds a datacentre in this one machine, out of real parts: an appliance, a switch and servers that boot from it.

          gridlab up      [--servers N|LIST] [--image virtual|metal] [--timeout SECONDS] [--without-appliance]
          gridlab status
          gridlab power   SERVER on|off|soft|cycle
          gridlab break   TROUBLE [SERVER]       make a trouble; without one, list them
          gridlab break   --undo [TROUBLE [SERVER]]
          gridlab down

        --name NAME   which lab, when there are several (default gl)
        IMAGE         what the servers boot: virtual, or metal, which finds their BMCs from inside ('make image-metal' builds it)
        LIST          of bios, uefi-pxe and uefi-http, with commas (default bios,bios,uefi-pxe,uefi-http)
        """;

    public required string Verb { get; init; }
    public IReadOnlyList<string> Words { get; init; } = [];
    public LabName Name { get; init; } = LabName.Default;
    /// <summary>Null for the lab's own, or the standard rack.</summary>
    public IReadOnlyList<ServerFirmware>? Rack { get; init; }
    public LabImage Image { get; init; }
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(4);
    /// <summary>Build everything around the appliance, for a daemon that is started by hand in its namespace.</summary>
    public bool WithoutAppliance { get; init; }
    public bool Undo { get; init; }

    /// <exception cref="LabException">An option is not known, or has no sensible value.</exception>
    public static LabArguments Parse(IReadOnlyList<string> arguments)
    {
        var read = new LabArguments { Verb = arguments.Count > 0 ? arguments[0] : "help" };
        var words = new List<string>();
        for (var i = 1; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            string Value() => ++i < arguments.Count ? arguments[i] : throw new LabException($"{argument} wants a value.");
            switch (argument)
            {
                case "--name": read = read with { Name = LabName.Parse(Value()) }; break;
                case "--servers": read = read with { Rack = ParseRack(Value()) }; break;
                case "--image": read = read with { Image = ParseImage(Value()) }; break;
                case "--timeout": read = read with { Timeout = ParseSeconds(Value()) }; break;
                case "--without-appliance": read = read with { WithoutAppliance = true }; break;
                case "--undo": read = read with { Undo = true }; break;
                case var option when option.StartsWith('-'): throw new LabException($"gridlab does not know {option}.{Environment.NewLine}{Environment.NewLine}{Usage}");
                default: words.Add(argument); break;
            }
        }
        return read with { Words = words };
    }

    static IReadOnlyList<ServerFirmware> ParseRack(string text)
    {
        const int Most = 48;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return [.. text.Split(',').Select(ParseFirmware)];
        if (count is < 1 or > Most) throw new LabException($"--servers takes 1 to {Most}.");
        return [.. Enumerable.Range(0, count).Select(i => i < LabServers.StandardRack.Count ? LabServers.StandardRack[i] : ServerFirmware.Bios)];
    }

    static ServerFirmware ParseFirmware(string text) => text switch
    {
        "bios" => ServerFirmware.Bios,
        "uefi-pxe" => ServerFirmware.UefiPxe,
        "uefi-http" => ServerFirmware.UefiHttp,
        _ => throw new LabException($"'{text}' is no kind of server: bios, uefi-pxe or uefi-http."),
    };

    static LabImage ParseImage(string text) => Enum.GetValues<LabImage>().Where(image => image.Profile() == text).Cast<LabImage?>().SingleOrDefault()
        ?? throw new LabException($"'{text}' is no node image: {string.Join(" or ", Enum.GetValues<LabImage>().Select(image => image.Profile()))}.");

    static TimeSpan ParseSeconds(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
        ? TimeSpan.FromSeconds(seconds)
        : throw new LabException($"--timeout takes seconds, not '{text}'.");
}
