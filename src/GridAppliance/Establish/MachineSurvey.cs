using System.Globalization;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Establish;

/// <summary>How a machine reaches one of our boot planes.</summary>
/// <param name="Appliance">The boot plane's address.</param>
/// <param name="From">The machine's own towards it.</param>
/// <param name="Mac">Of the interface that leads there.</param>
sealed record MachineRoute(Ipv4Address Appliance, Ipv4Address From, MacAddress Mac);

/// <summary>What the agent's place on a machine looks like.</summary>
/// <param name="Digest">SHA-256 of the agent that is there.</param>
/// <param name="Appliance">Fingerprint of the appliance that it belongs to.</param>
/// <param name="Mac">Under which NIC it enrolled.</param>
/// <param name="IsActive">Its service runs.</param>
/// <param name="IsBooted">It was booted by an appliance and has no system of its own.</param>
sealed record MachineAgent(string? Digest, string? Appliance, MacAddress? Mac, bool IsActive, bool IsBooted);

/// <summary>What a machine said of itself. Everything in it came from there.</summary>
sealed record MachineSurvey
{
    public required string? Arch { get; init; }
    public required string? MachineId { get; init; }
    public required string? Libc { get; init; }
    /// <summary>"Debian GNU/Linux 12 (bookworm)".</summary>
    public required string System { get; init; }
    public required bool HasSystemd { get; init; }
    /// <summary>Null: neither root nor sudo.</summary>
    public required RemoteRights? Rights { get; init; }
    /// <summary>KiB free, by folder.</summary>
    public required IReadOnlyDictionary<string, long> FreeKiB { get; init; }
    public required IReadOnlyList<MachineRoute> Routes { get; init; }
    public MachineAgent? Agent { get; init; }

    /// <summary>Null when the answer is none of the script's.</summary>
    public static MachineSurvey? From(RemoteAnswer.Ran answer)
    {
        if (answer.Find("look") != "1") return null;
        return new()
        {
            Arch = answer.Find("arch"),
            MachineId = answer.Find("machine"),
            Libc = answer.Find("libc"),
            System = RemoteAnswer.Short(answer.Find("system") ?? answer.Find("id") ?? "an unknown system"),
            HasSystemd = answer.Find("systemd") == "1",
            Rights = answer.Find("rights") switch { "root" => RemoteRights.Root, "free" => RemoteRights.FreeSudo, "asked" => RemoteRights.Sudo, _ => null },
            FreeKiB = answer.All("free").Select(static line => line.Split(' ')).Where(static words => words.Length == 2 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                .DistinctBy(static words => words[0]).ToDictionary(static words => words[0], static words => long.Parse(words[1], CultureInfo.InvariantCulture)),
            Routes = [.. answer.All("reach").Select(Route).OfType<MachineRoute>()],
        };
    }

    /// <summary>The agent's place, as root sees it; null when the script did not run as root.</summary>
    public static MachineAgent? AgentFrom(RemoteAnswer.Ran answer) => answer.Find("uid") == "0"
        ? new(answer.Find("digest"), answer.Find("key"), MacAddress.TryParse(answer.Find("mac"), out var mac) ? mac : null, answer.Find("active") == "active", answer.Find("booted") == "1")
        : null;

    static MachineRoute? Route(string line)
    {
        var words = line.Split(' ');
        return words.Length == 3 && Ipv4Address.TryParse(words[0], out var appliance) && Ipv4Address.TryParse(words[1], out var from) && MacAddress.TryParse(words[2], out var mac) && !mac.IsZero
            ? new(appliance, from, mac)
            : null;
    }
}
