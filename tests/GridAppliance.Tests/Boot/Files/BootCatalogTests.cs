using System.Security.Cryptography;
using System.Text;
using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Files;

public sealed class BootCatalogTests : IDisposable
{
    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("catalog");

    public void Dispose() => directory.Delete(recursive: true);

    string At(string name) => Path.Combine(directory.FullName, name);

    BootCatalog Read(BootCatalog? previous = null) => BootCatalogReader.Read(directory.FullName, previous, CancellationToken.None);

    static string Digest(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    /// <summary>As firmware-images writes it, with fields that the daemon has no use for.</summary>
    void WriteManifest(Func<string, string>? change = null)
    {
        foreach (var name in new[] { "vmlinuz", "initramfs.zst", "snponly.efi" }) File.WriteAllText(At(name), $"content of {name}");
        var files = string.Join(",\n", new[] { "vmlinuz", "initramfs.zst", "snponly.efi" }.Select(n =>
            $$"""{ "key": "{{n}}", "file": "{{n}}", "sha256": "{{Digest($"content of {n}")}}", "size": {{$"content of {n}".Length}} }"""));
        var manifest = $$"""
            { "profile": "virtual", "kernelVersion": "6.1.0", "kernel": "vmlinuz", "initramfs": "initramfs.zst", "commandLine": "console=ttyS0  no_timer_check panic=5",
              "files": [ {{files}} ], "inputs": [ { "package": "ipxe", "version": "1", "sha256": "00" } ] }
            """;
        File.WriteAllText(At("manifest.json"), change is null ? manifest : change(manifest));
    }

    [Fact]
    public void A_manifest_and_its_files_become_a_catalogue()
    {
        WriteManifest();
        var catalog = Read();
        Assert.Equal(3, catalog.Files.Count);
        Assert.Equal("vmlinuz", catalog.Kernel.Key);
        Assert.Equal("content of vmlinuz", Encoding.UTF8.GetString(catalog.Kernel.Content));
        Assert.Equal([BootFileRole.Initramfs, BootFileRole.Kernel, BootFileRole.Loader], catalog.Files.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Role).Order().Reverse());
        Assert.Equal("console=ttyS0 no_timer_check panic=5", catalog.CommandLine.ToString());
        Assert.Equal("virtual", catalog.Profile);
        Assert.NotNull(catalog.Find("snponly.efi"u8));
        Assert.NotNull(catalog.Find("//snponly.efi"u8));
        Assert.Null(catalog.Find("./snponly.efi"u8));
        Assert.Null(catalog.Find("manifest.json"u8));
        Assert.Null(catalog.Find(new byte[500]));
    }

    [Fact]
    public void A_missing_directory_says_how_to_make_it()
    {
        directory.Delete();
        var refused = Assert.Throws<StartupException>(() => Read());
        directory.Create();
        Assert.Equal($"There are no boot files in {directory.FullName}", refused.Message);
        Assert.StartsWith("Run 'make image'", refused.NextStep);
    }

    [Theory]
    [InlineData("\"kernel\": \"vmlinuz\"", "\"kernel\": \"vmlinux\"", "does not list its kernel")]
    [InlineData("\"initramfs\": \"initramfs.zst\"", "\"initramfs\": \"other\"", "does not list its initramfs")]
    [InlineData("\"file\": \"snponly.efi\"", "\"file\": \"../snponly.efi\"", "no plain name")]
    [InlineData("\"file\": \"snponly.efi\"", "\"file\": \"/etc/passwd\"", "no plain name")]
    [InlineData("\"key\": \"snponly.efi\"", "\"key\": \"vmlinuz\"", "names vmlinuz twice")]
    [InlineData("\"key\": \"snponly.efi\"", "\"key\": \"..\"", "no plain name")]
    [InlineData("no_timer_check", "a && shell", "characters that a boot script gives a meaning to")]
    [InlineData("no_timer_check", "${net0/mac}", "characters that a boot script gives a meaning to")]
    [InlineData("no_timer_check", "a\\nshell", "characters that a boot script gives a meaning to")]
    [InlineData("\"size\": 18", "\"size\": 19", "has 18 octets where the manifest says 19")]
    [InlineData("\"size\": 18", "\"size\": -1", "a size of -1")]
    [InlineData("\"files\"", "\"fils\"", "is not the JSON it should be")]
    [InlineData("{", "", "is not the JSON it should be")]
    public void A_manifest_that_is_wrong_is_refused_with_its_reason(string good, string bad, string reason)
    {
        WriteManifest(m => m.Contains(good, StringComparison.Ordinal) ? m.Replace(good, bad, StringComparison.Ordinal) : throw new InvalidOperationException(good));
        Assert.Contains(reason, Assert.Throws<StartupException>(() => Read()).Message);
    }

    [Fact]
    public void A_file_that_was_changed_is_not_served()
    {
        WriteManifest();
        File.WriteAllText(At("snponly.efi"), "CONTENT of snponly.efi");
        var refused = Assert.Throws<StartupException>(() => Read());
        Assert.Equal($"The boot file {At("snponly.efi")} does not have the digest that the manifest gives it", refused.Message);
    }

    [Fact]
    public async Task A_reload_takes_what_is_new_and_keeps_the_old_when_it_fails()
    {
        WriteManifest();
        var state = new BootCatalogState();
        var problems = new ApplianceProblems(TimeProvider.System);
        using var loader = new BootCatalogLoader(BootBench.Options(directory.FullName), state, problems, NullLogger<BootCatalogLoader>.Instance);
        await loader.StartAsync(CancellationToken.None);
        var first = state.Current!;

        File.WriteAllText(At("snponly.efi"), "CONTENT of snponly.efi");
        WriteManifestFor("snponly.efi", "CONTENT of snponly.efi");
        Assert.Null(loader.TryReload());
        Assert.NotSame(first, state.Current);
        Assert.Same(first.Kernel, state.Current!.Kernel);
        Assert.Equal("CONTENT of snponly.efi", Encoding.UTF8.GetString(state.Current.Find("snponly.efi")!.Content));

        var second = state.Current;
        File.Delete(At("manifest.json"));
        Assert.Contains("There are no boot files", loader.TryReload());
        Assert.Same(second, state.Current);
        Assert.Equal("boot.files", Assert.Single(problems.All).Code);
    }

    void WriteManifestFor(string name, string content)
    {
        var before = File.ReadAllText(At("manifest.json"));
        File.WriteAllText(At("manifest.json"), before.Replace(Digest($"content of {name}"), Digest(content), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_boot_network_no_boot_files_are_needed()
    {
        var problems = new ApplianceProblems(TimeProvider.System);
        using var loader = new BootCatalogLoader(BootBench.Options(directory.FullName, BootBench.Loopback with { Boot = false }), new(), problems, NullLogger<BootCatalogLoader>.Instance);
        await loader.StartAsync(CancellationToken.None);
        Assert.Empty(problems.All);
    }
}
