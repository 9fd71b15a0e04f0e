using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Boots;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Protocols.Packages;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Modules;

/// <summary>
/// The shipped modules on a booted node of the tiny image, and what they leave there. A module of the test's own, the scout, serves what it sees of the node itself (the root of process 1): files,
/// sysctls, kernel modules, mounts, ports, processes, control groups; and ends the agent when asked to.
/// </summary>
[Collection(BootedLabs.Name)]
public sealed class NodeModuleTests(BootedLab lab, ITestOutputHelper output)
{
    const int ProbePort = 9000;
    /// <summary>Ends of the agent on the way: as many as <c>make soak</c> asks for.</summary>
    static readonly int rounds = int.TryParse(Environment.GetEnvironmentVariable("GRID_SOAK"), out var asked) ? asked : 3;
    static readonly TimeSpan LatestKill = TimeSpan.FromSeconds(1);

    readonly Random random = new(1);

    LabInstance Instance => lab.Instance;

    [LabFact]
    public async Task A_node_is_as_before_when_its_modules_are_gone_in_another_order_than_they_came()
    {
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[1])).Name;
        await InstallProbeAsync(node);
        try
        {
            // The drivers are in when two looks agree.
            var before = await SettledAsync(node);
            await AssertDevicesAreItsOwnAsync(node, before);
            await ImportShippedAsync("firewall", "loadbalancer");
            await InstallAsync(node, "web");
            await InstallAsync(node, "hello");
            await InstallAsync(node, "loadbalancer", new() { ["servers"] = "127.0.0.1:80,127.0.0.1:8088" });
            await InstallAsync(node, "firewall", new() { ["tcp"] = $"8000, {ProbePort}" });
            await AssertAtWorkAsync(node);

            foreach (var module in (string[])["web", "firewall", "hello", "loadbalancer"]) Assert.Equal("done", await RemoveAsync(node, module));
            AssertSame(before, await LookAsync(node));
        }
        finally
        {
            await RemoveAsync(node, "scout");
        }
    }

    [LabFact]
    [Trait("Soak", "yes")]
    public async Task A_node_is_as_before_although_its_agent_was_killed_at_moments_of_installations_and_removals()
    {
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[1])).Name;
        await InstallProbeAsync(node);
        try
        {
            var before = await SettledAsync(node);
            for (var round = 0; round < rounds; round++) await KillOnTheWayAsync(node);
            AssertSame(before, await LookAsync(node));
        }
        finally
        {
            await RemoveAsync(node, "scout");
        }
    }

    /// <summary>The plug is pulled in the middle of an installation, with another module running: memory held both, and the order that was not answered is carried out by the next boot.</summary>
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task A_node_that_lost_its_power_comes_back_as_before_and_the_appliance_knows()
    {
        var client = Instance.Rig.Appliance.Client;
        var server = Instance.Plan.Servers[0];
        var node = (await Instance.NodeOfAsync(server)).Name;
        await InstallAsync(node, "web");
        var enrolled = (await client.GetTimeline(node, CancellationToken.None)).Events.Count(e => e.Kind == "agent.enrolled");
        var installing = await client.InstallModule(new() { Range = node, Module = "hello" }, CancellationToken.None);
        await Task.Delay(random.Next((int)LatestKill.TotalMilliseconds / 4));
        await Instance.Rig.Servers.PowerCycleAsync(server, CancellationToken.None);

        await LabInstance.UntilAsync(() => client.GetTimeline(node, CancellationToken.None), timeline => timeline.Events.Count(e => e.Kind == "agent.enrolled") > enrolled, "the node's next boot");
        var ended = await Instance.EndOfAsync(installing);
        var back = await LabInstance.UntilAsync(() => client.GetNode(node, CancellationToken.None), n => n.State == "idle" && n.Modules.All(module => module.Name != "web"), "an idle node without what it had in memory");
        output.WriteLine($"the order that was under way ended as {ended}; the node has {string.Join(' ', back.Modules.Select(module => $"{module.Name} ({module.State})"))}");
        Assert.Contains((await client.GetTimeline(node, CancellationToken.None)).Events, e => e.Kind == "module.gone" && e.Message.Contains("web", StringComparison.Ordinal));
        Assert.NotEqual(0, (await TryGetAsync(node, "80/", TimeSpan.FromSeconds(5))).ExitCode);
        // Wholly there, or not at all.
        Assert.All(back.Modules, module => Assert.Equal(("hello", "running"), (module.Name, module.State)));

        await InstallAsync(node, "web");
        Assert.Contains("serves this page", await GetAsync(node, "80/"), StringComparison.Ordinal);
        foreach (var module in (string[])["web", "hello"]) Assert.Equal("done", await RemoveIfThereAsync(node, module));
    }

    async Task<string> RemoveIfThereAsync(string node, string module) =>
        (await Instance.Rig.Appliance.Client.GetNode(node, CancellationToken.None)).Modules.Any(there => there.Name == module) ? await RemoveAsync(node, module) : "done";

    [LabFact]
    public async Task The_NFS_export_is_mounted_by_a_client_and_holds_what_it_writes_there()
    {
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[2])).Name;
        await ImportShippedAsync("nfs");
        await InstallAsync(node, "nfs");
        var folder = Directory.CreateTempSubdirectory("grid-nfs-").FullName;
        try
        {
            // libnfs 4.0 writes no more than some three thousand octets by NFS 4, and says so before it sends anything.
            var written = RandomNumberGenerator.GetBytes(3000);
            await File.WriteAllBytesAsync(Path.Combine(folder, "here"), written);
            var export = $"nfs://{(await Instance.NodeOfAsync(Instance.Plan.Servers[2])).Ip}/export";
            await ClientAsync("nfs-cp", Path.Combine(folder, "here"), $"{export}/there?version=4");
            Assert.Matches(@"\b3000 there\b", await ClientAsync("nfs-ls", $"{export}?version=4"));
            await ClientAsync("nfs-cp", $"{export}/there?version=4", Path.Combine(folder, "back"));
            Assert.Equal(written, await File.ReadAllBytesAsync(Path.Combine(folder, "back")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        Assert.Equal("done", await RemoveAsync(node, "nfs"));
        Assert.Empty((await Instance.Rig.Appliance.Client.GetNode(node, CancellationToken.None)).Modules);
    }

    /// <summary>libnfs, which mounts the export for each of its commands.</summary>
    Task<string> ClientAsync(params string[] command) => Command.RunAsync(Namespaces.Inside(Instance.Plan.Appliance.Namespace, ["/usr/bin/timeout", "60", .. command]), CancellationToken.None);

    /// <summary>From the order to a healthy module, and back; the times are told, not asserted: docs/figures.md.</summary>
    [LabFact]
    [Trait("Soak", "yes")]
    public async Task Fifty_files_are_installed_on_an_idle_node_and_removed()
    {
        var client = Instance.Rig.Appliance.Client;
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[0])).Name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Instance.TrustAsync("fifty", key.ExportSubjectPublicKeyInfoPem());
        var files = Enumerable.Range(0, 50).Select(i => new ModuleFile($"root/srv/fifty/file{i}", RandomNumberGenerator.GetBytes(4096)));
        var package = ModulePackageWriter.Write(new()
        {
            Name = "fifty", Version = "1.0", Class = "fifty", Start = ["/bin/busybox", "httpd", "-f", "-p", "9050", "-h", "/srv/fifty"], Health = new() { Port = 9050 },
        }, files, key);
        await client.ImportModule(new MemoryStream(package), CancellationToken.None);
        for (var round = 0; round < 6; round++)
        {
            var request = new ModuleChangeRequest { Range = node, Module = "fifty" };
            var there = await TimesOfAsync(await client.InstallModule(request, CancellationToken.None));
            var gone = await TimesOfAsync(await client.RemoveModule(request, CancellationToken.None));
            output.WriteLine($"fifty files: there after {there}, gone after {gone}");
        }
    }

    /// <summary>From the request to the end, and when each step ended.</summary>
    async Task<string> TimesOfAsync(ChangeDocument change)
    {
        Assert.Equal("done", await Instance.EndOfAsync(change));
        var operation = await Instance.Rig.Appliance.Client.GetOperation(change.Nodes[0].OperationId!, CancellationToken.None);
        return $"{(operation.Finished! - operation.Started).Value.TotalMilliseconds:0} ms ({string.Join(", ", operation.Steps.Select(step => $"{step.Name} {(step.At! - operation.Started).Value.TotalMilliseconds:0}"))})";
    }

    /// <summary>What the scout made below /dev is on its record, and the node does not see it; nor are the node's queues and shared memory the scout's.</summary>
    async Task AssertDevicesAreItsOwnAsync(string node, string look)
    {
        const string untouched = "/dev/full 21b6 0:0";
        Assert.Contains(untouched, look, StringComparison.Ordinal);
        Assert.DoesNotContain("/dev/shm/left", look, StringComparison.Ordinal);
        Assert.Contains("queues of its own", look, StringComparison.Ordinal);
        // An order's work goes before theirs.
        Assert.Contains("drivers are loaded at 10", look, StringComparison.Ordinal);
        var client = Instance.Rig.Appliance.Client;
        var changes = await LabInstance.UntilAsync(() => client.GetModuleChanges(node, "scout", CancellationToken.None), c => c.Changes.Count > 0, "changes of the scout");
        Assert.Contains(changes.Changes, c => c is { What: "file", Action: "added", Target: "/dev/shm/left", SizeBytes: 2 });
        Assert.Contains(changes.Changes, c => c is { Action: "changed", Target: "/dev/full" });
    }

    async Task AssertAtWorkAsync(string node)
    {
        // The load balancer takes turns, and what is behind the firewall is not seen from outside but through it.
        string[] pages = [await GetAsync(node, "8000/"), await GetAsync(node, "8000/")];
        Assert.NotEqual(pages[0], pages[1]);
        Assert.Contains(pages, page => page.Contains("serves this page", StringComparison.Ordinal));
        Assert.NotEqual(0, (await TryGetAsync(node, "80/", TimeSpan.FromSeconds(2))).ExitCode);
        Assert.Contains("nf_tables", await LookAsync(node), StringComparison.Ordinal);

        var client = Instance.Rig.Appliance.Client;
        var changes = await LabInstance.UntilAsync(() => client.GetModuleChanges(node, "loadbalancer", CancellationToken.None), c => c.Changes.Count > 10, "changes of the load balancer");
        Assert.Contains(changes.Changes, c => c is { What: "sysctl", Target: "net.core.somaxconn", Global: true });
        Assert.Contains(changes.Changes, c => c is { What: "file", Action: "added", Target: "/etc/haproxy/haproxy.cfg", Digest.Length: 64 });
        Assert.Contains((await client.GetModuleChanges(node, "firewall", CancellationToken.None)).Changes, c => c is { What: "firewall", Target: "inet grid_firewall" });
    }

    /// <summary>The agent is ended at some moment of an installation, and at some moment of a removal; the next finishes what was ordered.</summary>
    async Task KillOnTheWayAsync(string node)
    {
        var client = Instance.Rig.Appliance.Client;
        var installing = await client.InstallModule(new() { Range = node, Module = "web" }, CancellationToken.None);
        await Task.Delay(random.Next((int)LatestKill.TotalMilliseconds));
        await GetAsync(node, $"{ProbePort}/cgi-bin/kill");
        Assert.Equal("done", await Instance.EndOfAsync(installing));
        Assert.Contains("serves this page", await GetAsync(node, "80/"), StringComparison.Ordinal);
        var removing = await client.RemoveModule(new() { Range = node, Module = "web" }, CancellationToken.None);
        await Task.Delay(random.Next((int)LatestKill.TotalMilliseconds / 2));
        await GetAsync(node, $"{ProbePort}/cgi-bin/kill");
        Assert.Equal("done", await Instance.EndOfAsync(removing));
    }

    async Task InstallProbeAsync(string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Instance.TrustAsync("probe", key.ExportSubjectPublicKeyInfoPem());
        var package = ModulePackageWriter.Write(new()
        {
            Name = "scout", Version = "1.0", Class = "scout", Setup = ["leave"], Start = ["/bin/busybox", "httpd", "-f", "-p", $"{ProbePort}", "-h", "/opt/grid/scout"], Health = new() { Port = ProbePort },
        }, [new("leave", "#!/bin/sh\nmkdir -p /dev/shm\necho x > /dev/shm/left\nchmod 600 /dev/full\n"u8.ToArray(), Executable: true), new("cgi-bin/look", await FixtureAsync("look"), Executable: true), new("cgi-bin/kill", await FixtureAsync("kill"), Executable: true)], key);
        await Instance.Rig.Appliance.Client.ImportModule(new MemoryStream(package), CancellationToken.None);
        await InstallAsync(node, "scout");
    }

    static Task<byte[]> FixtureAsync(string name) => File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "fixtures", "probe", name));

    /// <summary>The packages of <c>make modules</c>, as somebody takes them in who trusts their key.</summary>
    async Task ImportShippedAsync(params string[] names)
    {
        foreach (var name in names)
        {
            var package = await File.ReadAllBytesAsync(Path.Combine(LabPrograms.Built().Images, "../modules", $"{name}.gridmod"));
            Assert.True(PackageHeader.TryRead(package.AsSpan(0, PackageHeader.MaximumLength), out var header, out _));
            await Instance.TrustAsync("shipped", PemEncoding.WriteString("PUBLIC KEY", header.Key));
            await Instance.Rig.Appliance.Client.ImportModule(new MemoryStream(package), CancellationToken.None);
        }
    }

    async Task InstallAsync(string node, string module, Dictionary<string, string>? parameters = null) =>
        Assert.Equal("done", await Instance.EndOfAsync(await Instance.Rig.Appliance.Client.InstallModule(new() { Range = node, Module = module, Parameters = parameters }, CancellationToken.None)));

    async Task<string> RemoveAsync(string node, string module) =>
        await Instance.EndOfAsync(await Instance.Rig.Appliance.Client.RemoveModule(new() { Range = node, Module = module }, CancellationToken.None));

    /// <summary>As the appliance's side of the wire sees it.</summary>
    async Task<(int ExitCode, string Output)> TryGetAsync(string node, string portAndPath, TimeSpan connect)
    {
        var ip = (await Instance.Rig.Appliance.Client.GetNode(node, CancellationToken.None)).Ip;
        var answer = await Command.TryRunAsync(Namespaces.Inside(Instance.Plan.Appliance.Namespace,
            ["/usr/bin/curl", "--silent", "--show-error", "--connect-timeout", $"{connect.TotalSeconds}", "--max-time", "60", $"http://{ip}:{portAndPath}"]), CancellationToken.None);
        return (answer.ExitCode, answer.Output + answer.Error);
    }

    async Task<string> GetAsync(string node, string portAndPath)
    {
        var (status, text) = await TryGetAsync(node, portAndPath, TimeSpan.FromSeconds(10));
        Assert.True(status == 0, $"{portAndPath}: {status} {text}");
        return text;
    }

    Task<string> LookAsync(string node) => GetAsync(node, $"{ProbePort}/cgi-bin/look");

    async Task<string> SettledAsync(string node)
    {
        var last = "";
        for (var looks = 0; looks < 10; looks++)
        {
            var now = await LookAsync(node);
            if (now == last) return now;
            last = now;
        }
        throw new Xunit.Sdk.XunitException("the node does not come to rest: ten looks, each another");
    }

    static void AssertSame(string before, string after)
    {
        string[] was = before.Split('\n'), now = after.Split('\n');
        var difference = string.Join('\n', was.Except(now).Select(line => "-" + line).Concat(now.Except(was).Select(line => "+" + line)));
        Assert.True(difference.Length == 0, difference);
    }
}
