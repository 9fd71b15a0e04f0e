using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

/// <summary>The harness itself: it lets a careful operation pass and finds each kind of carelessness.</summary>
public sealed class CrashHarnessTests
{
    [Fact]
    public Task An_operation_that_looks_before_it_acts_passes() => new CrashHarness(() => new FilesWorld(_ => { })).RunEverythingAsync();

    [Fact]
    public Task A_step_that_acts_without_looking_is_found() => Finds("leaves another world", world => world.Append = true);

    [Fact]
    public Task An_undo_that_forgets_something_is_found() => Finds("is not taken back", world => world.ForgetUndo = true);

    [Fact]
    public Task A_step_that_remembers_in_memory_is_found() => Finds("leaves another world", world => world.RememberInMemory = true);

    [Fact]
    public Task A_wait_that_nothing_ends_is_found() => Finds("still waiting", world => world.NeverReady = true);

    static async Task Finds(string complaint, Action<FilesWorld> careless)
    {
        var found = await Assert.ThrowsAsync<InvalidOperationException>(() => new CrashHarness(() => new FilesWorld(careless)).RunEverythingAsync());
        Assert.Contains(complaint, found.Message, StringComparison.Ordinal);
    }

    /// <summary>Three steps, each a file; the second waits for the world.</summary>
    sealed class FilesWorld : OperationWorld
    {
        bool ready;
        string? remembered;

        public FilesWorld(Action<FilesWorld> careless) => careless(this);

        public bool Append { get; set; }
        public bool ForgetUndo { get; set; }
        public bool RememberInMemory { get; set; }
        public bool NeverReady { get; set; }

        public override IOperationKind Kind => new ScriptedKind("files", Write("one"), Write("two", () => ready), Write("three"));

        public override Task<NewOperation> PrepareAsync() => Task.FromResult(new NewOperation("files", "{}"));

        public override Task MeanwhileAsync()
        {
            ready = !NeverReady;
            return Task.CompletedTask;
        }

        public override Task RestartAsync()
        {
            (ready, remembered) = (false, null);
            return base.RestartAsync();
        }

        public override string Fingerprint() => string.Join('\n', Directory.GetFiles(Store.Directory, "*.step").Order().Select(file => $"{Path.GetFileName(file)}: {File.ReadAllText(file)}"));

        Step Write(string name, Func<bool>? isReady = null) => new(name,
            _ =>
            {
                if (isReady?.Invoke() == false) return Task.FromResult<StepOutcome>(new StepOutcome.NotYet(TimeSpan.FromSeconds(1), "the world is not ready"));
                var file = Path.Combine(Store.Directory, name + ".step");
                if (Append) File.AppendAllText(file, "x");
                else File.WriteAllText(file, RememberInMemory ? $"after {remembered}" : "x");
                remembered = name;
                return StepOutcome.DoneNow();
            },
            _ =>
            {
                if (!ForgetUndo) File.Delete(Path.Combine(Store.Directory, name + ".step"));
                return StepOutcome.DoneNow();
            });
    }
}
