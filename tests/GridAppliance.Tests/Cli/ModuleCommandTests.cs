using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using GridAppliance.Agent;
using GridAppliance.Api;
using GridAppliance.Boot;
using GridAppliance.Boot.Http;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Tests.Agent;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Cli;

/// <summary>gridctl's commands about modules, with a whole daemon and a whole agent behind them: what is built is imported, installed, looked at, upgraded and removed.</summary>
public sealed class ModuleCommandTests : IAsyncLifetime
{
    static readonly Ipv4Address Loopback = Ipv4Address.Parse("127.0.0.1");

    readonly ScratchFolder node = new();
    readonly ScratchFolder desk = new();
    ManagementPlaneHost plane = null!;
    AgentUnderTest agent = null!;

    public async Task InitializeAsync()
    {
        NodeRoot.Make(node.Path);
        plane = await ManagementPlaneHost.StartAsync(boots: new() { Name = "provisioning", Interface = "lo", Address = Ipv4Network.Parse("127.0.0.1/8"), Boot = true }, bootPort: 0);
        plane.Get<BootClients>().Granted("provisioning", Loopback, TestStore.Mac(1));
        var attempt = await plane.Get<BootAttempts>().IssueAsync(TestStore.Mac(1), Loopback, "provisioning", null, CancellationToken.None);
        agent = new(new BootParameters { Appliance = new(IPAddress.Loopback, plane.Get<BootPlane>().Addresses.Single().Port), ApplianceFingerprint = plane.Get<ApplianceKey>().Fingerprint, Token = attempt.Token }, node.Path);
        await plane.Nodes.UntilAsync("n1", n => n.State == NodeState.Idle);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(At("key.pem"), key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(At("key.pub.pem"), key.ExportSubjectPublicKeyInfoPem());
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await plane.DisposeAsync();
        node.Dispose();
        desk.Dispose();
    }

    string At(string name) => Path.Combine(desk.Path, name);

    void Trust()
    {
        var keys = Directory.CreateDirectory(Path.Combine(plane.DataDir, "module-keys")).FullName;
        File.Copy(At("key.pub.pem"), Path.Combine(keys, "desk.pem"));
    }

    /// <summary>A module as somebody writes it: a manifest, a program, and a Debian package that it carries.</summary>
    string WriteModule(string version, string program = "#!/bin/sh\nexec sleep 1000\n")
    {
        var folder = Directory.CreateDirectory(At($"site-{version}")).FullName;
        File.WriteAllText(Path.Combine(folder, "module.json"), $$"""
            { "name": "site", "version": "{{version}}", "class": "web-site", "start": [ "serve" ], "users": [ { "name": "site", "id": 800 } ], /* for people */
              "parameters": { "port": { "type": "number", "default": "80", "minimum": 1, "maximum": 65535 } } }
            """);
        File.WriteAllText(Path.Combine(folder, "serve"), program);
        var tree = Directory.CreateDirectory(At($"tree-{version}")).FullName;
        Directory.CreateDirectory(Path.Combine(tree, "DEBIAN"));
        Directory.CreateDirectory(Path.Combine(tree, "usr/share/site"));
        Directory.CreateDirectory(Path.Combine(tree, "usr/share/doc/site"));
        File.WriteAllText(Path.Combine(tree, "DEBIAN/control"), "Package: site-data\nVersion: 3\nArchitecture: all\nMaintainer: nobody\nDescription: pages\nConflicts: other-data, third (<< 2)\n");
        File.WriteAllText(Path.Combine(tree, "usr/share/site/page"), version);
        File.WriteAllText(Path.Combine(tree, "usr/share/doc/site/copyright"), "for people");
        var debs = Directory.CreateDirectory(Path.Combine(folder, "debs")).FullName;
        using var built = Process.Start(new ProcessStartInfo("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, debs]) { RedirectStandardOutput = true })!;
        built.StandardOutput.ReadToEnd();
        built.WaitForExit();
        Assert.Equal(0, built.ExitCode);
        return folder;
    }

    async Task<string> BuildAsync(string version, string program = "#!/bin/sh\nexec sleep 1000\n")
    {
        var built = await plane.Gridctl("module", "build", WriteModule(version, program), "--key", At("key.pem"), "--to", At($"site-{version}.gridmod"));
        Assert.True(built.Status == 0, built.Error);
        Assert.Contains($"site {version}, 2 files, ", built.Output, StringComparison.Ordinal);
        return At($"site-{version}.gridmod");
    }

    async Task<string> DoneAsync(params string[] command)
    {
        var ran = await plane.Gridctl(command);
        Assert.True(ran.Status == 0, ran.Output + ran.Error);
        return ran.Output;
    }

    [Fact]
    public async Task A_module_is_built_shown_imported_installed_looked_at_upgraded_and_removed()
    {
        var package = await BuildAsync("1.0");
        var shown = await DoneAsync("module", "show", package);
        Assert.Contains("site-data 3", shown, StringComparison.Ordinal);
        Assert.Contains("port (number, 1 to 65535) = 80", shown, StringComparison.Ordinal);

        var stranger = await plane.Gridctl("module", "import", package);
        Assert.NotEqual(0, stranger.Status);
        Assert.Contains("signed by a key that is not trusted", stranger.Error, StringComparison.Ordinal);
        Trust();
        await DoneAsync("module", "import", package);
        await DoneAsync("module", "install", "n1", "site", "--set", "port=8080");

        using var changes = JsonDocument.Parse(await DoneAsync("module", "changes", "n1", "site", "-o", "json"));
        var read = Assert.Single(changes.Deserialize(ApiJson.Default.IReadOnlyListModuleChangesDocument)!);
        Assert.Equal("n1", read.Node);
        using (var client = plane.Client()) Assert.Equal(read.Changes.Count, (await client.GetModuleChanges("n1", "site", CancellationToken.None)).Changes.Count);
        Assert.Equal(("1.0", "operator"), (read.Version, Assert.Single(read.Owners)));
        Assert.Contains(read.Changes, c => c is { What: "file", Action: "added", Target: "/usr/share/site/page", SizeBytes: 3, Digest.Length: 64 });
        Assert.DoesNotContain(read.Changes, c => c.Target.Contains("/doc/", StringComparison.Ordinal));
        var table = await DoneAsync("module", "changes", "n1", "site");
        Assert.Contains("/usr/share/site/page", table, StringComparison.Ordinal);
        Assert.Contains("user", table, StringComparison.Ordinal);

        await DoneAsync("module", "import", await BuildAsync("2.0"));
        var refused = await plane.Gridctl("module", "install", "n1", "site", "--no-upgrade");
        Assert.Equal(3, refused.Status);
        Assert.Contains("n1 has site 1.0", refused.Output + refused.Error, StringComparison.Ordinal);
        Assert.Contains("site 1.0 will be upgraded to 2.0", await DoneAsync("module", "upgrade", "n1", "site", "--dry-run"), StringComparison.Ordinal);
        await DoneAsync("module", "upgrade", "n1", "site");
        Assert.Contains("site 2.0, running", await DoneAsync("node", "show", "n1"), StringComparison.Ordinal);
        var again = await plane.Gridctl("module", "upgrade", "n1", "site");
        Assert.Contains("n1 has site 2.0 already", again.Output + again.Error, StringComparison.Ordinal);

        await DoneAsync("module", "remove", "n1", "site");
        var gone = await plane.Gridctl("module", "changes", "n1", "site");
        Assert.Contains("n1 has no module site", gone.Error, StringComparison.Ordinal);
        Assert.Equal(3, (await plane.Gridctl("module", "upgrade", "n1", "site")).Status);
    }

    [Fact]
    public async Task An_upgrade_that_fails_brings_the_old_version_back_and_says_why()
    {
        Trust();
        await DoneAsync("module", "import", await BuildAsync("1.0"));
        await DoneAsync("module", "install", "n1", "site");
        await DoneAsync("module", "import", await BuildAsync("2.0", "#!/bin/sh\necho no such luck\nexit 7\n"));
        var failed = await plane.Gridctl("module", "upgrade", "n1", "site@2.0");
        Assert.Equal(3, failed.Status);
        Assert.Contains("ended with status 7, saying: no such luck; 1.0 is back", failed.Output + failed.Error, StringComparison.Ordinal);
        await plane.Nodes.UntilAsync("n1", n => n.Modules is [{ Version: "1.0", State: "running" }]);
        Assert.Contains("site 1.0, running", await DoneAsync("node", "show", "n1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_a_folder_a_key_or_a_package_is_said_and_nothing_is_written()
    {
        async Task Refuses(string reason, params string[] command)
        {
            var ran = await plane.Gridctl(command);
            Assert.NotEqual(0, ran.Status);
            Assert.Contains(reason, ran.Error, StringComparison.Ordinal);
        }

        var folder = WriteModule("1.0");
        var target = At("target.gridmod");
        await Refuses("is no key to sign with", "module", "build", folder, "--key", At("key.pub.pem"), "--to", target);
        await Refuses("there is no module.json", "module", "build", desk.Path, "--key", At("key.pem"), "--to", target);
        await File.WriteAllTextAsync(Path.Combine(folder, "debs/bad.deb"), "no package");
        await Refuses("bad.deb", "module", "build", folder, "--key", At("key.pem"), "--to", target);
        Assert.False(File.Exists(target));
        var package = await BuildAsync("2.0");
        var damaged = await File.ReadAllBytesAsync(package);
        damaged[^600] ^= 1;
        await File.WriteAllBytesAsync(package, damaged);
        await Refuses("the package is refused", "module", "show", package);
        await Refuses("the package is refused", "module", "import", package);
        await Refuses("no module nothing in the catalogue", "module", "show", "nothing");
    }
}
