using System.Security.Cryptography;
using System.Text.RegularExpressions;
using GridAppliance.Lab;
using GridAppliance.Lab.Servers;

namespace GridAppliance.EndToEnd.Images;

public sealed partial class ManifestTests
{
    [Theory]
    [InlineData("virtual")]
    [InlineData("metal")]
    public void Every_file_is_what_the_manifest_says_and_every_input_has_its_digest(string profile)
    {
        var image = new NodeImage(profile);

        var files = image.Manifest["files"]!.AsArray();
        Assert.Equal(["vmlinuz", "initramfs.zst", "undionly.kpxe", "snponly.efi", "ipxe.efi"], files.Select(file => (string)file!["file"]!));
        foreach (var file in files)
        {
            var octets = File.ReadAllBytes(image.PathOf((string)file!["file"]!));
            Assert.Equal(((string)file["sha256"]!, (long)file["size"]!), (Convert.ToHexStringLower(SHA256.HashData(octets)), octets.Length));
        }

        var inputs = image.Manifest["inputs"]!.AsArray().Select(input => input!.AsObject()).ToList();
        Assert.All(inputs, input => Assert.Matches(Digest(), (string)input["sha256"]!));
        foreach (var needed in (string[])["busybox-static", "ipxe", "libc6", "libssl3", $"linux-image-{image.KernelVersion}", "Microsoft.NETCore.App.Runtime.linux-x64"])
            Assert.Contains(inputs, input => (string)input["package"]! == needed);
        Assert.Equal(["zstd", "dotnet"], image.Manifest["tools"]!.AsArray().Select(tool => (string)tool!["tool"]!));
    }

    [Fact]
    public void The_virtual_kernel_and_file_system_stay_below_forty_megabytes_for_servers_with_512_MiB()
    {
        var image = new NodeImage("virtual");

        Assert.InRange(new FileInfo(image.PathOf("vmlinuz")).Length + new FileInfo(image.PathOf("initramfs.zst")).Length, 1, 40_000_000 - 1);
        // What the boots in the lab are done with.
        Assert.All(LabPlan.For(LabName.Default, LabServers.StandardRack).Servers, server => Assert.Equal(512, server.MemoryMiB));
    }

    /// <summary>A firmware package is either among the inputs or named as missing, with nothing in between.</summary>
    [Fact]
    public void The_metal_manifest_says_which_firmware_could_not_be_had()
    {
        var image = new NodeImage("metal");
        var conf = File.ReadAllText(Path.Combine(NodeImage.Repository, "firmware-images/profiles/metal.conf"));
        var wanted = FirmwarePackages().Match(conf).Groups[1].Value.Split(' ');
        var had = Names("inputs", "package").Where(name => name.StartsWith("firmware-", StringComparison.Ordinal));
        var missing = image.Manifest["missingPackages"]!.AsArray().Select(name => (string)name!);

        Assert.True(wanted.Length >= 5);
        Assert.Equal(wanted.Order(), had.Concat(missing).Order());
        Assert.All(image.Manifest["missingFirmware"]!.AsArray(), name => Assert.DoesNotContain("..", (string)name!, StringComparison.Ordinal));

        IEnumerable<string> Names(string list, string field) => image.Manifest[list]!.AsArray().Select(entry => (string)entry![field]!);
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Digest();

    [GeneratedRegex("^firmware_packages=\"([^\"]*)\"", RegexOptions.Multiline)]
    private static partial Regex FirmwarePackages();
}
