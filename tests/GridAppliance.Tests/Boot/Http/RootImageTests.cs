using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Http;

/// <summary>Root images, from the folder that <c>make image-debian</c> leaves to the machine that fetches one.</summary>
public sealed class RootImageTests : IAsyncLifetime
{
    static readonly byte[] Content = BootBench.Filler(3_000_000, 9);
    static readonly byte[] ForDisks = [.. "for disks"u8];

    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("root-image");
    readonly BootObserver observer = new();
    readonly BootDirectoryState nodes = new();
    readonly BootClients clients = new();
    readonly HttpClient http = new();
    Database database = null!;
    ApplianceKey key = null!;
    BootPlane plane = null!;
    RootImage image = null!;

    public async Task InitializeAsync()
    {
        image = RootImageReader.Read(Write(Digest(Content), Content.Length), null)!;
        var bench = BootBench.Catalog().Current!;
        var catalog = new BootCatalogState { Current = new(bench.Files, bench.Kernel, bench.Initramfs, bench.CommandLine, bench.Profile) { Root = image } };
        database = Database.Open(Path.Combine(directory.FullName, "test.db"), Schema.All);
        key = ApplianceKey.Open(directory.FullName);
        var reporter = new BootReporter(observer, clients, TimeProvider.System);
        var attempts = new BootAttempts(database, TimeProvider.System, NullLogger<BootAttempts>.Instance);
        plane = new(BootBench.Options(directory.FullName), new BootPlaneSettings { Port = 0 },
            [
                new BootScriptEndpoint(nodes, catalog, new BootScripts(), new SanBootState(), attempts, key, reporter, TimeProvider.System, NullLogger<BootScriptEndpoint>.Instance),
                new RootImageEndpoint(catalog, reporter, TimeProvider.System),
            ],
            NullLoggerFactory.Instance, NullLogger<BootPlane>.Instance);
        await plane.StartAsync(CancellationToken.None);
        http.BaseAddress = plane.Addresses[0];
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await plane.StopAsync(CancellationToken.None);
        await plane.DisposeAsync();
        await database.DisposeAsync();
        key.Dispose();
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task It_is_served_by_its_digest_and_the_timeline_hears_of_it()
    {
        clients.Granted(BootBench.Loopback.Name, Ipv4Address.Parse("127.0.0.1"), BootBench.Mac);
        Assert.Equal(Content, await http.GetByteArrayAsync($"/boot/image/{image.Digest}"));
        // The last word comes after the last octet, which the client may have first.
        foreach (var stage in (BootStage[])[BootStage.RootStarted, BootStage.RootFinished])
            Assert.Equal(stage, (await observer.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60))).Stage);
    }

    [Fact]
    public async Task So_is_the_one_that_is_written_to_disks() => Assert.Equal(ForDisks, await http.GetByteArrayAsync($"/boot/image/{image.ForDisks!.Digest}"));

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("root.squashfs")]
    [InlineData("..%2Fmanifest.json")]
    public async Task Nothing_else_is_served(string name) => Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/boot/image/{name}")).StatusCode);

    [Fact]
    public async Task Only_the_script_of_a_node_that_is_to_boot_it_names_it()
    {
        Assert.DoesNotContain("grid.root=", await ScriptAsync(null), StringComparison.Ordinal);
        Assert.Contains($" grid.root={image.Digest} systemd.hostname=n3 grid.url=", await ScriptAsync(RootImage.Debian), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_what_the_manifest_says_is_refused()
    {
        Assert.Contains("size and digest", Assert.Throws<StartupException>(() => RootImageReader.Read(Write(new('0', 64), Content.Length), null)).Message, StringComparison.Ordinal);
        Assert.Contains("size and digest", Assert.Throws<StartupException>(() => RootImageReader.Read(Write(Digest(Content), Content.Length + 1), null)).Message, StringComparison.Ordinal);
        Assert.Contains("plain name", Assert.Throws<StartupException>(() => RootImageReader.Read(Write(Digest(Content), Content.Length, "../root.squashfs"), null)).Message, StringComparison.Ordinal);
    }

    async Task<string> ScriptAsync(string? wish)
    {
        nodes.Current = new() { ByMac = new Dictionary<MacAddress, BootEntry> { [BootBench.Mac] = new(Guid.NewGuid(), "n3", BootAction.NodeImage) { Image = wish } }.ToFrozenDictionary() };
        return await http.GetStringAsync($"/boot/script?mac={BootBench.Mac}");
    }

    /// <returns>The folder of boot files beside it.</returns>
    string Write(string digest, long size, string file = "root.squashfs")
    {
        var folder = Directory.CreateDirectory(Path.Combine(directory.FullName, "debian")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "root.squashfs"), Content);
        File.WriteAllBytes(Path.Combine(folder, "disk.squashfs"), ForDisks);
        File.WriteAllText(Path.Combine(folder, "manifest.json"), $$"""{ "name": "debian", "suite": "bookworm", "root": { "file": "{{file}}", "sha256": "{{digest}}", "size": {{size}} }, "disk": { "file": "disk.squashfs", "sha256": "{{Digest(ForDisks)}}", "size": {{ForDisks.Length}} }, "inputs": [] }""");
        return Path.Combine(directory.FullName, "virtual");
    }

    static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
