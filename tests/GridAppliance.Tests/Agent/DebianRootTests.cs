using System.Diagnostics;
using GridAppliance.Agent.Native;
using GridAppliance.Api.Modules;

namespace GridAppliance.Tests.Agent;

/// <summary>
/// Modules on a Debian root: the root file system of the Debian node image (<c>make image-debian</c>), arranged as on such a node, an overlay of that image and memory. A module does there what people do on
/// Debian: adds users, installs packages with scripts of their own, enables services, and its programs write everywhere.
/// </summary>
[Trait("Soak", "yes")]
public sealed class DebianRootTests : IAsyncLifetime
{
    const string Unit = "[Unit]\nDescription=An app\n[Service]\nExecStart=/usr/bin/app\n[Install]\nWantedBy=multi-user.target\n";

    /// <summary>Every line of it changes something that is not the module's.</summary>
    const string Setup = """
        #!/bin/bash
        set -e
        groupadd --gid 850 app
        useradd --uid 850 --gid app --create-home --shell /bin/bash app
        usermod --append --groups app daemon
        echo app:secret | chpasswd
        dpkg --install /opt/grid/site/local.deb
        systemctl enable app.service
        systemctl mask getty@tty1.service
        update-alternatives --install /usr/bin/editor editor /usr/bin/app 50
        printf '/usr/lib/app\n' > /etc/ld.so.conf.d/app.conf; mkdir -p /usr/lib/app; ldconfig
        systemd-sysusers --inline 'u ghost 851'
        chmod 4755 /usr/bin/app; chown daemon:app /etc/issue; touch --date=2001-01-01 /etc/debian_version
        rm -r /usr/share/doc /etc/issue.net; mkdir /etc/issue.net; ln -sf /etc/issue /etc/motd
        dpkg --purge --force-all procps
        """;

    const string Program = """
        #!/bin/bash
        (setsid bash -c 'while :; do date >> /var/log/app-child.log; sleep 0.05; done' &)
        runuser -u app -- bash -c 'echo mine > ~/note'
        : > /run/app.up
        for ((i = 0; ; i++)); do echo "$i" >> /var/log/app.log; echo "$i" > "/var/lib/app.$((i % 20))"; sleep 0.02; done
        """;

    readonly ScratchFolder image = new();
    readonly ScratchFolder node = new();
    ScriptedAppliance appliance = null!;
    AgentUnderTest agent = null!;
    OrdersToAgent orders = null!;

    public async Task InitializeAsync()
    {
        Run("unsquashfs", "-quiet", "-no-progress", "-force", "-dest", image.Path, RootImage());
        // Upper and work folder lie in memory, as there.
        var memory = Directory.CreateDirectory(Path.Combine(node.Path, "memory")).FullName;
        MountTable.Mount("memory", memory, "tmpfs", 0, null);
        foreach (var folder in (string[])["upper", "work"]) Directory.CreateDirectory(Path.Combine(memory, folder));
        Directory.CreateDirectory(Root);
        MountTable.Mount("root", Root, "overlay", 0, $"lowerdir={image.Path},upperdir={memory}/upper,workdir={memory}/work");
        Directory.CreateDirectory(Path.Combine(Root, "sys/fs"));
        Directory.CreateDirectory(Path.Combine(Root, "var/lib/grid"));
        NodeRoot.LinkGroup(Root);
        appliance = await ScriptedAppliance.StartAsync();
        agent = new AgentUnderTest(appliance, Root);
        orders = new OrdersToAgent(appliance);
        Assert.True((await orders.SendAsync(new() { Id = "look", NodeId = "node-1", Kind = "inventory" })).Succeeded);
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await appliance.DisposeAsync();
        NodeRoot.Forget(Root);
        node.Dispose();
        image.Dispose();
    }

    string Root => Path.Combine(node.Path, "root");

    [Fact]
    public async Task Users_packages_services_and_programs_of_modules_leave_no_difference_in_whatever_order_they_go()
    {
        var before = NodeFingerprint.Take(Root);
        var deb = LocalPackage();
        var site = await orders.InstallAsync(ModulePackageWriter.Write(new()
        {
            Name = "site", Version = "1.0", Class = "site", Setup = ["prepare"], Start = ["run"], Health = new() { Command = ["/usr/bin/test", "-e", "/run/app.up"] }, TimeoutSeconds = 60,
            Users = [new() { Name = "grid-site", Id = 860 }], Hosts = [new() { Address = "10.9.8.7", Names = ["site"] }],
        }, [new("prepare", Text(Setup), Executable: true), new("run", Text(Program), Executable: true), new("local.deb", await File.ReadAllBytesAsync(deb))], appliance.Key), "site");
        Assert.True(site.Succeeded, site.Message);
        // Stands on the first: sees its users and its package.
        var above = await orders.InstallAsync(ModulePackageWriter.Write(new() { Name = "above", Version = "1.0", Class = "above", Needs = new() { Modules = ["site"] }, Setup = ["check"], TimeoutSeconds = 60 },
            [new("check", Text("#!/bin/bash\nset -e\nid app; dpkg --status local; userdel --remove app; dpkg --purge local; rm /var/lib/dpkg/status\n"), Executable: true)], appliance.Key), "above");
        Assert.True(above.Succeeded, above.Message);

        var changes = agent.Modules.Changes().Single(one => one.Module == "site").Changes;
        foreach (var changed in (string[])["/etc/passwd", "/etc/shadow", "/etc/group", "/var/lib/dpkg/status", "/etc/issue"])
            Assert.Contains(changes, c => c is { What: "file", Action: "changed", Digest.Length: 64 } && c.Target == changed);
        Assert.Contains(changes, c => c is { What: "link", Action: "added", Target: "/etc/systemd/system/multi-user.target.wants/app.service" });
        Assert.Contains(changes, c => c is { What: "file", Action: "added", Target: "/home/app/note", SizeBytes: 5 });
        Assert.Contains(changes, c => c is { Action: "removed", Target: "/usr/share/doc" });

        Assert.True((await orders.RemoveAsync("site")).Succeeded);
        var gone = await orders.RemoveAsync("above");
        Assert.True(gone.Succeeded, gone.Message);
        Assert.Empty(gone.Modules);
        var after = NodeFingerprint.Take(Root);
        Assert.True(before == after, string.Join('\n', before.Split('\n').Except(after.Split('\n')).Take(5).Select(line => "-" + line).Concat(after.Split('\n').Except(before.Split('\n')).Take(5).Select(line => "+" + line))));
    }

    /// <summary>A package with a configuration file, a unit, and scripts of its own.</summary>
    string LocalPackage()
    {
        var tree = Path.Combine(node.Path, "tree");
        foreach (var folder in (string[])["DEBIAN", "usr/bin", "etc", "lib/systemd/system"]) Directory.CreateDirectory(Path.Combine(tree, folder));
        void Put(string path, string text, bool executable = false)
        {
            File.WriteAllText(Path.Combine(tree, path), text);
            if (executable) File.SetUnixFileMode(Path.Combine(tree, path), (UnixFileMode)0b111_101_101);
        }
        Put("DEBIAN/control", "Package: local\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: an app\n");
        Put("DEBIAN/conffiles", "/etc/local.conf\n");
        Put("DEBIAN/postinst", "#!/bin/sh\nset -e\nuseradd --system local\ninstall -d -o local /var/lib/local\necho done > /var/lib/local/state\n", executable: true);
        Put("usr/bin/app", "#!/bin/sh\nexec sleep 1000\n", executable: true);
        Put("etc/local.conf", "x=1\n");
        Put("lib/systemd/system/app.service", Unit);
        var deb = Path.Combine(node.Path, "local.deb");
        Run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, deb);
        return deb;
    }

    static byte[] Text(string script) => System.Text.Encoding.UTF8.GetBytes(script);

    public static string RootImage(string name = "root.squashfs")
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "GridAppliance.sln"))) folder = folder.Parent;
        var image = Path.Combine(folder?.FullName ?? "", "artifacts/image/debian", name);
        Assert.True(File.Exists(image), $"{image} is not there: make image-debian");
        return image;
    }

    static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(60_000), $"{program} does not end");
        Assert.True(process.ExitCode == 0, $"{program}: {said.Result}");
    }
}
