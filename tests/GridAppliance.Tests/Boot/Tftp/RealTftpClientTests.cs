using System.Text;
using GridAppliance.Boot;

namespace GridAppliance.Tests.Boot.Tftp;

/// <summary>Clients that others wrote: Debian's atftp, tftp-hpa, curl and busybox.</summary>
public sealed class RealTftpClientTests : IAsyncLifetime, IDisposable
{
    static readonly byte[] Loader = BootBench.Filler(70_123);
    static readonly byte[] Exact = BootBench.Filler(4096, 5);
    static readonly byte[] Text = Encoding.ASCII.GetBytes("line1\nline2\r\nlast");

    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("tftp");
    // Nothing is lost on loopback: on a busy machine a client may take longer than the usual second, and atftp gives up on an OACK that comes twice.
    readonly TftpTestServer server = new(BootBench.Catalog(BootBench.File("snponly.efi", Loader), BootBench.File("exact.bin", Exact), BootBench.File("empty.bin", []), BootBench.File("na.txt", Text)),
        settings: new() { FirstTimeout = TimeSpan.FromSeconds(30), LongestTimeout = TimeSpan.FromSeconds(30) });

    string Port => server.Port.ToString();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await server.DisposeAsync();

    public void Dispose() => directory.Delete(recursive: true);

    byte[] Received(string name) => File.ReadAllBytes(Path.Combine(directory.FullName, name));

    Task<RealProgram.Outcome> Atftp(string key, string local, params string[] options)
    {
        string[] arguments = [.. options.SelectMany(o => new[] { "--option", o }), "-g", "-r", key, "-l", local, "127.0.0.1", Port];
        return RealProgram.RunAsync(directory.FullName, "atftp", arguments);
    }

    [Theory]
    [InlineData("snponly.efi")]
    [InlineData("snponly.efi", "blksize 1428")]
    [InlineData("snponly.efi", "blksize 1468", "windowsize 4", "tsize")]
    [InlineData("snponly.efi", "blksize 512", "windowsize 64", "timeout 3")]
    [InlineData("exact.bin")]
    [InlineData("exact.bin", "blksize 1024", "windowsize 8")]
    [InlineData("exact.bin", "blksize 65464", "windowsize 16")]
    [InlineData("empty.bin")]
    [InlineData("empty.bin", "blksize 1428", "windowsize 4")]
    public async Task Atftp_gets_the_file_with_any_options(string key, params string[] options)
    {
        var outcome = await Atftp(key, "got", options);
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(server.Content(key), Received("got"));
        await server.IdleAsync();
        var seen = BootBench.Seen(server.Observer);
        Assert.Equal([BootStage.LoaderStarted, BootStage.LoaderFinished], seen.Select(o => o.Stage));
        Assert.All(seen, o => Assert.Equal((BootBench.Mac, key), (o.Mac, o.Detail)));
        Assert.Equal(Received("got").Length, seen[1].Bytes);
    }

    [Theory]
    [InlineData("snponly.efi")]
    [InlineData("exact.bin")]
    [InlineData("empty.bin")]
    public async Task Tftp_hpa_gets_the_file(string key)
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "tftp", "-m", "binary", "127.0.0.1", Port, "-c", "get", key, "got");
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(server.Content(key), Received("got"));
    }

    [Fact]
    public async Task Tftp_hpa_gets_its_own_line_ends_in_netascii()
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "tftp", "-m", "ascii", "127.0.0.1", Port, "-c", "get", "na.txt", "got");
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(Text, Received("got"));
    }

    [Theory]
    [InlineData("snponly.efi", "512")]
    [InlineData("snponly.efi", "1428")]
    [InlineData("vmlinuz", "65464")]
    public async Task Curl_gets_the_file(string key, string blockSize)
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "curl", "-sS", "--tftp-blksize", blockSize, "-o", "got", $"tftp://127.0.0.1:{Port}/{key}");
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(server.Content(key), Received("got"));
    }

    [Theory]
    [InlineData("512")]
    [InlineData("1468")]
    public async Task Busybox_gets_the_file(string blockSize)
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "busybox", "tftp", "-g", "-b", blockSize, "-r", "snponly.efi", "-l", "got", "127.0.0.1", Port);
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(Loader, Received("got"));
    }

    [Theory]
    [InlineData("nothing.efi")]
    [InlineData("../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("snponly.efi/../snponly.efi")]
    [InlineData("SNPONLY.EFI")]
    public async Task What_is_not_in_the_catalogue_is_not_found_whatever_it_looks_like(string name)
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "curl", "-sS", "--path-as-is", "-o", "got", $"tftp://127.0.0.1:{Port}//{name}");
        Assert.Equal(68, outcome.ExitCode);
        Assert.False(File.Exists(Path.Combine(directory.FullName, "got")) && Received("got").Length > 0);
        Assert.Equal(1, server.Counters.Refused);
    }

    [Fact]
    public async Task A_write_is_refused()
    {
        await File.WriteAllBytesAsync(Path.Combine(directory.FullName, "up.bin"), new byte[1300]);
        var outcome = await RealProgram.RunAsync(directory.FullName, "curl", "-sS", "-T", "up.bin", $"tftp://127.0.0.1:{Port}/up.bin");
        Assert.Equal(69, outcome.ExitCode);
        Assert.Equal(1, server.Counters.Refused);
    }

    [Fact]
    public async Task Many_clients_at_once_all_get_their_file()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Atftp("initramfs.zst", $"got{i}", "blksize 1428", "windowsize 16")));
        Assert.All(outcomes, o => Assert.True(o.ExitCode == 0, o.Output));
        for (var i = 0; i < outcomes.Length; i++) Assert.Equal(server.Content("initramfs.zst"), Received($"got{i}"));
    }
}
