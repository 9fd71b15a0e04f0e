using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using GridAppliance.Agent;
using GridAppliance.Agent.Modules;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Modules;
using GridAppliance.Protocols.Packages;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Agent;

public sealed class ModulesTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ScratchFolder folder = new();
    ScriptedAppliance appliance = null!;
    int orders;

    public async Task InitializeAsync()
    {
        NodeRoot.Make(folder.Path);
        appliance = await ScriptedAppliance.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await appliance.DisposeAsync();
        folder.Dispose();
    }

    const string Stays = "#!/bin/sh\necho \"$GRID_MODULE in $PWD\" > started\nsleep 1000 & wait\n";
    const string Ends = "#!/bin/sh\necho out of luck\nexit 3\n";

    byte[] Package(string name = "hello", string version = "1.0", string script = Stays, string @class = "greeter", ECDsa? key = null) =>
        ModulePackageWriter.Write(new ModuleManifest { Name = name, Version = version, Class = @class, Start = ["bin/run", "--x"] },
            [new ModuleFile("bin/run", Encoding.UTF8.GetBytes(script), Executable: true), new ModuleFile("data/text", "some"u8.ToArray())], key ?? appliance.Key);

    async Task<OrderResult> InstallAsync(byte[] package, string name = "hello", string version = "1.0", long? size = null, string? digest = null, bool refuseUpgrade = false)
    {
        var published = appliance.Publish(package);
        appliance.Send(new OrderDocument
        {
            Id = $"o-{++orders}", NodeId = "node-1", Kind = "module.install",
            Module = new ModuleOrder { Name = name, Version = version, Digest = digest ?? published, SizeBytes = size ?? package.Length, RefuseUpgrade = refuseUpgrade },
        });
        return (await Next(appliance.Results)).Result;
    }

    async Task<OrderResult> RemoveAsync(string name)
    {
        appliance.Send(new OrderDocument
        {
            Id = $"o-{++orders}", NodeId = "node-1", Kind = "module.remove", Module = new ModuleOrder { Name = name, Version = "", Digest = "", SizeBytes = 0 },
        });
        return (await Next(appliance.Results)).Result;
    }

    static Task<T> Next<T>(Channel<T> channel) => channel.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>The one module's own files, where its programs write.</summary>
    string Own => Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(folder.Path, "var/lib/grid/layers"))), "upper/opt/grid/hello");

    /// <summary>A program without a check counts as started when it has stayed up for a moment, and has not always done its work by then; on a busy machine it may be started a second time ("text file busy").</summary>
    static Task RunsAsync(AgentUnderTest agent, Func<bool>? andSo = null) =>
        Eventually.UntilAsync(() => NodeFingerprint.Runs(agent.ProcessOf("hello")) && andSo?.Invoke() is not false, $"hello and what it does (the agent said: {agent.Said})");

    [Fact]
    public async Task A_module_is_fetched_checked_installed_and_runs_and_its_removal_leaves_no_trace()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var result = await InstallAsync(Package());
        Assert.True(result.Succeeded, result.Message);
        Assert.Equal(("hello", "1.0", "running"), Assert.Single(result.Modules) is var m ? (m.Name, m.Version, m.State) : default);
        int[] children = [];
        await RunsAsync(agent, () => agent.ProcessOf("hello") is var leader && (children = [.. Process.GetProcesses().Where(p => GroupOf(p.Id) == leader).Select(p => p.Id)]).Length >= 2);
        Assert.Equal("hello in /opt/grid/hello\n", File.ReadAllText(Path.Combine(Own, "started")));
        Assert.Equal("some", File.ReadAllText(Path.Combine(Own, "data/text")));

        result = await RemoveAsync("hello");
        Assert.True(result.Succeeded, result.Message);
        Assert.Empty(result.Modules);
        Assert.Equal("", folder.Listing("var/lib/grid"));
        Assert.Equal("", folder.Listing("var/log/grid"));
        Assert.Equal("", folder.Listing("run/grid-agent/modules"));
        Assert.DoesNotContain(children, NodeFingerprint.Runs);
    }

    static int GroupOf(int process)
    {
        try { return File.ReadAllText($"/proc/{process}/stat") is var stat ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[2]) : 0; }
        catch (IOException) { return 0; }
    }

    [Fact]
    public async Task A_program_that_ends_at_once_is_taken_away_again_with_its_last_words_in_the_result()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var result = await InstallAsync(Package(script: Ends));
        Assert.False(result.Succeeded);
        Assert.Contains("status 3", result.Message);
        Assert.Contains("out of luck", result.Message);
        Assert.Empty(result.Modules);
        Assert.Equal("", folder.Listing("var/lib/grid"));
    }

    [Fact]
    public async Task A_new_version_takes_the_place_of_the_old_and_one_that_fails_gives_it_back()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        Assert.True((await InstallAsync(Package())).Succeeded);
        // Only where the order allows it.
        var refused = await InstallAsync(Package(version: "1.1"), version: "1.1", refuseUpgrade: true);
        Assert.Contains("hello 1.0 is installed, and the order does not allow another version in its place", refused.Message);
        Assert.Equal("1.0", Assert.Single(refused.Modules).Version);
        Assert.True((await InstallAsync(Package(version: "1.1"), version: "1.1")).Succeeded);
        Assert.Single(Directory.GetDirectories(Path.Combine(folder.Path, "var/lib/grid/layers")));
        var failed = await InstallAsync(Package(version: "1.2", script: Ends), version: "1.2");
        Assert.False(failed.Succeeded);
        Assert.Contains("1.1 is back", failed.Message);
        Assert.Equal("1.1", Assert.Single(failed.Modules).Version);
        await RunsAsync(agent);
        Assert.True((await RemoveAsync("hello")).Succeeded);
    }

    [Fact]
    public async Task A_class_is_installed_once()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        Assert.True((await InstallAsync(Package())).Succeeded);
        var second = await InstallAsync(Package(name: "bonjour"), name: "bonjour");
        Assert.False(second.Succeeded);
        Assert.Contains("hello is installed already, and of the same class (greeter)", second.Message);
        await RemoveAsync("hello");
    }

    [Fact]
    public async Task A_module_that_shadows_the_agents_own_orders_is_refused_with_that_reason()
    {
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var result = await InstallAsync(Package("relation"), "relation");
        Assert.False(result.Succeeded);
        Assert.Contains("its manifest is not acceptable: relation is a word of the agent's own orders: a module may not shadow it", result.Message, StringComparison.Ordinal);
        Assert.Empty(result.Modules);
    }

    [Fact]
    public async Task What_is_not_what_the_order_named_is_refused_and_leaves_nothing()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var agent = new AgentUnderTest(appliance, folder.Path);
        var package = Package();
        appliance.Packages[new string('a', 64)] = package;
        Assert.Contains("does not have the digest", (await InstallAsync(package, digest: new string('a', 64))).Message);
        Assert.Contains("more than the", (await InstallAsync(package, size: package.Length - 1)).Message);
        Assert.Contains("bytes arrived", (await InstallAsync(package, size: package.Length + 1)).Message);
        Assert.Contains("signed by a key that is not trusted", (await InstallAsync(Package(key: other))).Message);
        Assert.Contains("not hello 2.0", (await InstallAsync(package, version: "2.0")).Message);
        Assert.Contains("not acceptable", (await InstallAsync(package, name: "../up")).Message);
        Assert.Contains("404", (await InstallAsync(package, digest: new string('b', 64))).Message);
        Assert.Equal("", folder.Listing("var/lib/grid").Replace("/modules\n", "").Replace("/incoming\n", ""));
    }

    [Fact]
    public async Task An_agent_that_was_killed_finds_its_modules_running_and_does_not_start_them_twice()
    {
        int process;
        await using (var first = new AgentUnderTest(appliance, folder.Path))
        {
            Assert.True((await InstallAsync(Package())).Succeeded);
            // Its own mark: until then the launcher's exec may still fail, and it would be started a second time.
            await RunsAsync(first, () => File.Exists(Path.Combine(Own, "started")));
            process = first.ProcessOf("hello");
        }
        Assert.True(NodeFingerprint.Runs(process));
        await using var second = new AgentUnderTest(appliance, folder.Path);
        appliance.Send(new OrderDocument { Id = "look", NodeId = "node-1", Kind = "inventory" });
        await Next(appliance.Results);
        Assert.Equal(process, second.ProcessOf("hello"));
        Assert.True((await RemoveAsync("hello")).Succeeded);
        Assert.False(NodeFingerprint.Runs(process));
    }

    public static TheoryData<string, TarEntryType, string?, string> BadEntries() => new()
    {
        { "../escape", TarEntryType.RegularFile, null, "UnsafePath" },
        { "/etc/passwd", TarEntryType.RegularFile, null, "UnsafePath" },
        { "a/../../escape", TarEntryType.RegularFile, null, "UnsafePath" },
        { "a//b", TarEntryType.RegularFile, null, "UnsafePath" },
        { "./run", TarEntryType.RegularFile, null, "UnsafePath" },
        { "link", TarEntryType.SymbolicLink, "/etc", "UnsafeKind" },
        { "root/link", TarEntryType.SymbolicLink, "/etc", "LinkOut" },
        { "root/a/link", TarEntryType.SymbolicLink, "../../etc/shadow", "LinkOut" },
        { "root/bin/grid-agent", TarEntryType.RegularFile, null, "UnsafePath" },
        { "root/var/lib/grid/journal", TarEntryType.RegularFile, null, "UnsafePath" },
        { "root/opt", TarEntryType.SymbolicLink, "tmp", "UnsafePath" },
        { "link", TarEntryType.HardLink, "run", "UnsafeKind" },
        { "pipe", TarEntryType.Fifo, null, "UnsafeKind" },
        { "disk", TarEntryType.BlockDevice, null, "UnsafeKind" },
        { "run", TarEntryType.RegularFile, null, "UnsafePath" },
    };

    [Theory]
    [MemberData(nameof(BadEntries))]
    public void An_archive_with_an_unsafe_entry_is_refused_even_when_it_is_well_signed(string name, TarEntryType type, string? target, string expected)
    {
        var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            void Add(string path, string content) => tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            Add("module.json", """{"name":"hello","version":"1.0","class":"greeter","start":["run"]}""");
            Add("run", "x");
            var bad = new UstarTarEntry(type, name);
            if (target is not null) bad.LinkName = target;
            if (type == TarEntryType.RegularFile) bad.DataStream = new MemoryStream("x"u8.ToArray());
            tar.WriteEntry(bad);
        }
        archive.Position = 0;
        var destination = Directory.CreateDirectory(Path.Combine(folder.Path, "into")).FullName;
        Assert.Equal(expected, PackageReader.Unpack(archive, destination, Path.Combine(folder.Path, "root")).Problem.ToString());
        Assert.False(File.Exists(Path.Combine(folder.Path, "escape")));
    }

    [Fact]
    public void Manifests_and_archives_that_are_not_acceptable_are_told_apart()
    {
        PackageProblem Unpack(string manifest, string first = "module.json", bool program = true)
        {
            var archive = new MemoryStream();
            using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, first) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(manifest)) });
                if (program) tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "run") { DataStream = new MemoryStream("x"u8.ToArray()) });
            }
            archive.Position = 0;
            return PackageReader.Unpack(archive, Directory.CreateDirectory(Path.Combine(folder.Path, Guid.NewGuid().ToString())).FullName, Path.Combine(folder.Path, Guid.NewGuid().ToString())).Problem;
        }

        const string Good = """{"name":"hello","version":"1.0","class":"greeter","start":["run"]}""";
        Assert.Equal(PackageProblem.None, Unpack(Good));
        Assert.Equal(PackageProblem.NoProgram, Unpack(Good, program: false));
        Assert.Equal(PackageProblem.NoProgram, Unpack(Good.Replace("[\"run\"]", "[\"run\"],\"programs\":[\"ask\"]")));
        Assert.Equal(PackageProblem.NoManifest, Unpack(Good, first: "other.json"));
        Assert.Equal(PackageProblem.BadManifest, Unpack("{"));
        Assert.Equal(PackageProblem.BadManifest, Unpack(Good.Replace("hello", "../x")));
        Assert.Equal(PackageProblem.BadManifest, Unpack(Good.Replace("1.0", "1/0")));
        Assert.Equal(PackageProblem.BadManifest, Unpack(Good.Replace("[\"run\"]", "[]")));
        Assert.Equal(PackageProblem.BadManifest, Unpack(Good.Replace("\"run\"", "\"../run\"")));
        Assert.Equal(PackageProblem.DamagedArchive, PackageReader.Unpack(new MemoryStream(Enumerable.Repeat((byte)0x41, 2048).ToArray()), folder.Path, Path.Combine(folder.Path, "r")).Problem);
    }

    [Fact]
    public void A_signature_covers_every_octet_of_the_archive()
    {
        var package = Package();
        Assert.Equal(PackageProblem.None, PackageReader.Verify(new MemoryStream(package), appliance.Fingerprint));
        PackageHeader.TryRead(package, out var header, out _);
        var length = header.Length;
        for (var at = length; at < package.Length; at += 97)
        {
            var damaged = package.ToArray();
            damaged[at] ^= 1;
            Assert.Equal(PackageProblem.BadSignature, PackageReader.Verify(new MemoryStream(damaged), appliance.Fingerprint));
        }
        Assert.Equal(PackageProblem.UntrustedKey, PackageReader.Verify(new MemoryStream(package), new string('0', 64)));
        Assert.Equal(PackageProblem.NotAPackage, PackageReader.Verify(new MemoryStream([1, 2, 3]), appliance.Fingerprint));
    }

    [Fact]
    public void The_same_manifest_and_files_give_the_same_archive()
    {
        static byte[] Archive(byte[] package) { PackageHeader.TryRead(package, out var header, out _); return package[header.Length..]; }
        Assert.Equal(Archive(Package()), Archive(Package()));
    }
}
