using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agent;

/// <summary>Modules whose root is an image in place of the node's own: what they see, what of it outlives the agent, that it goes with them, and what is refused. The image is a few programs of this machine's.</summary>
public sealed class ImageRootTests : IAsyncLifetime
{
    static readonly string[] programs = ["/bin/sh", "/bin/cat", "/bin/ls", "/bin/sleep", "/bin/hostname", "/bin/mount", "/bin/umount", "/bin/mknod", "/bin/rm", "/usr/bin/id", "/usr/bin/setpriv", "/usr/sbin/pivot_root", "/usr/sbin/chroot"];

    static readonly string[] Launcher = ["process mount", "process pivot_root", "process umount", "process hostname", "process setpriv"];

    /// <summary>Says what it sees and what it may do.</summary>
    const string Look = """
        #!/bin/sh
        echo "host $(hostname) user $(id -u) appliance ${GRID_APPLIANCE%%:*}"
        for process in /proc/[0-9]*; do read -r name < $process/comm && echo "process $name"; done
        ls / /dev; cat /srv/data/big /proc/1/root/srv/data/big
        mknod /dev/disk b 7 0 && echo "made a device"
        mount -t tmpfs none /srv && echo mounted
        chroot / /bin/sh -c : && echo "changed its root"
        (echo b > /proc/sysrq-trigger || echo 1 > /proc/sys/kernel/panic) && echo "reached the machine"
        cat /proc/self/mountinfo
        """;

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;
    AgentUnderTest agent = null!;
    OrdersToAgent orders = null!;
    byte[] image = [];

    public async Task InitializeAsync()
    {
        image = Image();
        NodeRoot.Make(folder.Path);
        appliance = await ScriptedAppliance.StartAsync();
        agent = new AgentUnderTest(appliance, folder.Path);
        orders = new OrdersToAgent(appliance);
        Assert.True((await orders.SendAsync(new OrderDocument { Id = "look", NodeId = "node-1", Kind = "inventory" })).Succeeded);
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await appliance.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_module_on_an_image_sees_nothing_of_the_node_goes_on_without_its_agent_and_leaves_nothing()
    {
        var before = NodeFingerprint.Take(folder.Path);
        var installed = await InstallAsync(image);
        Assert.True(installed.Succeeded, $"{installed.Message}; the agent said: {agent.Said}");
        // Against the image, which stays below the view as long as the module is there.
        Assert.Contains(installed.Changes!.Single().Changes, change => change is { What: "file", Action: "changed", Target: "/etc/passwd" });
        Assert.Contains(installed.Changes!.Single().Changes, change => change is { What: "file", Action: "removed", Target: "/etc/spare" });
        var seen = await SeenAsync("1");
        var process = agent.ProcessOf("site");

        await agent.DisposeAsync();
        agent = new AgentUnderTest(appliance, folder.Path);
        Assert.Equal(seen, await SeenAsync("2"));
        Assert.Equal(process, agent.ProcessOf("site"));

        var gone = await orders.RemoveAsync("site");
        Assert.True(gone.Succeeded, gone.Message);
        Assert.True(before == NodeFingerprint.Take(folder.Path), $"{NodeFingerprint.Difference(before, NodeFingerprint.Take(folder.Path))}; the agent said: {agent.Said}");
        await Eventually.UntilAsync(() => !Directory.Exists($"/proc/{process}"), "the end of its program");
    }

    [Fact]
    public async Task An_image_that_is_not_what_was_ordered_and_a_port_that_is_taken_are_refused_and_nothing_stays()
    {
        var before = NodeFingerprint.Take(folder.Path);
        var other = image.ToArray();
        other[^1] ^= 1;
        async Task RefusedAsync(string reason, byte[]? served = null, Func<ModuleRootOrder, ModuleRootOrder>? change = null, int? port = null)
        {
            var result = await InstallAsync(image, served, change, port);
            Assert.False(result.Succeeded);
            Assert.Contains(reason, result.Message, StringComparison.Ordinal);
            Assert.Equal("", NodeFingerprint.Difference(before, NodeFingerprint.Take(folder.Path)));
        }
        await RefusedAsync("the root image could not be fetched: what arrived does not have the digest that the order names", other);
        await RefusedAsync("the root image could not be fetched: the appliance sends more than", [.. image, 0]);
        await RefusedAsync("the order's root image is not acceptable", change: root => root with { HostName = "a b" });
        await RefusedAsync("the order's root image is not acceptable", change: root => root with { Digest = "../../etc/passwd" });
        await RefusedAsync("the order's root image is not acceptable", change: root => root with { SizeBytes = 1L << 40 });
        image = [.. Enumerable.Repeat((byte)'x', 5000)];
        await RefusedAsync("the root image cannot be mounted");

        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;
        await RefusedAsync($"site needs the TCP port {taken}, and on this node something else listens there", port: taken);
    }

    [Fact]
    public async Task A_full_disk_is_seen_before_anything_is_fetched()
    {
        MountTable.Mount("small", Path.Combine(folder.Path, "var/lib/grid"), "tmpfs", 0, "size=32m");
        var result = await InstallAsync(image, []);
        Assert.False(result.Succeeded);
        Assert.Contains("var/lib/grid/roots, and ", result.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "var/lib/grid/roots")));
    }

    Task<OrderResult> InstallAsync(byte[] root, byte[]? served = null, Func<ModuleRootOrder, ModuleRootOrder>? change = null, int? port = null)
    {
        var order = new ModuleRootOrder { Digest = Convert.ToHexStringLower(SHA256.HashData(root)), SizeBytes = root.Length, HostName = "n7" };
        appliance.BootFiles[$"image/{order.Digest}"] = served ?? root;
        var install = orders.Install(ModulePackageWriter.Write(new()
        {
            Name = "site", Version = "1.0", Class = "site", Start = ["run"], Programs = ["look"], TimeoutSeconds = 30, Health = new() { Command = ["/bin/cat", "/run/up"] }, Needs = port is { } wanted ? new() { Ports = [wanted] } : null,
        }, [new("run", Encoding.UTF8.GetBytes("#!/bin/sh\necho >> /etc/passwd\nrm /etc/spare\necho up > /run/up\nsleep 1000 &\nwhile :; do sleep 1; done\n"), Executable: true), new("look", Encoding.UTF8.GetBytes(Look), Executable: true)], appliance.Key), "site");
        return orders.SendAsync(install with { Module = install.Module! with { Root = change is null ? order : change(order) } });
    }

    /// <summary>What a program of the module says that it sees, which is what it should.</summary>
    async Task<string> SeenAsync(string id)
    {
        var result = await LookAsync(id);
        // The launcher on its way to a health check, which runs programs of the image in there, is met at times, and not twice in a row.
        for (var more = 0; more < 5 && Launcher.Any(result.Output!.Split('\n').Contains); more++) result = await LookAsync($"{id}-{more}");
        var lines = result.Output!.Split('\n');
        Assert.Equal("host n7 user 0 appliance 127.0.0.1", lines[0]);
        // Its first process, the program that it keeps running, its health check and this one: nobody else's.
        Assert.Subset(new HashSet<string> { "process sh", "process run", "process sleep", "process cat", "process look" }, lines.Where(line => line.StartsWith("process ", StringComparison.Ordinal)).ToHashSet());
        Assert.Contains("process run", lines);
        Assert.DoesNotContain(lines, line => line is "made a device" or "mounted" or "changed its root" or "reached the machine" or "srv" || line.Contains("xxxx", StringComparison.Ordinal));
        Assert.Equal(["/", "/proc", "/sys"], lines.Where(line => line.Contains(" - ", StringComparison.Ordinal)).Select(line => line.Split(' ')[4]).Where(place => !place.StartsWith("/proc/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        return string.Join('\n', lines.Where(line => !line.Contains(" - ", StringComparison.Ordinal) && !line.StartsWith("process ", StringComparison.Ordinal)));
    }

    async Task<OrderResult> LookAsync(string id)
    {
        var result = await orders.SendAsync(new() { Id = $"look-{id}", NodeId = "node-1", Kind = OrderKinds.Run, Run = new() { Module = "site", Command = ["look"] } });
        Assert.True(result.Succeeded, $"{result.Message}: {result.Output}");
        return result;
    }

    /// <summary>Programs with what they link to, as Debian's image has them.</summary>
    static byte[] Image()
    {
        using var tree = new ScratchFolder();
        foreach (var at in (string[])["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "run", "tmp", "opt", "proc", "sys", "dev"]) Directory.CreateDirectory(Path.Combine(tree.Path, at));
        foreach (var link in (string[])["bin", "sbin", "lib", "lib64"]) File.CreateSymbolicLink(Path.Combine(tree.Path, link), $"usr/{link}");
        File.WriteAllText(Path.Combine(tree.Path, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        File.WriteAllText(Path.Combine(tree.Path, "etc/spare"), "");
        foreach (var program in programs.Concat(programs.SelectMany(program => Run("/usr/bin/ldd", program).Split([' ', '\t', '\n']).Where(static word => word.StartsWith('/')))).Distinct())
        {
            var to = tree.Path + (program.StartsWith("/usr/", StringComparison.Ordinal) ? program : "/usr" + program);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(program, to, overwrite: true);
        }
        Run("/usr/bin/mknod", "-m", "666", Path.Combine(tree.Path, "dev/null"), "c", "1", "3");
        var file = Path.Combine(tree.Path, "squashfs");
        Run("/usr/bin/mksquashfs", tree.Path, file, "-quiet", "-no-progress", "-comp", "gzip");
        return File.ReadAllBytes(file);
    }

    static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}");
        return output;
    }
}
