using System.CommandLine;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Cli;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Cli;

/// <summary>Every change can be looked at before it is made.</summary>
public sealed class DryRunTests
{
    /// <summary>What only asks, what types at a console for a person, and work given to a grid, whose own programs say what they would do.</summary>
    static readonly string[] NoChanges =
    [
        "status", "nodes", "node show", "node timeline", "why", "console", "log", "events", "console-script list", "discover list", "module list", "module build", "module show", "module changes",
        "grid list", "grid show", "grid run", "grid submit", "grid pass", "grid output", "resources", "power status", "sensors", "port list", "switch list", "switch show", "switch ports",
        "fabric map", "fabric verify", "fabric guard", "san list", "san zones", "operation list", "operation show", "operation wait", "doctor",
        // It has --plan.
        "establish",
    ];

    [Fact]
    public void Every_command_that_changes_something_says_what_it_would_do() =>
        Assert.Empty(Leaves(CommandTree.Root(), "").Where(leaf => !leaf.Command.Options.Any(option => option.Name == "--dry-run")).Select(leaf => leaf.Name).Except(NoChanges));

    static IEnumerable<(string Name, Command Command)> Leaves(Command command, string name) => command.Subcommands.Count == 0
        ? [(name, command)]
        : command.Subcommands.SelectMany(child => Leaves(child, name.Length == 0 ? child.Name : $"{name} {child.Name}"));

    [Fact]
    public async Task What_has_a_name_is_looked_up_and_left_as_it_is()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        var before = plane.Timeline.Last;

        await SaysAsync("leaf1: snmp+qbridge://10.0.0.2 would be read, marked as ours and tried", "switch", "add", "leaf1", "snmp+qbridge://10.0.0.2");
        await SaysAsync("fab1: tgt+unix:///run/tgtd/socket.0 would be looked after", "san", "add", "fab1", "tgt+unix:///run/tgtd/socket.0");
        await SaysAsync("web: would be taken out when nobody asked for it for 30 min", "module", "idle", "web", "--after", "30m");
        await SaysAsync("n1: would be restarted and boot its image for a person at its console", "recover", "n1");
        await SaysAsync("n1: its next boot would be an ordinary one", "recover", "n1", "--cancel");
        var plan = Path.Combine(plane.DataDir, "cables.csv");
        await File.WriteAllTextAsync(plan, "n1,leaf1,Gi0/1\nn2,leaf1,Gi0/2\n");
        await SaysAsync("cables.csv: 2 lines would replace the plan of 0 cables", "fabric", "expect", plan);

        Assert.Equal(3, (await plane.Gridctl("console-script", "run", "n1", "no-such", "--dry-run")).Status);
        Assert.Equal(3, (await plane.Gridctl("san", "remove", "fab9", "--dry-run")).Status);
        foreach (var change in (string[][])[["switch", "remove", "leaf9"], ["switch", "allow", "leaf9"], ["switch", "probe", "leaf9"], ["switch", "take", "leaf9"], ["recover", "n9"]])
            Assert.Equal(1, (await plane.Gridctl([.. change, "--dry-run"])).Status);

        var json = JsonSerializer.Deserialize((await plane.Gridctl("recover", "n1", "--dry-run", "-o", "json")).Output, ApiJson.Default.ChangeDocument)!;
        Assert.True(json.DryRun && json.Nodes is [{ Node: "n1", Accepted: true }]);
        Assert.Equal(before, plane.Timeline.Last);
        foreach (var list in (string[][])[["switch", "list"], ["san", "list"], ["module", "idle"]]) Assert.Equal("[]", (await plane.Gridctl([.. list, "-o", "json"])).Output.Trim());

        async Task SaysAsync(string line, params string[] command)
        {
            var ran = await plane.Gridctl([.. command, "--dry-run"]);
            Assert.Equal((0, line), (ran.Status, ran.Output.Trim()));
        }
    }
}
