using System.Text;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// The agent's end at every point of an installation, an upgrade and a removal: the next agent finds the node wholly as before or the module wholly there, and a removal from there
/// leaves no difference. Real mounts, real programs; a kernel of the test's own, so that hundreds of ends change nothing on this machine.
/// </summary>
public sealed class ModuleCrashTests : IAsyncLifetime
{
    const int MostPoints = 200;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    /// <summary>Of these tests alone, and outside of what is given out to those who ask for any.</summary>
    const int Port = 24711;

    readonly FakeKernel kernel = new();
    ScriptedAppliance appliance = null!;
    OrdersToAgent orders = null!;

    public async Task InitializeAsync()
    {
        NodeRoot.Make(folder.Path);
        kernel.IsUsed = module => module == "overlay" && MountTable.Read().Any(mount => mount.Type == "overlay" && mount.Place.StartsWith(folder.Path, StringComparison.Ordinal));
        appliance = await ScriptedAppliance.StartAsync();
        orders = new OrdersToAgent(appliance);
        await using var first = new AgentUnderTest(appliance, folder.Path, kernel: kernel);
        await LookAsync();
    }

    public async Task DisposeAsync()
    {
        await appliance.DisposeAsync();
        folder.Dispose();
        await kernel.DisposeAsync();
    }

    byte[] Package(string version) => ModulePackageWriter.Write(new()
    {
        Name = "app", Version = version, Class = "app", Setup = ["setup"], Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] },
        Users = [new() { Name = "app", Id = 800 }], Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = version == "1.0" ? "1000" : "2000", ["net.ipv4.ip_forward"] = "1" },
        KernelModules = ["nf_tables"], Firewall = "rules", Files = [new() { Path = "/var/spool/app", Owner = 800 }],
    },
    [
        new("run", Encoding.UTF8.GetBytes($"#!/bin/sh\necho x >> /etc/app.conf; httpd -p {Port} -h /tmp; echo $$ > /tmp/up; exec sleep 1000\n"), Executable: true),
        new("rules", Encoding.UTF8.GetBytes($"comment \"of {version}\"")), new("root/usr/sbin/nft", kernel.LoadProgram, Executable: true),
        new("setup", "#!/bin/sh\nrm /etc/hosts\n"u8.ToArray(), Executable: true), new("root/etc/version", Encoding.UTF8.GetBytes(version)),
    ], appliance.Key);

    string Now() => NodeFingerprint.Take(folder.Path) + NodeFingerprint.Listening(Port) + kernel;

    /// <summary>A version is wholly there: its setting, its rules, its program.</summary>
    void AssertWhole(string version)
    {
        Assert.Contains(version == "1.0" ? "somaxconn 1000" : "somaxconn 2000", kernel.ToString(), StringComparison.Ordinal);
        Assert.Contains($"of {version}", kernel.RulesOf("grid_app") ?? "no table", StringComparison.Ordinal);
    }

    async Task<OrderResult> LookAsync() => await orders.SendAsync(new OrderDocument { Id = $"look-{Guid.NewGuid():N}", NodeId = "node-1", Kind = "inventory" });

    /// <summary>Ends an agent at the nth point of an order (or, without one, of its own recovery); false when it did not come as far as that.</summary>
    Task<(bool Ended, string At)> EndAtAsync(int point, OrderDocument? order) => EndAtAsync((count, _) => count >= point, $"point {point}", order);

    async Task<(bool Ended, string At)> EndAtAsync(Func<int, string, bool> isHere, string where, OrderDocument? order)
    {
        var count = 0;
        var armed = order is null;
        var ended = "";
        var dead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel, reached: at =>
        {
            // From this point on nothing is done any more, not by what tidies up on the way out either.
            if (!Volatile.Read(ref armed) || ended.Length == 0 && !isHere(Interlocked.Increment(ref count), at)) return;
            if (ended.Length == 0) ended = at;
            dead.TrySetResult();
            throw new EndOfTheAgent();
        });
        if (order is not null)
        {
            await LookAsync();
            Volatile.Write(ref armed, true);
            appliance.Send(order);
        }
        else appliance.Send(new OrderDocument { Id = $"look-{Guid.NewGuid():N}", NodeId = "node-1", Kind = "inventory" });
        var result = appliance.Results.Reader.ReadAsync().AsTask();
        var first = await Task.WhenAny(result, dead.Task, Task.Delay(Patience));
        Assert.True(first == result || first == dead.Task, $"neither a result nor the end at {where} came within {Patience.TotalSeconds} s; {count} points were passed; the agent said: {agent.Said}");
        if (first == result) return (false, "");
        await agent.EndAsync();
        appliance.Withdraw(result);
        appliance.ForgetOrders();
        return (true, ended);
    }

    async Task<string> StateAfterRecoveryAsync()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel);
        await LookAsync();
        var module = agent.Modules.List().SingleOrDefault();
        if (module is null) return "";
        Assert.NotEqual("removing", module.State);
        return module.Version;
    }

    async Task RemoveAsync()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel);
        var result = await orders.RemoveAsync("app");
        Assert.True(result.Succeeded && agent.Modules.List().Count == 0, $"{result.Message}; {agent.Said}");
        said = agent.Said;
    }

    async Task InstallAsync(byte[] package)
    {
        var result = await orders.InstallAsync(package, "app");
        Assert.True(result.Succeeded, result.Message);
    }

    string said = "";

    [Fact]
    public async Task An_installation_that_is_cut_off_anywhere_leaves_the_node_as_before_or_the_module_whole()
    {
        var before = Now();
        var package = Package("1.0");
        var seen = new HashSet<string>();
        var point = 1;
        for (; point < MostPoints; point++)
        {
            var (ended, at) = await EndAtAsync(point, orders.Install(package, "app"));
            var version = await StateAfterRecoveryAsync();
            if (version == "1.0")
            {
                AssertWhole(version);
                await RemoveAsync();
            }
            Assert.True(before == Now(), $"cut off at point {point}, {at}: {NodeFingerprint.Difference(before, Now())}; {said}");
            if (!ended) break;
            seen.Add(at);
        }
        Assert.InRange(seen.Count, 15, MostPoints);
        Assert.Contains("firewall loaded", seen);
        Assert.Contains("FirewallTable grid_app written down", seen);
    }

    [Fact]
    public async Task A_trial_that_is_cut_off_anywhere_leaves_the_node_as_before()
    {
        var before = Now();
        var package = Package("1.0");
        var point = 1;
        for (; point < MostPoints; point++)
        {
            var (ended, at) = await EndAtAsync(point, orders.Install(package, "app") with { Kind = OrderKinds.TryModule });
            Assert.Equal("", await StateAfterRecoveryAsync());
            Assert.True(before == Now(), $"cut off at point {point}, {at}: {NodeFingerprint.Difference(before, Now())}");
            if (!ended) break;
            // What lies within the installation and the removal is cut off above and below.
            if (point > 3) point += 3;
        }
        Assert.InRange(point, 20, MostPoints);
    }

    [Fact]
    public async Task An_upgrade_that_is_cut_off_anywhere_leaves_the_old_version_whole_or_the_new()
    {
        var before = Now();
        byte[] old = Package("1.0"), fresh = Package("2.0");
        for (var point = 1; point < MostPoints; point++)
        {
            await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel)) await InstallAsync(old);
            var (ended, at) = await EndAtAsync(point, orders.Install(fresh, "app", "2.0"));
            var version = await StateAfterRecoveryAsync();
            Assert.True(version is "1.0" or "2.0", $"cut off at point {point}, {at}: '{version}'");
            AssertWhole(version);
            await RemoveAsync();
            Assert.True(before == Now(), $"cut off at point {point}, {at}: {NodeFingerprint.Difference(before, Now())}; {said}");
            // What lies in between the installation's own points is cut off above.
            if (!ended) break;
            if (point > 3 && point < 20) point += 2;
        }
    }

    [Fact]
    public async Task A_removal_that_is_cut_off_anywhere_is_finished_by_the_next_agent()
    {
        var before = Now();
        var package = Package("1.0");
        for (var point = 1; point < MostPoints; point++)
        {
            await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel)) await InstallAsync(package);
            var (ended, at) = await EndAtAsync(point, orders.Remove("app"));
            Assert.Equal("", await StateAfterRecoveryAsync());
            Assert.True(before == Now(), $"cut off at point {point}, {at}: {NodeFingerprint.Difference(before, Now())}; {said}");
            if (!ended) break;
        }
    }

    [Fact]
    public async Task A_recovery_that_is_cut_off_anywhere_is_finished_by_the_next()
    {
        var before = Now();
        byte[] old = Package("1.0"), fresh = Package("2.0");
        for (var point = 1; point < MostPoints; point++)
        {
            await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel)) await InstallAsync(old);
            // In the middle of an upgrade: the old version stopped, the new one half there.
            Assert.True((await EndAtAsync((_, at) => at == "view mounted", "the new view", orders.Install(fresh, "app", "2.0"))).Ended);
            var (ended, at) = await EndAtAsync(point, null);
            Assert.Equal("1.0", await StateAfterRecoveryAsync());
            AssertWhole("1.0");
            await RemoveAsync();
            Assert.True(before == Now(), $"cut off at point {point}, {at}: {NodeFingerprint.Difference(before, Now())}; {said}");
            if (!ended) break;
        }
    }

    [Fact]
    public async Task A_kernel_module_that_somebody_else_uses_stays_and_the_removal_says_so()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel);
        Assert.True((await orders.InstallAsync(Package("1.0"), "app")).Succeeded);
        kernel.IsUsed = module => module == "nf_tables";
        var gone = await orders.RemoveAsync("app");
        Assert.True(gone.Succeeded, gone.Message);
        Assert.Contains("the kernel module nf_tables stays loaded, because somebody else uses it", gone.Message, StringComparison.Ordinal);
        Assert.EndsWith("virtio_net nfnetlink nf_tables", kernel.ToString(), StringComparison.Ordinal);
        Assert.Empty(gone.Modules);
    }

    [Fact]
    public async Task A_machine_that_lost_its_power_is_as_before()
    {
        var before = Now();
        await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel)) Assert.True((await orders.InstallAsync(Package("1.0"), "app")).Succeeded);
        // Memory and processes are gone, what was written to a disk is not; the kernel's settings are those of its start.
        NodeRoot.Forget(folder.Path);
        foreach (var place in MountTable.Below(folder.Path)) MountTable.Unmount(place);
        Directory.Delete(Path.Combine(folder.Path, "run/grid-agent/modules"), recursive: true);
        Directory.CreateDirectory(new FileInfo(Path.Combine(folder.Path, "sys/fs/cgroup")).LinkTarget!);
        kernel.Restart();
        Assert.Equal("", await StateAfterRecoveryAsync());
        Assert.True(before == Now(), NodeFingerprint.Difference(before, Now()));
    }

    [Fact]
    public async Task A_full_disk_at_any_moment_leaves_the_node_as_before_and_keeps_no_module_from_going()
    {
        // All that the agent keeps lies on a disk that has ever less room, from too little for anything to enough.
        var state = Path.Combine(folder.Path, "var/lib/grid");
        var package = Package("1.0");
        var installed = false;
        for (var kib = 4; kib <= 512 && !installed; kib += kib < 64 ? 4 : 64)
        {
            MountTable.Mount("disk", state, "tmpfs", 0, $"size={kib}k,nr_inodes=64");
            var before = Now();
            await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel))
            {
                var result = await orders.InstallAsync(package, "app");
                installed = result.Succeeded;
                if (installed)
                {
                    // No room at all now, and out it goes all the same.
                    await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(state, "filler"), new byte[1 << 20]));
                    var gone = await orders.RemoveAsync("app");
                    Assert.True(gone.Succeeded, gone.Message);
                    File.Delete(Path.Combine(state, "filler"));
                }
                else Assert.Empty(result.Modules);
            }
            Assert.True(before == Now(), $"{kib} KiB: {NodeFingerprint.Difference(before, Now())}");
            MountTable.Unmount(state);
        }
        Assert.True(installed, "with half a MiB there is room");
    }

    [Fact]
    public async Task Programs_that_fill_their_layer_are_removed_like_any_other()
    {
        var before = Now();
        await using (var agent = new AgentUnderTest(appliance, folder.Path, kernel: kernel))
        {
            var layers = agent.Paths.Layers;
            Directory.CreateDirectory(layers);
            MountTable.Mount("grid", layers, "tmpfs", 0, "size=1m,mode=0700");
            var package = ModulePackageWriter.Write(new() { Name = "app", Version = "1.0", Class = "app", Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] } },
                [new("run", "#!/bin/sh\necho > /tmp/up\nwhile :; do dd if=/dev/zero bs=4096 >> /var/blob 2>/dev/null; sleep 0.1; done\n"u8.ToArray(), Executable: true)], appliance.Key);
            var result = await orders.InstallAsync(package, "app");
            Assert.True(result.Succeeded, result.Message);
            for (var tries = 0; tries < 600 && new DriveInfo(layers).AvailableFreeSpace > 8192; tries++) await Task.Delay(50);
            Assert.InRange(new DriveInfo(layers).AvailableFreeSpace, 0, 8192);
            // There is no room for another either, which says so and leaves the first alone.
            var second = await orders.InstallAsync(Package("1.0"), "app2");
            Assert.False(second.Succeeded);
            Assert.True((await orders.RemoveAsync("app")).Succeeded);
        }
        Assert.True(before == Now(), NodeFingerprint.Difference(before, Now()));
    }

    [Fact]
    public void A_journal_that_is_torn_at_any_octet_tells_of_what_was_written_whole_and_one_damaged_in_the_middle_is_refused()
    {
        var file = Path.Combine(folder.Path, "journal");
        var journal = new ChangeJournal(file);
        for (var i = 1; i <= 5; i++) journal.Append(new() { Sequence = i, Owner = "app@0", Kind = ChangeKind.Sysctl, Target = $"a.b{i}", Before = "ä\n", After = "2" });
        var whole = File.ReadAllBytes(file);
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(file, whole[..length]);
            var records = new ChangeJournal(file).Read();
            Assert.Equal(whole.AsSpan(0, length).Count((byte)'\n'), records.Count);
            Assert.All(records, record => Assert.Equal("ä\n", record.Before));
            new ChangeJournal(file).Append(new() { Sequence = 9, Owner = "app@0" });
            Assert.Equal(records.Count + 1, new ChangeJournal(file).Read().Count);
        }
        for (var at = 0; at < whole.Length * 3 / 5; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 1;
            File.WriteAllBytes(file, damaged);
            Assert.Throws<IOException>(() => new ChangeJournal(file).Read());
        }
        File.Delete(file);
    }

    sealed class EndOfTheAgent : Exception;
}
