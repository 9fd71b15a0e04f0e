using System.Security.Cryptography;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Boot;

/// <summary>A boot network on loopback and a catalogue of counting filler.</summary>
static class BootBench
{
    public static readonly MacAddress Mac = MacAddress.Parse("52:54:00:00:00:01");

    public static readonly NetworkOptions Loopback = new() { Name = "bench", Interface = "lo", Address = Ipv4Network.Parse("127.0.0.1/8"), Boot = true };

    public static ApplianceOptions Options(string directory, params NetworkOptions[] networks) => new()
    {
        Name = "bench", DataDir = directory, BootFiles = directory, ManagementListen = [], Networks = networks.Length == 0 ? [Loopback] : networks,
    };

    /// <summary>Beside the tiny image; there is no file.</summary>
    public static readonly RootImage Root = new(RootImage.Debian, "/nowhere/root.squashfs", new('7', 64), 1 << 20) { ForDisks = new(RootImage.Debian, "/nowhere/disk.squashfs", new('8', 64), 1 << 20) };

    public static byte[] Filler(int length, int seed = 1)
    {
        var content = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        new Random(seed).NextBytes(content);
        return content;
    }

    public static BootFile File(string key, byte[] content, BootFileRole role = BootFileRole.Loader)
    {
        var pinned = GC.AllocateUninitializedArray<byte>(content.Length, pinned: true);
        content.CopyTo(pinned, 0);
        return new(key, role, pinned, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    public static BootCatalogState Catalog(params BootFile[] files)
    {
        var kernel = File("vmlinuz", Filler(300_000, 2), BootFileRole.Kernel);
        var initramfs = File("initramfs.zst", Filler(700_000, 3), BootFileRole.Initramfs);
        Assert.True(KernelArguments.TryParse("console=ttyS0 no_timer_check panic=5", out var arguments));
        return new() { Current = new([.. files, kernel, initramfs], kernel, initramfs, arguments, "virtual") { Root = Root } };
    }

    public static List<BootObservation> Seen(BootObserver observer)
    {
        var seen = new List<BootObservation>();
        while (observer.Reader.TryRead(out var observation)) seen.Add(observation);
        return seen;
    }
}
