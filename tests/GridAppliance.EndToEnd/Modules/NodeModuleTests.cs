using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Api.Nodes;
using GridAppliance.EndToEnd.Boots;
using GridAppliance.EndToEnd.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Protocols.Packages;

namespace GridAppliance.EndToEnd.Modules;

/// <summary>
/// The shipped modules on a booted node of the tiny image, and what they leave there. A module of the test's own, the probe, serves what it sees of the node itself (the root of process 1): files,
/// sysctls, kernel modules, mounts, ports, processes, control groups; and ends the agent when asked to.
/// </summary>
[Collection(BootedLabs.Name)]
public sealed class NodeModuleTests(BootedLab lab)
{
    const int ProbePort = 9000;
    /// <summary>Ends of the agent on the way; <c>make soak</c> asks for many.</summary>
    static readonly int rounds = int.TryParse(Environment.GetEnvironmentVariable("GRID_SOAK"), out var asked) ? 2 * asked : 1;
    static readonly TimeSpan LatestKill = TimeSpan.FromSeconds(1);

    readonly Random random = new(1);

    LabInstance Instance => lab.Instance;

    [LabFact]
    public async Task A_node_is_as_before_when_its_modules_are_gone_in_whatever_order_and_although_its_agent_was_killed_on_the_way()
    {
        var node = (await Instance.NodeOfAsync(Instance.Plan.Servers[1])).Name;
        await InstallProbeAsync(node);
        try
        {
            // The drivers are in when two looks agree.
            var before = await SettledAsync(node);
            await ImportShippedAsync("firewall", "loadbalancer");
            await InstallAsync(node, "web");
            await InstallAsync(node, "hello");
            await InstallAsync(node, "loadbalancer", new() { ["servers"] = "127.0.0.1:80,127.0.0.1:8088" });
            await InstallAsync(node, "firewall", new() { ["tcp"] = $"8000, {ProbePort}" });
            await AssertAtWorkAsync(node);

            foreach (var module in (string[])["web", "firewall", "hello", "loadbalancer"]) Assert.Equal("done", await RemoveAsync(node, module));
            AssertSame(before, await LookAsync(node));

            for (var round = 0; round < rounds; round++) await KillOnTheWayAsync(node);
            AssertSame(before, await LookAsync(node));
        }
        finally
        {
            await RemoveAsync(node, "probe");
        }
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
            Name = "probe", Version = "1.0", Class = "probe", Start = ["/bin/busybox", "httpd", "-f", "-p", $"{ProbePort}", "-h", "/opt/grid/probe"], Health = new() { Port = ProbePort },
        }, [new("cgi-bin/look", await FixtureAsync("look"), Executable: true), new("cgi-bin/kill", await FixtureAsync("kill"), Executable: true)], key);
        await Instance.Rig.Appliance.Client.ImportModule(new MemoryStream(package), CancellationToken.None);
        await InstallAsync(node, "probe");
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
