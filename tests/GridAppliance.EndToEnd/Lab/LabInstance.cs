using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Lab;

/// <summary>A lab of a test's own, built from what this tree built, and gone afterwards.</summary>
sealed class LabInstance : IAsyncDisposable
{
    /// <summary>Far above what a boot takes even on a busy machine: a test that comes near it has failed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    LabInstance(LabPlan plan) => Rig = new LabRig(plan, LabPrograms.Built(), TimeProvider.System);

    public LabRig Rig { get; }
    public LabPlan Plan => Rig.Plan;

    /// <summary>Namespaces, switch and cables; nothing runs yet on either end.</summary>
    public static Task<LabInstance> BuildAsync(string name, params ServerFirmware[] rack) => BuildAsync(LabPlan.For(LabName.Parse(name), rack));

    public static async Task<LabInstance> BuildAsync(LabPlan plan)
    {
        var instance = new LabInstance(plan);
        var problems = Preflight.Problems(instance.Plan, LabPrograms.Built(), appliance: true);
        Assert.True(problems.Count == 0, string.Join(Environment.NewLine, problems));
        await instance.Rig.TearDownAsync(CancellationToken.None);
        await instance.Rig.BuildAsync(CancellationToken.None);
        return instance;
    }

    public async Task PowerOnAsync()
    {
        foreach (var server in Plan.Servers) await Rig.Servers.PowerOnAsync(server, CancellationToken.None);
    }

    /// <summary>Fails with what the appliance, the console and the log say.</summary>
    public Task<IReadOnlyDictionary<LabServer, TimeSpan>> UntilIdleAsync() =>
        new BootWatch(Rig, BootFigures.Typical, TimeProvider.System).UntilIdleAsync(TimeProvider.System.GetUtcNow(), Patience, _ => { }, CancellationToken.None);

    public async Task<IReadOnlyList<NodeDocument>> NodesAsync() => await Rig.Appliance.Client.GetNodes(null, CancellationToken.None);

    public async Task<NodeDocument> NodeOfAsync(LabServer server)
    {
        var node = ServerProgress.NodeOf(server, await NodesAsync());
        Assert.NotNull(node);
        return node;
    }

    /// <summary>Asks until the answer is as wanted.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> wanted, string what, TimeSpan? patience = null)
    {
        var giveUp = TimeProvider.System.GetUtcNow() + (patience ?? Patience);
        while (true)
        {
            var answer = await ask();
            if (wanted(answer)) return answer;
            if (TimeProvider.System.GetUtcNow() > giveUp) throw new LabException($"{what} did not come to pass. The last answer was {answer}.");
            await Task.Delay(Look);
        }
    }

    /// <summary>Runs gridctl against this lab's appliance; fails when it does.</summary>
    public Task<string> GridctlAsync(params string[] command) =>
        Command.RunAsync(["/usr/bin/env", $"GRIDCTL_URL=unix:{Plan.Paths.ApiSocket}", LabPrograms.Built().Gridctl, .. command], CancellationToken.None);

    /// <returns>The state in which the change's only operation ended, with its reason if it has one.</returns>
    public async Task<string> EndOfAsync(ChangeDocument change)
    {
        var node = Assert.Single(change.Nodes);
        Assert.True(node.Accepted, node.Message);
        var ended = await UntilAsync(() => Rig.Appliance.Client.GetOperation(node.OperationId!, CancellationToken.None), operation => operation.State is not ("running" or "undoing"), "the end of an operation");
        return ended.Reason is null ? ended.State : $"{ended.State}: {ended.Reason}";
    }

    /// <summary>Trusts a key to sign modules with.</summary>
    public async Task TrustAsync(string name, string pem)
    {
        var keys = Directory.CreateDirectory(Path.Combine(Plan.Paths.Data, "module-keys")).FullName;
        await File.WriteAllTextAsync(Path.Combine(keys, name + ".pem"), pem);
    }

    public async ValueTask DisposeAsync()
    {
        await Rig.TearDownAsync(CancellationToken.None);
        Rig.Dispose();
    }
}
