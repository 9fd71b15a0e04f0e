using GridAppliance.Hosting;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

/// <summary>Counts what passes, with tag values made once: a counted packet costs no allocation.</summary>
static class DhcpTags
{
    static readonly KeyValuePair<string, object?>[] types = [.. Enumerable.Range(0, 14).Select(t => Tag("type", ((DhcpMessageType)t).ToString()))];
    static readonly KeyValuePair<string, object?>[] defects = [.. Enum.GetValues<DhcpDefect>().Select(d => Tag("reason", d.ToString()))];
    static readonly KeyValuePair<string, object?>[] silences = [.. Enum.GetValues<DhcpSilence>().Select(s => Tag("reason", s.ToString()))];

    public static void Received(DhcpNetwork network, DhcpMessageType type) => Telemetry.DhcpReceived.Add(1, Network(network), types[(int)type]);

    public static void Sent(DhcpNetwork network, DhcpMessageType type) => Telemetry.DhcpSent.Add(1, Network(network), types[(int)type]);

    public static void Dropped(DhcpNetwork network, DhcpDefect defect) => Telemetry.DhcpDropped.Add(1, Network(network), defects[(int)defect]);

    public static void Dropped(DhcpNetwork network, DhcpSilence reason) => Telemetry.DhcpDropped.Add(1, Network(network), silences[(int)reason]);

    static KeyValuePair<string, object?> Network(DhcpNetwork network) => new("network", network.Options.Name);

    static KeyValuePair<string, object?> Tag(string key, string name) => new(key, string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString())));
}
