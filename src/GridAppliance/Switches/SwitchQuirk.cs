using System.Collections.Frozen;

namespace GridAppliance.Switches;

/// <summary>A way in which a switch departs from Q-BRIDGE-MIB, each seen on a real one.</summary>
enum SwitchQuirk
{
    TextPortLists,
    NoStaticMembership,
    NoCurrentTable,
    CurrentTableIsHistory,
    NoTimeMarks,
    ShortPortLists,
    PvidZero,
    RowNumbersForVlans,
    EmptyPortLists,
    NoMembership,
    NoInterfaceMap,
    NonsensePortLists,
    ReservedVlans,
    PortsBeyondTheBridge,
}

/// <param name="Symptom">What the switch does.</param>
/// <param name="Treatment">What we make of it.</param>
/// <param name="ForbidsWriting">Writing to such a switch could do damage.</param>
sealed record QuirkRow(string Symptom, string Treatment, bool ForbidsWriting);

/// <summary>The quirks and what is done about each; a recording of a switch that has it stands in the tests for every row.</summary>
static class SwitchQuirks
{
    public static FrozenDictionary<SwitchQuirk, QuirkRow> Table { get; } = new Dictionary<SwitchQuirk, QuirkRow>
    {
        [SwitchQuirk.TextPortLists] = new("port lists are text: port numbers with commas between (Junos)", "read as text; zeros, which stand for ports without a number, are left out", true),
        [SwitchQuirk.NoStaticMembership] = new("the static table has names but no port lists", "membership is read from the current table", true),
        [SwitchQuirk.NoCurrentTable] = new("there is no current table (H3C)", "membership is read from the static table alone", false),
        [SwitchQuirk.CurrentTableIsHistory] = new("the current table has a row for each change of a VLAN (Moxa)", "the row with the latest time mark counts", false),
        [SwitchQuirk.NoTimeMarks] = new("the current table has no time marks: each row bears zero (Arista, HP)", "it cannot be asked for what has changed, and port lists are read whole each minute", false),
        [SwitchQuirk.ShortPortLists] = new("zero octets at the end of a port list are left out (DCN)", "what is missing is zero; lists are written in their full length", false),
        [SwitchQuirk.PvidZero] = new("trunks without a native VLAN have PVID 0 (Junos)", "read as no native VLAN", false),
        [SwitchQuirk.RowNumbersForVlans] = new("the static table is indexed by row number, and VLANs are in the names only (Cumulus)", "VLANs are read from the names", true),
        [SwitchQuirk.EmptyPortLists] = new("every port list is zero although ports have PVIDs", "membership is unknown, not empty", true),
        [SwitchQuirk.NoMembership] = new("there are VLANs but nowhere port lists", "membership is unknown; PVIDs are told", true),
        [SwitchQuirk.NoInterfaceMap] = new("no bridge port is tied to an interface (MX960)", "ports are called by their number; nothing is written", true),
        [SwitchQuirk.NonsensePortLists] = new("a port list names ports that the bridge does not have (Foundry: 16-bit numbers in place of bits)", "membership of that VLAN is unknown, and is never written back", true),
        [SwitchQuirk.ReservedVlans] = new("there are VLANs with numbers that no frame can carry (4095)", "they are left out", false),
        [SwitchQuirk.PortsBeyondTheBridge] = new("PVIDs or port lists name ports that the bridge's own table leaves out (Junos aggregates)", "such ports are shown by number, and never written", false),
    }.ToFrozenDictionary();
}
