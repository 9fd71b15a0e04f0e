using System.CommandLine;

namespace GridAppliance.Cli.Commands.Switches;

static class SwitchArguments
{
    public static Argument<string> Name() => new("SWITCH") { Description = "Its name." };

    public static Option<string?> Ports() => new("--ports") { Description = "Ports that may be written: Gi0/1, Gi0/*, 1-24; several with commas. None without it.", HelpName = "PORTS" };

    public static Option<string?> Vlans() => new("--vlans") { Description = "VLANs that may be written: 100, 200-299; several with commas. None without it.", HelpName = "VLANS" };

    public static Option<string?> Uplinks() => new("--uplinks") { Description = "Ports that are never written, besides those that are recognised.", HelpName = "PORTS" };

    public static Option<string?> Drift() => new("--drift") { Description = "Who is right when the switch is not as it was left: report (a person says), assert (we), adopt (the switch).", HelpName = "report|assert|adopt" };

    public static IReadOnlyList<string> Words(string? text) => text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
