using GridAppliance.Agent;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Modules.Views;

namespace GridAppliance.Tests.Agent;

public sealed class ChangeReportTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_layer_that_programs_write_and_delete_while_it_is_read_is_told_of_as_far_as_it_is_there()
    {
        const int looks = 300;
        var paths = new AgentPaths(folder.Path);
        var views = AgentUnderTest.ViewsOf(paths);
        var record = new ModuleRecord
        {
            Name = "app", Version = "1.0", Class = "app", Digest = new('a', 64), Manifest = new() { Name = "app", Version = "1.0", Class = "app" }, Owners = [], Parameters = new Dictionary<string, string>(),
        };
        var upper = Directory.CreateDirectory(views.UpperOf(record)).FullName;
        File.WriteAllText(Path.Combine(upper, "stays"), "x");
        using var over = new CancellationTokenSource();
        var programs = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                for (var i = 0; i < 8; i++) File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(upper, $"var/run/{i}/deep")).FullName, "state"), "x");
                Directory.Delete(Path.Combine(upper, "var"), recursive: true);
            }
        });
        var report = new ChangeReport(views);
        try
        {
            for (var look = 0; look < looks; look++) Assert.Contains(report.Of(record, [], [], modules: 1).Changes, change => change is { What: "file", Action: "added", Target: "/stays" });
        }
        finally
        {
            await over.CancelAsync();
            await programs;
        }
    }
}
