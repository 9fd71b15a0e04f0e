using GridAppliance.Api.Client;
using GridAppliance.Api.Switches;
using GridAppliance.Cli.Terminal;

namespace GridAppliance.Cli.Commands.Switches;

sealed class SwitchShowCommand() : SwitchActionCommand("show", "A switch: what it is, what it can do, what of it is ours.")
{
    protected override Task<SwitchDocument> Ask(ApplianceClient client, string name, CancellationToken cancellation) => client.GetSwitch(name, cancellation);

    internal static void Write(SwitchDocument shown, GridctlTerminal terminal) => terminal.Facts(
    [
        ("switch", new(shown.Name, Tone.Strong)),
        ("state", new(shown.State, shown.State == "ok" ? Tone.Good : Tone.Warning)),
        ("problem", shown.Problem is null ? null : new Cell(shown.Problem, Tone.Bad)),
        ("address", shown.Address),
        ("login", shown.Account),
        ("calls itself", shown.SystemName),
        ("description", shown.Description),
        ("up", shown.UptimeSeconds is { } up ? Phrases.Ago(TimeSpan.FromSeconds(up)) : null),
        ("last read", shown.LastRead is { } read ? $"{Phrases.Clock(read)}, took {shown.ReadMs:0} ms" : "not yet"),
        ("owner", shown.Ownership == "theirs" ? new Cell($"the appliance '{shown.Owner}': nothing is written until it lets go, or `gridctl switch take {shown.Name}`", Tone.Warning) : shown.Ownership),
        .. shown.Abilities.Select((words, i) => (i == 0 ? "can" : "", (Cell?)words)),
        ("unsaved", shown.Unsaved ? "changed, and not in its start-up store yet" : null),
        ("our ports", Some(shown.Ours.Ports, "none: nothing of it is written")),
        ("our VLANs", Some(shown.Ours.Vlans, "none: nothing of it is written")),
        ("uplinks", Some(shown.Ours.Uplinks, null)),
        .. shown.RecognisedUplinks.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => ("uplink", (Cell?)$"{u.Key} {u.Value}")),
        ("drift", shown.Drift),
        ("ports", $"{shown.Ports}"),
        ("VLANs", string.Join(", ", shown.Vlans.Select(v => v.Name.Length > 0 ? $"{v.Vlan} {v.Name}" : $"{v.Vlan}"))),
    ]);

    static Cell? Some(IReadOnlyList<string> list, string? none) => list.Count > 0 ? string.Join(", ", list) : none is null ? null : new Cell(none, Tone.Faint);
}
