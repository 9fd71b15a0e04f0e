using System.Diagnostics;
using GridAppliance.Agent;
using GridAppliance.Agent.Modules;
using GridAppliance.Agent.Modules.Views;
using GridAppliance.Agent.Resources;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Resources;

namespace GridAppliance.Tests.Agent;

/// <summary>The control group of an owner while programs come and go in it: a real kernel's groups, without limits, which are tried on a booted node.</summary>
public sealed class OwnersGroupTests : IDisposable
{
    const string Id = "00000000-0000-7000-8000-000000000001";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    readonly AgentPaths paths;
    readonly ControlGroups groups;

    public OwnersGroupTests()
    {
        NodeRoot.Make(folder.Path);
        paths = new(folder.Path);
        groups = new(paths);
    }

    public void Dispose() => folder.Dispose();

    ModuleLauncher Launcher() => new(AgentUnderTest.Launcher, paths, AgentUnderTest.ViewsOf(paths), place: _ => groups.PathOf(Id));

    static ModuleRecord Record => new()
    {
        Name = "app", Version = "1.0", Class = "app", Digest = new('a', 64), Owners = ["operator"], Parameters = new Dictionary<string, string>(),
        Manifest = new() { Name = "app", Version = "1.0", Class = "app", Start = ["/bin/sleep", "1000"] },
    };

    [Fact]
    public async Task It_ends_although_programs_are_started_in_it_meanwhile()
    {
        var module = Path.Combine(groups.PathOf(Id), "app");
        Directory.CreateDirectory(module);
        var started = new List<Process>();
        try
        {
            Enter(module, started);
            var ending = groups.EndAsync(Id, TimeProvider.System, CancellationToken.None);
            // A program that is kept running: its end is noticed, and it comes back.
            for (var i = 0; i < 5 && Directory.Exists(module); i++) Enter(module, started);
            await ending.WaitAsync(Patience);
            Assert.False(Directory.Exists(groups.PathOf(Id)));
        }
        finally
        {
            foreach (var process in started)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }

    [Fact]
    public async Task It_may_go_while_a_program_of_a_module_in_it_is_ended()
    {
        var launcher = Launcher();
        for (var round = 0; round < 20; round++)
        {
            Directory.CreateDirectory(Path.Combine(groups.PathOf(Id), "app"));
            await Task.WhenAll(Task.Run(() => launcher.ClearAsync("app", TimeProvider.System, CancellationToken.None)), Task.Run(() => groups.EndAsync(Id, TimeProvider.System, CancellationToken.None))).WaitAsync(Patience);
            Assert.False(Directory.Exists(groups.PathOf(Id)));
        }
    }

    [Fact]
    public void Once_gone_it_is_not_made_again_for_a_program_that_would_run_without_limits()
    {
        var refused = Assert.Throws<IOException>(() => Launcher().Start(Record, Path.Combine(folder.Path, "log")));
        Assert.Contains("there is no group", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(groups.PathOf(Id)));
    }

    [Fact]
    public async Task Of_disk_space_an_owners_modules_can_write_what_he_has_allocated_and_no_more()
    {
        await using var appliance = await ScriptedAppliance.StartAsync();
        await using var agent = new AgentUnderTest(appliance, folder.Path, groups: new BareGroups(groups));
        var orders = new OrdersToAgent(appliance);
        Task<OrderResult> Hold(int number, string module, long space) => orders.SendAsync(new()
        {
            Id = $"hold-{number}", NodeId = "node-1", Kind = "resources.hold",
            Holding = new() { Id = $"00000000-0000-7000-8000-{number:x12}", Owner = $"owner-{number}", Amounts = new() { Cpus = 1, DiskMiB = space }, Allocated = true, Seconds = 600, Modules = [module] },
        });
        byte[] Package(string name) => ModulePackageWriter.Write(new() { Name = name, Version = "1.0", Class = name, Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] } },
            [new("run", "#!/bin/sh\ndd if=/dev/zero of=/var/blob bs=4096 count=2000\n: > /tmp/up\nexec sleep 1000\n"u8.ToArray(), Executable: true)], appliance.Key);

        Assert.True((await orders.SendAsync(new() { Id = "look", NodeId = "node-1", Kind = "inventory" })).Succeeded);
        var before = NodeFingerprint.Take(folder.Path);
        Assert.True((await Hold(1, "app", 2)).Succeeded);
        var installed = await orders.InstallAsync(Package("app"), "app");
        Assert.True(installed.Succeeded, installed.Message);
        var layer = Directory.GetDirectories(paths.Layers, "app@*").Single();
        Assert.InRange(new FileInfo(Path.Combine(layer, "upper/var/blob")).Length, 1 << 20, 2 << 20);
        // Another owner of the same module brings his own.
        Assert.True((await Hold(2, "app", 3)).Succeeded);
        Assert.Equal(5 << 20, new DriveInfo(layer).TotalSize);

        Assert.True((await orders.InstallAsync(Package("loose"), "loose")).Succeeded);
        var refused = await Hold(3, "loose", 1);
        Assert.False(refused.Succeeded);
        Assert.Contains("loose is on this node already, and was not installed with a bound on its disk space", refused.Message, StringComparison.Ordinal);

        foreach (var name in (string[])["app", "loose"]) Assert.True((await orders.RemoveAsync(name)).Succeeded);
        foreach (var id in groups.Existing()) await orders.SendAsync(new() { Id = $"free-{id}", NodeId = "node-1", Kind = "resources.free", Holding = new() { Id = id, Owner = "", Amounts = new() } });
        Assert.Empty(groups.Existing());
        Assert.Equal(before, NodeFingerprint.Take(folder.Path));
    }

    [Fact]
    public async Task Programs_of_a_module_that_others_need_as_well_go_on_in_their_group_and_at_last_in_none_where_a_full_memory_ends_them_first()
    {
        await using var appliance = await ScriptedAppliance.StartAsync();
        await using var agent = new AgentUnderTest(appliance, folder.Path, groups: new BareGroups(groups));
        var orders = new OrdersToAgent(appliance);
        HoldingOrder Holding(int number) => new() { Id = $"00000000-0000-7000-8000-{number:x12}", Owner = $"owner-{number}", Amounts = new() { Cpus = 1 }, Allocated = true, Seconds = 600, Modules = ["app"] };
        async Task OrderAsync(string kind, int number)
        {
            var result = await orders.SendAsync(new() { Id = $"{kind}-{number}", NodeId = "node-1", Kind = kind, Holding = Holding(number) });
            Assert.True(result.Succeeded, result.Message);
        }

        // A program with a child that has children all the time.
        var package = ModulePackageWriter.Write(new() { Name = "app", Version = "1.0", Class = "app", Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] } },
            [new("run", "#!/bin/sh\n(while :; do /bin/sleep 0.01; done) &\n: > /tmp/up\nwait\n"u8.ToArray(), Executable: true)], appliance.Key);
        await OrderAsync(OrderKinds.Hold, 1);
        var installed = await orders.InstallAsync(package, "app", owner: ModuleOrder.Holdings);
        Assert.True(installed.Succeeded, installed.Message);
        await OrderAsync(OrderKinds.Hold, 2);
        var process = agent.ProcessOf("app");
        Assert.Equal($"{groups.PathOf(Holding(1).Id)}/app", GroupOf(process));
        string Score() => File.ReadAllText($"/proc/{process}/oom_score_adj").Trim();
        Assert.Equal("0", Score());

        await OrderAsync(OrderKinds.Free, 1);
        Assert.Equal($"{groups.PathOf(Holding(2).Id)}/app", GroupOf(process));
        // Nobody but who holds resources needs it: it would end with the last of them.
        Assert.True((await orders.InstallAsync(package, "app", owner: "operator")).Succeeded);
        await OrderAsync(OrderKinds.Free, 2);
        Assert.Equal(($"{paths.ControlGroups}/app", "500"), (GroupOf(process), Score()));
        Assert.Equal(process, agent.ProcessOf("app"));
        Assert.Empty(groups.Existing());

        foreach (var owner in (string[])["operator", ModuleOrder.Holdings]) Assert.True((await orders.RemoveAsync("app", owner)).Succeeded);
        Assert.Empty(NodeFingerprint.Processes(folder.Path));
    }

    /// <summary>Below the folder of the test's own groups.</summary>
    string GroupOf(int process)
    {
        var line = File.ReadAllText($"/proc/{process}/cgroup").Trim();
        var mine = new FileInfo(Path.Combine(folder.Path, "sys/fs/cgroup")).LinkTarget!;
        return Path.Combine(folder.Path, "sys/fs/cgroup") + line[(line.IndexOf(Path.GetFileName(mine), StringComparison.Ordinal) + Path.GetFileName(mine).Length)..];
    }

    /// <summary>The kernel's groups where it has no limits for them, as on many a machine that tests run on.</summary>
    sealed class BareGroups(ControlGroups groups) : IControlGroups
    {
        public string? Lack() => null;
        public string PathOf(string id) => groups.PathOf(id);
        public void Make(HoldingRecord holding) => Directory.CreateDirectory(groups.PathOf(holding.Id));
        public Task EndAsync(string id, TimeProvider clock, CancellationToken cancellationToken) => groups.EndAsync(id, clock, cancellationToken);
        public void Move(string id, string module, string? to) => groups.Move(id, module, to);
        public IReadOnlyList<string> Existing() => groups.Existing();
        public HoldingUsage? Usage(string id) => groups.Usage(id);
    }

    static void Enter(string group, List<Process> started)
    {
        var process = Process.Start("/bin/sleep", "1000");
        started.Add(process);
        try { File.WriteAllText(Path.Combine(group, "cgroup.procs"), $"{process.Id}"); }
        catch (IOException) { /* it is gone already */ }
    }
}
