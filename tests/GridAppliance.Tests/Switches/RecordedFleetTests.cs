using System.Globalization;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Switches;

/// <summary>Recordings of real switches, each taken in by a whole daemon with the command that people use, with every port and VLAN of it ours: it is read, said in words, and nothing of it is written by guess.</summary>
public sealed class RecordedFleetTests : IAsyncLifetime
{
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync() => plane = await ManagementPlaneHost.StartAsync();

    public Task DisposeAsync() => plane.DisposeAsync().AsTask();

    [CaseFact]
    public async Task Every_recorded_switch_is_taken_in_shown_and_left_as_it_is()
    {
        var secret = Path.Combine(plane.DataDir, "community");
        await File.WriteAllTextAsync(secret, RecordedAgent.Community);
        var recordings = RecordedSwitchTests.QBridge.Select(name => (Name: name, Scheme: "snmp+qbridge")).Append((Name: "librenms/nxos_n3k-3064pq", Scheme: "snmp+cisco")).ToList();
        foreach (var (number, (recording, scheme)) in recordings.Index())
        {
            var tree = Recording.Load(SharedCases.PathOf($"snmp/{recording}.snmprec"));
            await using var agent = new RecordedAgent(tree);
            var name = $"sw{number}";
            var added = await plane.Gridctl("switch", "add", name, $"{scheme}://127.0.0.1:{agent.Agent.EndPoint.Port}", "--secret-file", secret, "--ports", "*", "--vlans", "1-4094");
            Assert.True(added.Status == 0, $"{recording}: {added.Error}");
            Assert.True(added.Output.Contains("It refuses") || added.Output.Contains("It is not written to:"), $"{recording}: {added.Output}");
            Assert.Contains("It takes no mark of who owns it", added.Output);

            var ports = JsonSerializer.Deserialize((await plane.Gridctl("switch", "ports", name, "-o", "json")).Output, ApiJson.Default.IReadOnlyListSwitchPortDocument)!;
            AssertPvids(recording, ports.ToLookup(p => p.Name, p => p.Pvid));
            var moved = await plane.Gridctl("switch", "vlan", $"{name}/{ports[0].Name}", "250");
            Assert.True(moved.Status == 3, $"{recording}: {moved.Output}{moved.Error}");
            Assert.True(moved.Output.Contains("refused") || moved.Output.Contains("stays as it was"), $"{recording}: {moved.Output}");
            Assert.Empty(tree.Written);
            Assert.True((await plane.Gridctl("fabric", "map")).Status == 0, recording);
            var removed = await plane.Gridctl("switch", "remove", name);
            Assert.True(removed.Status == 0, $"{recording}: {removed.Error}");
        }
    }

    static void AssertPvids(string recording, ILookup<string, int?> shown)
    {
        var facts = SharedCases.Json($"snmp/{recording}.facts.json");
        if (!facts.TryGetProperty("dot1qPvid", out var pvids) || !facts.TryGetProperty("bridge_ports", out var ports)) return;
        foreach (var port in ports.EnumerateObject())
        {
            if (port.Value.GetProperty("ifName").GetString() is not { Length: > 0 } name || !pvids.TryGetProperty(port.Name, out var pvid)) continue;
            var expected = pvid.GetInt32() is > 0 and < 4095 and var vlan ? vlan : (int?)null;
            Assert.True(shown[name].Contains(expected), string.Create(CultureInfo.InvariantCulture, $"{recording}: {name} has PVID {string.Join('/', shown[name])} and not {expected}"));
        }
    }
}
