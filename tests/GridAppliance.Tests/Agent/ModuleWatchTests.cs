using GridAppliance.Agent;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Api.Modules;

namespace GridAppliance.Tests.Agent;

/// <summary>Whoever waits for a module's health gets an answer, whatever happens to the looking.</summary>
public sealed class ModuleWatchTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly ScratchFolder folder = new();

    public ModuleWatchTests() => NodeRoot.Make(folder.Path);

    public void Dispose() => folder.Dispose();

    static ModuleRecord Record(ModuleHealth? health, params string[] start) => new()
    {
        Name = "app", Version = "1.0", Class = "app", Digest = new('0', 64), Owners = ["operator"], Parameters = new Dictionary<string, string>(),
        Manifest = new() { Name = "app", Version = "1.0", Class = "app", Start = start, Health = health, TimeoutSeconds = 1 },
    };

    async Task WatchAsync(ModuleRecord record, Func<ModuleWatch, ModuleLauncher, AgentPaths, Task> test)
    {
        var paths = new AgentPaths(folder.Path);
        var views = AgentUnderTest.ViewsOf(paths);
        var store = new ModuleStore(paths);
        var launcher = new ModuleLauncher(AgentUnderTest.Launcher, paths, views);
        views.Mount(record, []);
        Directory.CreateDirectory(ViewPath.ResolveWhole(views.Of(record), ModuleManifest.FolderOf(record.Name)));
        var watch = new ModuleWatch(record, store, launcher, new(record, launcher, store, TimeProvider.System), new(), new(TextWriter.Null), TimeProvider.System);
        await test(watch, launcher, paths);
    }

    [Fact]
    public async Task A_look_that_throws_is_a_reason_and_no_wait_for_ever()
    {
        // No such parameter: whatever it is that goes wrong, it is nothing that the looking was made for.
        await WatchAsync(Record(new() { PortParameter = "absent" }, "/bin/sleep", "1000"), async (watch, launcher, _) =>
        {
            watch.Begin(null);
            var reason = (await watch.ProveAsync(CancellationToken.None).WaitAsync(Patience)).Reason;
            Assert.StartsWith("was not healthy within 1 s: it cannot be looked at: ", reason, StringComparison.Ordinal);
            Assert.Equal("failed", watch.State);
            // The program is none the worse for it, and its end is noticed.
            var process = watch.Current!;
            Assert.True(NodeFingerprint.Runs(process.Process.Id));
            await watch.DisposeAsync();
            await launcher.StopAsync(process, TimeProvider.System, CancellationToken.None);
        });
    }

    [Fact]
    public async Task A_program_whose_note_cannot_be_written_is_ended_and_said_not_to_have_started()
    {
        await WatchAsync(Record(null, "/bin/sleep", "1000"), async (watch, _, paths) =>
        {
            // A file where the folder of notes should be.
            Directory.CreateDirectory(paths.Run);
            await File.WriteAllTextAsync(paths.Processes, "");
            watch.Begin(null);
            Assert.StartsWith("could not be started: ", (await watch.ProveAsync(CancellationToken.None).WaitAsync(Patience)).Reason, StringComparison.Ordinal);
            await watch.DisposeAsync();
            for (var looks = 0; NodeFingerprint.Processes(folder.Path).Any(); looks++)
            {
                Assert.True(looks < 3000, $"runs still: {string.Join("; ", NodeFingerprint.Processes(folder.Path))}");
                await Task.Delay(20);
            }
        });
    }
}
