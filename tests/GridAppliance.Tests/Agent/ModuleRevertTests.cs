using System.Diagnostics;
using System.Text;
using GridAppliance.Agent.Modules.Changes;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Modules;
using GridAppliance.Testing;
using Xunit.Abstractions;

namespace GridAppliance.Tests.Agent;

/// <summary>Removing modules brings a node back to what it was: a whole agent, real programs, a real kernel, and a root of its own below a folder.</summary>
public sealed class ModuleRevertTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Of these tests alone, and outside of what is given out to those who ask for any; alpha's programs listen there.</summary>
    const int Port = 24701;

    const string Setting = "net.ipv4.neigh.default.unres_qlen_bytes";

    /// <summary>Writes all over the place: new, changed, deleted, replaced by a folder, moved, dressed anew, linked, through a folder made opaque; and leaves a child behind.</summary>
    const string Writer = """
        #!/bin/sh
        echo more >> /etc/app.conf; chmod 600 /etc/app.conf; chown 7:7 /etc/app.conf
        rm /etc/hosts; mkdir /etc/hosts; echo x > /etc/hosts/inside
        rm -r /srv/data; mkdir /srv/data; echo new > /srv/data/fresh
        mkdir -p /var/lib/app/deep; ln -s /etc/app.conf /var/lib/app/link; mkfifo /var/lib/app/pipe
        echo user:x:9:9::/:/bin/false >> /etc/passwd
        echo run > /run/app.pid
        [ ! -d /srv/alpha ] || { echo m > /srv/alpha/kept; httpd -p 24701 -h /srv/alpha; }
        dd if=/dev/zero of=/var/lib/app/blob bs=1024 count=200 2>/dev/null
        mount -t tmpfs none /tmp; echo t > /tmp/t
        echo shared > /dev/grid-test-$GRID_MODULE; ln -sf null /dev/grid-test-link; chmod 600 /dev/full
        (setsid sleep 1000 &)
        touch /opt/grid/$GRID_MODULE/up
        i=0; while :; do i=$((i + 1)); echo $i >> /var/log/app.log; echo $i > /var/lib/app/counter.$((i % 50)); sleep 0.01; done
        """;

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;
    AgentUnderTest agent = null!;
    OrdersToAgent orders = null!;

    public async Task InitializeAsync()
    {
        setting = File.ReadAllText("/proc/sys/" + Setting.Replace('.', '/'));
        NodeRoot.Make(folder.Path);
        // A file with an access control list: user 1000 may read it.
        GridAppliance.Agent.Native.Libc.SetAttribute(Path.Combine(folder.Path, "srv/data/big"), "system.posix_acl_access",
            Convert.FromHexString("0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000400ffffffff"), 44, 0);
        appliance = await ScriptedAppliance.StartAsync();
        agent = new AgentUnderTest(appliance, folder.Path);
        orders = new OrdersToAgent(appliance);
        // Whatever the agent itself makes below /run, it has made.
        Assert.True((await orders.SendAsync(new OrderDocument { Id = "look", NodeId = "node-1", Kind = "inventory" })).Succeeded);
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await appliance.DisposeAsync();
        folder.Dispose();
        await File.WriteAllTextAsync("/proc/sys/" + Setting.Replace('.', '/'), setting);
    }

    static ModuleManifest Alpha => new()
    {
        Name = "alpha", Version = "1.0", Class = "alpha", Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/opt/grid/alpha/up"] },
        Users = [new() { Name = "alpha", Id = 800 }], Sysctls = new Dictionary<string, string> { [Setting] = "123456" }, Hosts = [new() { Address = "10.9.8.7", Names = ["alpha"] }],
        Files = [new() { Path = "/var/spool/alpha", Owner = 800, Group = 800, Mode = "0750" }, new() { Path = "/etc/alpha.conf", Mode = "0600" }],
        Mounts = [new() { Path = "/srv/alpha", SizeMiB = 1 }],
    };

    static ModuleManifest Beta => Alpha with { Name = "beta", Class = "beta", Users = null, Health = new() { Command = ["/bin/test", "-e", "/opt/grid/beta/up"] }, Files = null, Mounts = null };

    /// <summary>Stands on alpha: sees its files and writes over them.</summary>
    static ModuleManifest Gamma => new()
    {
        Name = "gamma", Version = "1.0", Class = "gamma", Needs = new() { Modules = ["alpha"] }, Setup = ["run"],
    };

    static byte[] Script(string text) => Encoding.UTF8.GetBytes(text);

    readonly Dictionary<ModuleManifest, byte[]> packages = [];
    string setting = "";

    /// <summary>The same package each time, though each signature would be another.</summary>
    byte[] Alphas => packages.TryGetValue(alpha, out var known) ? known : packages[alpha] = Package(alpha);

    static readonly ModuleManifest alpha = Alpha;

    byte[] Package(ModuleManifest manifest, string script = Writer) => ModulePackageWriter.Write(manifest,
        [new("run", Script(script), Executable: true), new("root/etc/alpha.conf", Script(manifest.Name)), new("root/usr/sbin/alphad", Script("#!/bin/sh\n"), Executable: true), new("root/usr/lib/link", default, LinkTarget: "../sbin/alphad")], appliance.Key);

    string Now() => NodeFingerprint.Take(folder.Path, Setting) + NodeFingerprint.Listening(Port) + NodeFingerprint.Tables("grid_alpha", "grid_beta", "grid_gamma");

    void AssertAsBefore(string before) => Assert.True(before == Now(), $"{NodeFingerprint.Difference(before, Now())}; the agent said: {agent.Said}");

    async Task InstallAsync(byte[] package, string name, string? owner = null)
    {
        var result = await orders.InstallAsync(package, name, owner: owner);
        Assert.True(result.Succeeded, $"{name}: {result.Message}; the agent said: {agent.Said}");
    }

    async Task RemoveAsync(string name)
    {
        var result = await orders.RemoveAsync(name);
        Assert.True(result.Succeeded, $"{name}: {result.Message}; the agent said: {agent.Said}");
    }

    [Fact]
    public async Task The_module_that_every_node_tries_shows_that_modules_work_and_leaves_no_difference()
    {
        var before = Now();
        var (manifest, files) = ShippedModules.Read("trial");
        var trial = orders.Install(ModulePackageWriter.Write(manifest, files, appliance.Key), "trial") with { Kind = OrderKinds.TryModule };
        var result = await orders.SendAsync(trial);
        // A machine without control groups is one of those that it is for.
        var expected = Directory.Exists(Path.Combine(folder.Path, "sys/fs/cgroup")) ? (true, "modules work here")
            : (false, "trial 1.0 look ended with status 1, saying: its programs have no control group of their own (cgroup v2); it was taken away again");
        Assert.Equal(expected, (result.Succeeded, result.Message));
        Assert.Empty(result.Modules);
        AssertAsBefore(before);
    }

    [Fact]
    public async Task A_node_on_which_the_tried_module_does_not_work_is_as_before_and_says_why()
    {
        var before = Now();
        var broken = Package(alpha with { Name = "trial", Class = "trial", Setup = ["run"], Start = null, Health = null }, "#!/bin/sh\necho no such thing here; exit 1\n");
        var result = await orders.SendAsync(orders.Install(broken, "trial") with { Kind = OrderKinds.TryModule });
        Assert.Equal((false, "trial 1.0 run ended with status 1, saying: no such thing here; it was taken away again"), (result.Succeeded, result.Message));
        AssertAsBefore(before);
    }

    [Fact]
    public async Task One_module_whose_programs_write_everywhere_leaves_no_difference()
    {
        var before = Now();
        await InstallAsync(Alphas, "alpha");
        Assert.Equal("123456", File.ReadAllText("/proc/sys/" + Setting.Replace('.', '/')).Trim());
        Assert.Equal("as it was\n", File.ReadAllText(Path.Combine(folder.Path, "etc/app.conf")));
        Assert.True(NodeFingerprint.IsListening(Port));
        Assert.True(NodeFingerprint.Processes(folder.Path).Count() >= 2, "the program and the child that it left behind; its sleep comes and goes");

        // What it did is on the record: the kernel's, the manifest's and its programs'.
        var changes = Assert.Single(agent.Modules.Changes()).Changes;
        Assert.Contains(changes, c => c is { What: "sysctl", Target: Setting, Global: true } && c.Value!.EndsWith("→ 123456", StringComparison.Ordinal));
        Assert.Contains(changes, c => c is { What: "user", Target: "alpha", Value: "800" });
        Assert.Contains(changes, c => c is { What: "service", Target: "alpha" });
        Assert.Contains(changes, c => c is { What: "mount", Target: "/srv/alpha" });
        Assert.Contains(changes, c => c is { What: "file", Action: "added", Target: "/srv/alpha/kept", SizeBytes: 2, Digest.Length: 64 });
        Assert.Contains(changes, c => c is { What: "file", Action: "changed", Target: "/etc/app.conf", SizeBytes: 15, Digest.Length: 64 });
        Assert.Contains(changes, c => c is { What: "file", Action: "added", Target: "/var/lib/app/blob", SizeBytes: 204800 });
        Assert.Contains(changes, c => c is { Action: "removed", Target: "/srv/data/big" });
        Assert.Contains(changes, c => c is { What: "link", Action: "added", Target: "/var/lib/app/link" });
        Assert.Contains(changes, c => c is { What: "file", Action: "added", Target: "/bin/alphad" });
        Assert.DoesNotContain(changes, c => c.Target is "/etc" or "/var" or "/srv");
        Assert.Contains(changes, c => c is { What: "file", Action: "added", Target: "/dev/grid-test-alpha", SizeBytes: 7 });
        Assert.Contains(changes, c => c is { What: "link", Action: "added", Target: "/dev/grid-test-link", Value: "null" });
        Assert.Empty(Directory.GetFiles("/dev", "grid-test-*"));
        Assert.NotEqual(IpcOf("self"), IpcOf($"{agent.ProcessOf("alpha")}"));

        await RemoveAsync("alpha");
        AssertAsBefore(before);
    }

    /// <summary>The nft of this machine with all that it needs of it, as a module carries Debian's.</summary>
    static IEnumerable<ModuleFile> Nft()
    {
        const string program = "/usr/sbin/nft";
        using var list = Process.Start(new ProcessStartInfo("ldd", [program]) { RedirectStandardOutput = true })!;
        var libraries = list.StandardOutput.ReadToEnd().Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(word => word[0] == '/');
        return [.. libraries.Prepend(program).Distinct().Select(path => new ModuleFile("root" + path, File.ReadAllBytes(path), Executable: true))];
    }

    [Fact]
    public async Task A_table_of_the_real_firewall_is_there_with_its_module_and_gone_with_it()
    {
        var before = Now();
        var manifest = Alpha with { Firewall = "rules", Parameters = new Dictionary<string, ModuleParameter> { ["ports"] = new() { Type = "text", Default = "22, 80" } } };
        // No hook: a chain that nothing comes through, on a machine that others use.
        var package = ModulePackageWriter.Write(manifest, [.. Nft(), new("rules", Script("chain in {\n  tcp dport $param_ports accept\n}")), new("run", Script(Writer), Executable: true)], appliance.Key);
        await InstallAsync(package, "alpha");
        Assert.True(GridAppliance.Agent.Native.Netfilter.HasTable("grid_alpha"));
        Assert.NotEqual(before, Now());
        Assert.Contains(Assert.Single(agent.Modules.Changes()).Changes, c => c is { What: "firewall", Target: "inet grid_alpha", Global: true });
        await RemoveAsync("alpha");
        AssertAsBefore(before);
    }

    /// <summary>Many programs that make, fill, move, link, dress and delete files as fast as they can, and count what they did.</summary>
    const string HeavyWriter = """
        #!/bin/sh
        work() {
          mkdir -p /var/lib/heavy/$1; cd /var/lib/heavy/$1; i=0
          while :; do
            i=$((i + 1)); n=$((i % 400))
            mkdir -p d$((n % 20)); echo $i > d$((n % 20))/f$n; echo more >> /etc/app.conf; echo $i >> log.$((n % 5))
            case $n in
              7) mv d7/f7 moved.$i; rm -f moved.*; ln -sf /etc/passwd link ;;
              11) rm -rf d11; : > log.1; chmod 600 /etc/app.conf ;;
              13) ln -f d13/f13 hard; chown 7:7 hard; chmod 4711 hard ;;
              17) dd if=/dev/zero of=blob bs=65536 count=$((i % 30)) 2>/dev/null; rm -rf /srv/data; mkdir -p /srv/data/deep; echo $i > /srv/data/deep/x ;;
              19) echo "u$i:x:9:9::/:/bin/false" >> /etc/passwd; setsid sleep 1000 & ;;
            esac
            echo $i > /var/lib/heavy/count.$1
          done
        }
        work a & work b & work c & work d &
        : > /tmp/up
        wait
        """;

    [Fact]
    public Task A_program_that_has_written_without_a_pause_is_removed_with_all_that_it_wrote() => WriteAndRemoveAsync(TimeSpan.Zero);

    [Fact]
    [Trait("Soak", "yes")]
    public Task A_program_that_has_written_for_minutes_is_removed_with_all_that_it_wrote() => WriteAndRemoveAsync(TimeSpan.FromMinutes(3));

    async Task WriteAndRemoveAsync(TimeSpan time)
    {
        const int least = 500;
        var before = Now();
        await InstallAsync(ModulePackageWriter.Write(new() { Name = "heavy", Version = "1.0", Class = "heavy", Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] } },
            [new("run", Script(HeavyWriter), Executable: true)], appliance.Key), "heavy");
        var upper = Path.Combine(Directory.GetDirectories(agent.Paths.Layers, "heavy@*").Single(), "upper");
        int Done(char worker) => File.Exists(Path.Combine(upper, $"var/lib/heavy/count.{worker}")) && int.TryParse(File.ReadAllText(Path.Combine(upper, $"var/lib/heavy/count.{worker}")), out var count) ? count : 0;
        await Eventually.UntilAsync(() => "abcd".All(worker => Done(worker) >= least), $"{least} rounds of each of four programs");
        await Task.Delay(time);
        var told = Assert.Single(agent.Modules.Changes());
        Assert.Equal(ModuleChangesDocument.MostListed, told.Changes.Count);
        Assert.True(told.Omitted > 0);
        output.WriteLine($"{"abcd".Sum(Done)} rounds; {told.Changes.Count + told.Omitted} changes");
        await RemoveAsync("heavy");
        AssertAsBefore(before);
    }

    static string IpcOf(string process) => new FileInfo($"/proc/{process}/ns/ipc").LinkTarget!;

    [Theory]
    [InlineData("alpha beta gamma")]
    [InlineData("gamma beta alpha")]
    [InlineData("beta alpha gamma")]
    [InlineData("alpha gamma beta")]
    public async Task Modules_that_are_stacked_leave_no_difference_in_whatever_order_they_go(string order)
    {
        var before = Now();
        await InstallAsync(Alphas, "alpha");
        await InstallAsync(Package(Beta), "beta");
        var onTop = await orders.InstallAsync(Package(Gamma, "#!/bin/sh\n[ \"$(cat /etc/alpha.conf)\" = gamma ] && [ -x /opt/grid/alpha/run ] && rm -r /opt/grid/alpha/run && echo over > /etc/alpha.conf\n"), "gamma");
        Assert.True(onTop.Succeeded, onTop.Message);
        Assert.Equal(["alpha", "beta", "gamma"], onTop.Modules.Select(module => module.Name));
        // As the appliance does it: what is needed is there for those that need it as well.
        await InstallAsync(Alphas, "alpha", owner: "module:gamma");
        foreach (var name in order.Split(' '))
        {
            await RemoveAsync(name);
        }
        Assert.Empty(agent.Modules.List());
        AssertAsBefore(before);
    }

    [Fact]
    public async Task A_restart_of_the_agent_leaves_the_programs_alone_and_a_removal_after_it_no_difference()
    {
        var before = Now();
        await InstallAsync(Alphas, "alpha");
        var process = agent.ProcessOf("alpha");
        await agent.DisposeAsync();
        agent = new AgentUnderTest(appliance, folder.Path);
        Assert.True((await orders.SendAsync(new OrderDocument { Id = "look-2", NodeId = "node-1", Kind = "inventory" })).Succeeded);
        Assert.Equal("running", Assert.Single(agent.Modules.List()).State);
        Assert.Equal(process, agent.ProcessOf("alpha"));
        Assert.True(NodeFingerprint.Runs(process));
        await RemoveAsync("alpha");
        AssertAsBefore(before);
    }

    [Fact]
    public async Task Two_owners_share_one_installation_and_it_goes_with_the_last()
    {
        var before = Now();
        await InstallAsync(Alphas, "alpha", owner: "farm:a");
        var second = await orders.InstallAsync(Alphas, "alpha", owner: "farm:b");
        Assert.Contains("used as it is", second.Message, StringComparison.Ordinal);
        Assert.Equal(["farm:a", "farm:b"], Assert.Single(second.Changes!).Owners);
        Assert.Contains("stays for farm:b", (await orders.RemoveAsync("alpha", "farm:a")).Message, StringComparison.Ordinal);
        Assert.Single(agent.Modules.List());
        Assert.Contains("is removed", (await orders.RemoveAsync("alpha", "farm:b")).Message, StringComparison.Ordinal);
        AssertAsBefore(before);
    }

    [Fact]
    public async Task What_stands_in_the_way_is_said_and_nothing_is_half_done()
    {
        var before = Now();
        async Task Refuses(string reason, ModuleManifest manifest, string script = Writer, string? owner = null, IReadOnlyDictionary<string, string>? parameters = null)
        {
            var result = await orders.InstallAsync(Package(manifest, script), manifest.Name, manifest.Version, owner, parameters);
            Assert.False(result.Succeeded);
            Assert.Contains(reason, result.Message, StringComparison.Ordinal);
        }

        await Refuses("gamma needs the module alpha, which is not installed", Gamma);
        await Refuses("needs 5000000 MiB of memory", Alpha with { Needs = new() { MemoryMiB = 5_000_000 } });
        await Refuses("needs 15000000 MiB of disk", Alpha with { Needs = new() { DiskMiB = 15_000_000 } });
        await Refuses("needs 4000 CPUs", Alpha with { Needs = new() { Cpus = 4000 } });
        await Refuses("needs a network, and none of this node's cards has a link", Alpha with { Needs = new() { Network = true } });
        await Refuses("did not end within 1 s", Alpha with { Setup = ["run"], TimeoutSeconds = 1 }, "#!/bin/sh\necho x > /etc/half; setsid sleep 100 & sleep 100\n");
        await Refuses("ended with status 5, saying: no such luck", Alpha with { Setup = ["run"] }, "#!/bin/sh\nrm -r /etc; echo no such luck; exit 5\n");
        await Refuses("was not healthy within 1 s", Alpha with { TimeoutSeconds = 1, Health = new() { Port = 1 } });
        Directory.CreateDirectory(Path.Combine(folder.Path, "sys/class/net/eth0/device"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "sys/class/net/eth0/address"), "52:54:00:00:00:01\n");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "sys/class/net/eth0/carrier"), "1\n");
        await Refuses("was not healthy within 1 s", Alpha with { Needs = new() { Network = true }, TimeoutSeconds = 1, Health = new() { Port = 1 } });
        await Refuses("no setting net.no.such", Alpha with { Sysctls = new Dictionary<string, string> { [Setting] = "123456", ["net.no.such"] = "1" } });
        await Refuses("does not take nonsense", Alpha with { Sysctls = new Dictionary<string, string> { [Setting] = "nonsense" } });
        await Refuses("has root already, with another number", Alpha with { Users = [new() { Name = "root", Id = 800 }] });
        await Refuses("no /usr/sbin/nft to load", Alpha with { Firewall = "run" });
        await Refuses("has no parameter shape", Alpha, parameters: new Dictionary<string, string> { ["shape"] = "round" });
        await Refuses("parameter port does not take this value: a number from 1 to 9", Alpha with { Parameters = new Dictionary<string, ModuleParameter> { ["port"] = new() { Type = "number", Default = "5", Minimum = 1, Maximum = 9 } } },
            parameters: new Dictionary<string, string> { ["port"] = "10" });
        Directory.CreateDirectory(Path.Combine(folder.Path, "var/lib/dpkg"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "var/lib/dpkg/status"), "Package: apache2\nStatus: install ok installed\n\n");
        await Refuses("carries the package haproxy, which conflicts with this node's apache2", Alpha with { Packages = [new() { Name = "haproxy", Version = "2", Sha256 = new('0', 64), Conflicts = ["apache2"] }] });
        Directory.Delete(Path.Combine(folder.Path, "var/lib/dpkg"), recursive: true);

        await InstallAsync(Alphas, "alpha");
        await Refuses("alpha is installed already, and of the same class", Beta with { Class = "alpha" });
        await Refuses($"{Setting} is held at 123456 by the module alpha", Beta with { Sysctls = new Dictionary<string, string> { [Setting] = "77777" } });
        var overFolder = await orders.InstallAsync(ModulePackageWriter.Write(new() { Name = "delta", Version = "1.0", Class = "delta" }, [new("root/srv/data", Script("x"))], appliance.Key), "delta");
        Assert.Contains("/srv/data is a folder on this node, and a file of the module", overFolder.Message, StringComparison.Ordinal);
        await RemoveAsync("alpha");
        File.SetLastWriteTimeUtc(Path.Combine(folder.Path, "var/lib"), DateTime.UnixEpoch);
        Assert.Equal(WithoutTimeOf(before, "/var/lib"), WithoutTimeOf(Now(), "/var/lib"));
    }

    static string WithoutTimeOf(string fingerprint, string path) => string.Join('\n', fingerprint.Split('\n').Where(line => !line.StartsWith(path + " ", StringComparison.Ordinal)));

    [Fact]
    public async Task Fifty_files_are_installed_and_removed_within_a_second()
    {
        var before = Now();
        var files = Enumerable.Range(0, 50).Select(i => new ModuleFile($"root/srv/fifty/file{i}", new byte[4096])).Append(new("run", Script("#!/bin/sh\ntouch /tmp/up\nexec sleep 1000\n"), Executable: true));
        var package = ModulePackageWriter.Write(new() { Name = "fifty", Version = "1.0", Class = "fifty", Start = ["run"], Health = new() { Command = ["/bin/test", "-e", "/tmp/up"] } }, files, appliance.Key);
        var watch = Stopwatch.StartNew();
        var result = await orders.InstallAsync(package, "fifty");
        var installed = watch.Elapsed;
        Assert.True(result.Succeeded, result.Message);
        watch.Restart();
        result = await orders.RemoveAsync("fifty");
        Assert.True(result.Succeeded, result.Message);
        // Measured for docs/figures.md; a busy machine is no failure.
        output.WriteLine($"fifty files: installed in {installed.TotalMilliseconds:F0} ms, removed in {watch.Elapsed.TotalMilliseconds:F0} ms");
        AssertAsBefore(before);
    }
}

/// <summary>The appliance's side of orders about modules.</summary>
sealed class OrdersToAgent(ScriptedAppliance appliance)
{
    int count;

    public async Task<OrderResult> SendAsync(OrderDocument order)
    {
        appliance.Send(order);
        return (await Eventually.ComesAsync(appliance.Results.Reader.ReadAsync().AsTask(), $"the result of {order.Kind} {order.Module?.Name}")).Result;
    }

    public Task<OrderResult> InstallAsync(byte[] package, string name, string version = "1.0", string? owner = null, IReadOnlyDictionary<string, string>? parameters = null) => SendAsync(Install(package, name, version, owner, parameters));

    public Task<OrderResult> RemoveAsync(string name, string? owner = null) => SendAsync(Remove(name, owner));

    public OrderDocument Install(byte[] package, string name, string version = "1.0", string? owner = null, IReadOnlyDictionary<string, string>? parameters = null) => new()
    {
        Id = $"m-{++count}", NodeId = "node-1", Kind = "module.install",
        Module = new ModuleOrder { Name = name, Version = version, Digest = appliance.Publish(package), SizeBytes = package.Length, Owner = owner, Parameters = parameters },
    };

    public OrderDocument Remove(string name, string? owner = null) => new()
    {
        Id = $"m-{++count}", NodeId = "node-1", Kind = "module.remove", Module = new ModuleOrder { Name = name, Version = "", Digest = "", SizeBytes = 0, Owner = owner },
    };
}
