using System.Formats.Tar;
using System.Security.Cryptography;
using GridAppliance.Api.Modules;
using GridAppliance.Hosting;
using GridAppliance.Modules;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Modules;

public sealed class ModuleCatalogTests : IAsyncLifetime
{
    readonly TestStore store = new();
    ApplianceKey key = null!;
    ModuleCatalog catalog = null!;

    public Task InitializeAsync()
    {
        Open();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        key.Dispose();
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_package_that_is_taken_in_is_listed_kept_under_its_digest_and_there_after_a_restart()
    {
        var package = TestPackage.Signed(key, TestPackage.Manifest("hello"));
        var accepted = Assert.IsType<ModuleImport.Accepted>(await ImportAsync(package));
        Assert.True(accepted.IsNew);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(package)), accepted.Module.Digest);
        await store.ReopenAsync();
        Open();
        var listed = Assert.Single(catalog.List());
        Assert.Equal(accepted.Module, listed);
        Assert.Equal(package, await KeptAsync(listed));
        Assert.Single(store.Timeline.Read(0, 10), e => e.Kind == "module.imported" && e.Actor == "alice");
    }

    [Fact]
    public async Task The_same_content_again_is_found_though_its_signature_differs_and_other_content_under_its_name_is_refused()
    {
        await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("hello")));
        Assert.False(Assert.IsType<ModuleImport.Accepted>(await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("hello")))).IsNew);
        await RefusesAsync("hello 1.0 is in the catalogue with other content", TestPackage.Signed(key, TestPackage.Manifest("hello", moduleClass: "other")));
        Assert.True(Assert.IsType<ModuleImport.Accepted>(await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("hello", "1.1")))).IsNew);
        Assert.Equal(2, catalog.List().Count);
        Assert.Single(Directory.GetFiles(Folder), file => file.EndsWith(catalog.Find("hello@1.0")!.Digest, StringComparison.Ordinal));
        Assert.Equal(2, Directory.GetFiles(Folder).Length);
    }

    [Fact]
    public async Task A_name_alone_means_the_newest_import()
    {
        await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("hello", "2.0")));
        store.Clock.Advance(TimeSpan.FromSeconds(1));
        await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("hello", "1.9")));
        Assert.Equal("1.9", catalog.Find("hello")!.Version);
        Assert.Equal("2.0", catalog.Find("hello@2.0")!.Version);
        Assert.Null(catalog.Find("hello@3"));
        Assert.Null(catalog.Find("world"));
    }

    [Fact]
    public async Task A_strangers_package_is_refused_until_the_administrator_trusts_his_key_and_is_then_sealed_with_ours()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var package = TestPackage.Signed(stranger, TestPackage.Archive(TestPackage.Manifest("hello")));
        await RefusesAsync("signed by a key that is not trusted", package);
        Directory.CreateDirectory(Path.Combine(store.Directory, "module-keys"));
        await File.WriteAllTextAsync(Path.Combine(store.Directory, "module-keys", "nonsense.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
        await File.WriteAllTextAsync(Path.Combine(store.Directory, "module-keys", "stranger.pem"), stranger.ExportSubjectPublicKeyInfoPem());
        var module = Assert.IsType<ModuleImport.Accepted>(await ImportAsync(package)).Module;
        Assert.NotEqual(key.Fingerprint, module.SignedBy);
        // What a node gets is signed by the one key that it trusts.
        using var kept = new MemoryStream(await KeptAsync(module));
        Assert.Equal(PackageProblem.None, PackageReader.Verify(kept, key.Fingerprint));
    }

    [Fact]
    public async Task A_package_that_was_changed_anywhere_is_refused()
    {
        var package = TestPackage.Signed(key, TestPackage.Manifest("hello"));
        var random = new Random(20261121);
        for (var i = 0; i < 300; i++)
        {
            var changed = package.ToArray();
            changed[i < 200 ? i % 175 : random.Next(package.Length)] ^= (byte)(1 << random.Next(8));
            Assert.IsType<ModuleImport.Refused>(await ImportAsync(changed));
        }
        foreach (var length in Enumerable.Range(0, 300).Append(package.Length - 1)) Assert.IsType<ModuleImport.Refused>(await ImportAsync(package[..length]));
        Assert.Empty(catalog.List());
        Assert.Empty(Directory.GetFiles(Folder));
    }

    public static TheoryData<string, string> Unsafe => new()
    {
        { "../outside", "leads outside" },
        { "a/../../outside", "leads outside" },
        { "/etc/passwd", "leads outside" },
        { "./a", "leads outside" },
        { "a//b", "leads outside" },
        { "a\\b", "leads outside" },
        { "data/file", "leads outside" },
        { "run/below", "leads outside" },
        { "data/file/below", "leads outside" },
        { new string('x', 300), "leads outside" },
        { "root/bin/grid-agent", "leads outside" },
        { "root/etc/passwd", "leads outside" },
    };

    [Theory]
    [MemberData(nameof(Unsafe))]
    public Task A_path_that_leads_outside_or_twice_to_one_place_is_refused(string path, string reason) => RefusesAsync(reason, TestPackage.Signed(key, TestPackage.ArchiveWith(TestPackage.File(path))));

    [Fact]
    public async Task Links_and_devices_are_refused_whatever_they_point_at()
    {
        foreach (var entry in (TarEntry[])
        [
            TestPackage.Link(TarEntryType.SymbolicLink, "link", "/etc/shadow"), TestPackage.Link(TarEntryType.SymbolicLink, "link", "data/file"), TestPackage.Link(TarEntryType.HardLink, "link", "run"),
            new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 }, new PaxTarEntry(TarEntryType.BlockDevice, "disk"), new PaxTarEntry(TarEntryType.Fifo, "pipe"),
        ])
            await RefusesAsync("something other than files and folders", TestPackage.Signed(key, TestPackage.ArchiveWith(entry)));
    }

    [Fact]
    public async Task Bombs_of_entries_and_of_claimed_sizes_are_refused()
    {
        await RefusesAsync("too many files", TestPackage.Signed(key, TestPackage.ArchiveWith([.. Enumerable.Range(0, PackageReader.MaximumEntries).Select(i => TestPackage.File($"f{i}", 0))])));
        var archive = TestPackage.Archive(TestPackage.Manifest("hello"));
        // The second header's size field (octal at 124) claims 4 GiB that are not there.
        var second = 512 + (512 * ((Length(archive) + 511) / 512));
        "77777777777\0"u8.CopyTo(archive.AsSpan(second + 124));
        Checksum(archive.AsSpan(second, 512));
        Assert.IsType<ModuleImport.Refused>(await ImportAsync(TestPackage.Signed(key, archive)));
        await using var endless = new EndlessStream();
        Assert.Contains("larger than 256 MiB", Assert.IsType<ModuleImport.Refused>(await catalog.ImportAsync(endless, "alice", CancellationToken.None)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_that_could_not_be_obeyed_is_refused()
    {
        foreach (var manifest in (ModuleManifest[])
        [
            TestPackage.Manifest("../hello"), TestPackage.Manifest("Hello"), TestPackage.Manifest(""), TestPackage.Manifest("hello", "1/0"), TestPackage.Manifest("hello", moduleClass: "a b"),
            TestPackage.Manifest("hello") with { Start = [] },
        ])
            await RefusesAsync("its manifest is not acceptable", TestPackage.Signed(key, TestPackage.Archive(manifest)));
        await RefusesAsync("its manifest is not acceptable: relation is a word of the agent's own orders: a module may not shadow it", TestPackage.Signed(key, TestPackage.Archive(TestPackage.Manifest("relation", moduleClass: "x"))));
        await RefusesAsync("a program or file that its manifest names is not in it", TestPackage.Signed(key, TestPackage.Archive(TestPackage.Manifest("hello") with { Firewall = "rules" })));
        await RefusesAsync("a program or file that its manifest names is not in it", TestPackage.Signed(key, TestPackage.Archive(TestPackage.Manifest("hello") with { Start = ["data"] })));
    }

    [Fact]
    public async Task What_the_catalogue_takes_the_agent_can_unpack_and_the_other_way_round()
    {
        var random = new Random(42);
        string[] parts = ["a", "b", "..", ".", "c d", "data", "run"];
        for (var i = 0; i < 300; i++)
        {
            var entries = Enumerable.Range(0, random.Next(1, 5)).Select(_ => TestPackage.File(string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => parts[random.Next(parts.Length)])))).ToArray();
            var archive = TestPackage.ArchiveWith(entries);
            var folder = Path.Combine(store.Directory, $"unpacked-{i}");
            Directory.CreateDirectory(folder);
            var inspected = PackageReader.Inspect(new MemoryStream(archive));
            var unpacked = PackageReader.Unpack(new MemoryStream(archive), folder, folder + "-root");
            Assert.True((inspected.Problem, inspected.Said) == (unpacked.Problem, unpacked.Said), $"{string.Join(", ", entries.Select(e => e.Name))}: {inspected}, {unpacked}");
        }
        await Task.CompletedTask;
    }

    [Fact]
    public async Task The_shipped_modules_are_there_from_the_first_start_and_once()
    {
        for (var i = 0; i < 2; i++)
        {
            using (var shipped = Shipped()) await shipped.StartAsync(CancellationToken.None);
            await store.ReopenAsync();
            Open();
        }
        Assert.Equal(["hello", "slurm", "trial", "web"], catalog.List().Select(module => module.Name));
        var hello = catalog.Find("hello")!;
        Assert.Equal(("hello", "1.0", "greeter", key.Fingerprint), (hello.Name, hello.Version, hello.Class, hello.SignedBy));
        using var kept = new MemoryStream(await KeptAsync(hello));
        Assert.Equal(PackageProblem.None, PackageReader.Verify(kept, key.Fingerprint));
        var folder = Directory.CreateDirectory(Path.Combine(store.Directory, "unpacked")).FullName;
        Assert.Equal(PackageProblem.None, PackageReader.Unpack(kept, folder, folder + "-root").Problem);
        Assert.True(File.GetUnixFileMode(Path.Combine(folder, "hello")).HasFlag(UnixFileMode.UserExecute));
        Assert.True(File.Exists(Path.Combine(folder, "www", "index.html")));
    }

    /// <summary>A disk may be full at the next start: what is in the catalogue already is found without a file coming or going where packages are kept.</summary>
    [Fact]
    public async Task A_start_writes_no_file_for_shipped_modules_that_are_in_the_catalogue_already()
    {
        using (var first = Shipped()) await first.StartAsync(CancellationToken.None);
        Directory.SetLastWriteTimeUtc(Folder, DateTime.UnixEpoch);
        using (var second = Shipped()) await second.StartAsync(CancellationToken.None);
        Assert.Equal(DateTime.UnixEpoch, Directory.GetLastWriteTimeUtc(Folder));
        await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("another")));
        Assert.NotEqual(DateTime.UnixEpoch, Directory.GetLastWriteTimeUtc(Folder));
    }

    static ModuleManifest Needing(string name, params string[] needs) => TestPackage.Manifest(name) with { Needs = new() { Modules = needs } };

    [Fact]
    public async Task Modules_that_would_need_each_other_in_a_circle_are_refused_at_import()
    {
        Assert.IsType<ModuleImport.Accepted>(await ImportAsync(TestPackage.Signed(key, Needing("alpha", "beta"))));
        Assert.IsType<ModuleImport.Accepted>(await ImportAsync(TestPackage.Signed(key, Needing("beta", "gamma"))));
        await RefusesAsync("modules would need each other in a circle: gamma → alpha → beta → gamma", TestPackage.Signed(key, Needing("gamma", "delta", "alpha")));
        await RefusesAsync("its manifest is not acceptable", TestPackage.Signed(key, Needing("gamma", "gamma")));
        Assert.IsType<ModuleImport.Accepted>(await ImportAsync(TestPackage.Signed(key, TestPackage.Manifest("gamma"))));
    }

    [Fact]
    public void What_is_needed_is_installed_before_what_needs_it_and_each_once()
    {
        var known = new[] { Needing("web", "base", "tls"), Needing("tls", "base"), TestPackage.Manifest("base") }.ToDictionary(manifest => manifest.Name);
        Assert.True(ModuleNeedsPlan.TryOrder(known["web"], known.GetValueOrDefault, out var before, out _));
        Assert.Equal(["base", "tls"], before);
        known.Remove("base");
        Assert.False(ModuleNeedsPlan.TryOrder(known["web"], known.GetValueOrDefault, out _, out var problem));
        Assert.Equal("web needs base, which is not in the catalogue", problem);
    }

    [Fact]
    public async Task Packages_beside_the_program_are_taken_in_a_while_after_the_start_whoever_signed_them_and_damaged_ones_are_left_out()
    {
        Directory.CreateDirectory(Beside);
        using var somebody = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var package = TestPackage.Signed(somebody, TestPackage.Archive(TestPackage.Manifest("balancer")));
        await File.WriteAllBytesAsync(Path.Combine(Beside, "balancer.gridmod"), package);
        package[^1] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(Beside, "damaged.gridmod"), package);
        using var shipped = Shipped();
        await shipped.StartAsync(CancellationToken.None);
        Assert.Null(catalog.Find("balancer"));
        // Again and again: that it has begun to wait cannot be seen from here.
        await Eventually.UntilAsync(() => { store.Clock.Advance(ShippedModules.Pause); return shipped.ExecuteTask!.IsCompleted; }, "the packages beside the program");
        await shipped.ExecuteTask!;
        Assert.Equal(key.Fingerprint, catalog.Find("balancer")!.SignedBy);
        Assert.Equal(["balancer", "hello", "slurm", "trial", "web"], catalog.List().Select(module => module.Name));
    }

    [Fact]
    public void Halves_that_a_crash_left_behind_are_cleared_away()
    {
        File.WriteAllText(Path.Combine(Folder, "0123.new"), "half");
        Open();
        Assert.Empty(Directory.GetFiles(Folder));
    }

    string Beside => Path.Combine(store.Directory, "beside");

    ShippedModules Shipped() => new(catalog, key, Beside, store.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<ShippedModules>.Instance);

    string Folder => Path.Combine(store.Directory, "modules");

    void Open()
    {
        var options = TestPackage.Options(store.Directory);
        key?.Dispose();
        key = ApplianceKey.Open(store.Directory);
        catalog = new(store.Database, new(options), key, new(options), store.Timeline, store.Clock);
    }

    Task<ModuleImport> ImportAsync(byte[] package) => catalog.ImportAsync(new MemoryStream(package), "alice", CancellationToken.None);

    async Task RefusesAsync(string reason, byte[] package)
    {
        Assert.Contains(reason, Assert.IsType<ModuleImport.Refused>(await ImportAsync(package)).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(catalog.List(), module => module.Digest == Convert.ToHexStringLower(SHA256.HashData(package)));
    }

    async Task<byte[]> KeptAsync(ModuleDocument module)
    {
        await using var file = new ModuleFiles(TestPackage.Options(store.Directory)).Open(module.Digest)!;
        var whole = new MemoryStream();
        await file.CopyToAsync(whole);
        return whole.ToArray();
    }

    static int Length(byte[] archive) => Convert.ToInt32(System.Text.Encoding.ASCII.GetString(archive, 124, 11).Trim('\0', ' '), 8);

    static void Checksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var octet in header) sum += octet;
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }

    sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => count;
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
