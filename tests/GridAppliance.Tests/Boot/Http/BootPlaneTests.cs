using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using GridAppliance.Boot;
using GridAppliance.Boot.Files;
using GridAppliance.Boot.Http;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot.Http;

/// <summary>The whole boot plane on a free port of loopback, asked by HttpClient, by curl and by bare sockets.</summary>
public sealed partial class BootPlaneTests : IAsyncLifetime, IDisposable
{
    static readonly byte[] Loader = BootBench.Filler(900_000);
    static readonly MacAddress OtherMac = MacAddress.Parse("52:54:00:00:00:02");

    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("plane");
    readonly BootObserver observer = new();
    readonly BootDirectoryState nodes = new();
    readonly BootClients clients = new();
    readonly SanBootState luns = new();
    readonly BootCatalogState catalog = BootBench.Catalog(BootBench.File("snponly.efi", Loader), BootBench.File("empty.bin", []));
    readonly Database database;
    readonly BootAttempts attempts;
    readonly ApplianceKey key;
    readonly BootPlane plane;
    readonly HttpClient http = new();

    public BootPlaneTests()
    {
        database = Database.Open(Path.Combine(directory.FullName, "test.db"), Schema.All);
        attempts = new(database, TimeProvider.System, NullLogger<BootAttempts>.Instance);
        key = ApplianceKey.Open(directory.FullName);
        var reporter = new BootReporter(observer, clients, TimeProvider.System);
        plane = new(BootBench.Options(directory.FullName), new BootPlaneSettings { Port = 0, MaxConnectionsPerAddress = 4 },
            [
                new BootScriptEndpoint(nodes, catalog, new BootScripts(), luns, attempts, key, reporter, TimeProvider.System, NullLogger<BootScriptEndpoint>.Instance),
                new BootFileEndpoints(catalog, attempts, reporter, TimeProvider.System),
                new Echo(),
            ],
            NullLoggerFactory.Instance, NullLogger<BootPlane>.Instance);
    }

    /// <summary>Stands for the agent's endpoints: another feature that maps its own routes.</summary>
    sealed class Echo : IBootPlaneEndpoints
    {
        public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/agent/v1/echo", (RequestDelegate)(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"{context.BootNetwork.Name} {context.ClientAddress} {await reader.ReadToEndAsync()}");
        }));
    }

    public async Task InitializeAsync()
    {
        await plane.StartAsync(CancellationToken.None);
        http.BaseAddress = plane.Addresses[0];
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await plane.StopAsync(CancellationToken.None);
        await plane.DisposeAsync();
        await database.DisposeAsync();
    }

    public void Dispose()
    {
        key.Dispose();
        directory.Delete(recursive: true);
    }

    Uri At(string path) => new(http.BaseAddress!, path);

    async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request);
    }

    Task<BootObservation> NextAsync() => Eventually.ComesAsync(observer.Reader.ReadAsync().AsTask(), "an observation of a boot");

    [Fact]
    public async Task A_file_comes_whole_with_its_length_and_digest()
    {
        using var response = await GetAsync("/boot/snponly.efi");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Loader.Length, response.Content.Headers.ContentLength);
        Assert.Equal($"\"{catalog.Current!.Find("snponly.efi")!.Digest}\"", response.Headers.ETag!.Tag);
        Assert.Equal(Loader, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Head_tells_the_length_and_sends_nothing()
    {
        // UEFI HTTP boot asks this first.
        using var response = await http.SendAsync(new(HttpMethod.Head, "/boot/snponly.efi"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Loader.Length, response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        Assert.Empty(BootBench.Seen(observer));
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        using var response = await GetAsync("/boot/empty.bin");
        Assert.Equal((HttpStatusCode.OK, 0L), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=100-199", 100, 100)]
    [InlineData("bytes=899999-", 899_999, 1)]
    [InlineData("bytes=899990-2000000", 899_990, 10)]
    [InlineData("bytes=-5", 899_995, 5)]
    [InlineData("bytes=-2000000", 0, 900_000)]
    public async Task A_range_comes_as_asked_for(string range, int offset, int length)
    {
        using var response = await GetAsync("/boot/snponly.efi", ("Range", range));
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(new ContentRangeHeaderValue(offset, offset + length - 1, Loader.Length), response.Content.Headers.ContentRange);
        Assert.Equal(Loader[offset..(offset + length)], await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("bytes=900000-", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("bytes=-0", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("bytes=5-4", HttpStatusCode.OK)]
    [InlineData("bytes=0-1,5-6", HttpStatusCode.OK)]
    [InlineData("bytes=a-b", HttpStatusCode.OK)]
    [InlineData("bytes=-", HttpStatusCode.OK)]
    [InlineData("bytes=0x1-2", HttpStatusCode.OK)]
    [InlineData("bytes=99999999999999999999-", HttpStatusCode.OK)]
    [InlineData("lines=1-2", HttpStatusCode.OK)]
    public async Task A_range_that_cannot_be_is_refused_or_answered_whole(string range, HttpStatusCode expected)
    {
        using var response = await GetAsync("/boot/snponly.efi", ("Range", range));
        Assert.Equal(expected, response.StatusCode);
        if (expected == HttpStatusCode.OK) Assert.Equal(Loader.Length, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task Conditional_requests_go_by_the_digest()
    {
        var etag = $"\"{catalog.Current!.Find("snponly.efi")!.Digest}\"";
        Assert.Equal(HttpStatusCode.NotModified, (await GetAsync("/boot/snponly.efi", ("If-None-Match", etag))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/boot/snponly.efi", ("If-None-Match", "\"00\""))).StatusCode);
        Assert.Equal(HttpStatusCode.PartialContent, (await GetAsync("/boot/snponly.efi", ("If-Range", etag), ("Range", "bytes=0-9"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/boot/snponly.efi", ("If-Range", "\"00\""), ("Range", "bytes=0-9"))).StatusCode);
    }

    [Theory]
    [InlineData("/boot/nothing")]
    [InlineData("/boot/manifest.json")]
    [InlineData("/boot/..%2f..%2fetc%2fpasswd")]
    [InlineData("/boot/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/boot/../../etc/passwd")]
    [InlineData("/boot//snponly.efi")]
    [InlineData("/boot/./")]
    [InlineData("/boot/snponly.efi/")]
    [InlineData("/boot/SNPONLY.EFI")]
    [InlineData("/boot/snponly.efi%00")]
    [InlineData("/")]
    [InlineData("/api/v1/nodes")]
    public async Task What_is_not_in_the_catalogue_is_not_found(string path)
    {
        var outcome = await RealProgram.RunAsync(directory.FullName, "curl", "-sS", "--path-as-is", "-o", "got", "-w", "%{http_code}", http.BaseAddress + path.TrimStart('/'));
        Assert.Matches(path == "/boot/snponly.efi/" ? "^(200|404)" : "^(400|404)", outcome.Output.Trim());
        if (File.Exists(Path.Combine(directory.FullName, "got"))) Assert.DoesNotContain("root:", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "got")));
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task Files_are_only_given(string method)
    {
        using var response = await http.SendAsync(new(new(method), "/boot/snponly.efi") { Content = new StringContent("x") });
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task Curl_resumes_where_it_was_cut_off()
    {
        await File.WriteAllBytesAsync(Path.Combine(directory.FullName, "got"), Loader[..123_456]);
        var outcome = await RealProgram.RunAsync(directory.FullName, "curl", "-sS", "-C", "-", "-o", "got", At("/boot/snponly.efi").ToString());
        Assert.True(outcome.ExitCode == 0, outcome.Output);
        Assert.Equal(Loader, await File.ReadAllBytesAsync(Path.Combine(directory.FullName, "got")));
    }

    [Fact]
    public async Task The_first_script_asks_who_it_is()
    {
        var script = await http.GetStringAsync("/boot/script");
        Assert.StartsWith("#!ipxe\n", script);
        Assert.Contains($"chain --replace {http.BaseAddress!.ToString().TrimEnd('/')}/boot/script?mac=${{netX/mac}}&uuid=${{uuid}}", script);
        Assert.Empty(BootBench.Seen(observer));
    }

    [Fact]
    public async Task A_machines_script_its_files_and_its_token_belong_together()
    {
        var script = await http.GetStringAsync("/boot/script?mac=52:54:00:00:00:01&uuid=12345678-1234-5678-90ab-cdef00112233&arch=x86_64&platform=efi");
        Assert.Contains($"grid.key={key.Fingerprint}", script);
        Assert.Contains("grid.mac=52:54:00:00:00:01", script);
        Assert.Contains(" initrd=initramfs.zst console=ttyS0 no_timer_check panic=5 ", script);

        foreach (Match url in Urls().Matches(script)) await http.GetByteArrayAsync(url.Value);
        var seen = new List<BootObservation>();
        while (seen.Count < 5) seen.Add(await NextAsync());
        Assert.Equal([BootStage.Script, BootStage.KernelStarted, BootStage.KernelFinished, BootStage.InitramfsStarted, BootStage.InitramfsFinished], seen.Select(o => o.Stage));
        Assert.All(seen, o => Assert.Equal((BootBench.Mac, "bench", "127.0.0.1"), (o.Mac, o.Network, o.Ip.ToString())));
        Assert.Equal(Guid.Parse("12345678-1234-5678-90ab-cdef00112233"), seen[0].Uuid);
        Assert.Equal((300_000, 700_000), (seen[2].Bytes, seen[4].Bytes));
        Assert.All(seen.Where(o => o.Bytes == 0), o => Assert.True(o.Service > TimeSpan.Zero));

        var token = Token().Match(script).Groups[1].Value;
        var spent = await attempts.SpendAsync(token, new byte[] { 1 }, new(BootBench.Loopback, Ipv4Address.Parse("127.0.0.1"), null), CancellationToken.None);
        Assert.Equal(BootBench.Mac, spent.Attempt!.Mac);
    }

    [Fact]
    public async Task The_boot_directory_decides_which_script()
    {
        nodes.Current = new()
        {
            Unknown = BootAction.None,
            ByMac = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(new Dictionary<MacAddress, BootEntry> { [BootBench.Mac] = new(Guid.NewGuid(), "n1", BootAction.LocalDisk) }),
        };
        Assert.Contains("sanboot --no-describe --drive 0x80", await http.GetStringAsync("/boot/script?mac=525400000001"));
        var held = await http.GetStringAsync("/boot/script?mac=52-54-00-00-00-02");
        Assert.Contains("(unknown) is on hold", held);
        Assert.DoesNotContain("token", held);
        Assert.Equal(["local", "hold"], BootBench.Seen(observer).Select(o => o.Detail));
    }

    [Fact]
    public async Task The_word_that_opens_a_lun_goes_to_the_address_of_its_machine_and_to_nobody_else()
    {
        var mac = MacAddress.Parse("52:54:00:00:00:01");
        luns.Current = new Dictionary<MacAddress, SanBootTarget> { [mac] = new(Guid.NewGuid(), null, 3260, 1, "iqn.2026-11.lan.rack12:grid-boot-n1", "iqn.2026-11.lan.rack12:node-n1", Kernel: false, "iqn.2026-11.lan.rack12:node-n1", "0123456789abcdef") }.ToFrozenDictionary();
        // Nobody has this address from us.
        var unknown = await http.GetStringAsync($"/boot/script?mac={mac}");
        Assert.DoesNotContain("0123456789abcdef", unknown);
        Assert.DoesNotContain("grid.token", unknown);
        clients.Granted("bench", Ipv4Address.Parse("127.0.0.1"), OtherMac);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync($"/boot/script?mac={mac}")).StatusCode);
        clients.Granted("bench", Ipv4Address.Parse("127.0.0.1"), mac);
        var script = await http.GetStringAsync($"/boot/script?mac={mac}");
        Assert.Contains("set username iqn.2026-11.lan.rack12:node-n1\nset password 0123456789abcdef\n", script);
        Assert.Matches(@"sanboot iscsi:[0-9.]+::3260:1:iqn\.2026-11\.lan\.rack12:grid-boot-n1 ", script);
        luns.Current = new Dictionary<MacAddress, SanBootTarget> { [mac] = luns.Current[mac] with { Kernel = true } }.ToFrozenDictionary();
        Assert.Matches(@"sanhook --drive 0x80 iscsi:[0-9.]+::3260:1:iqn\.2026-11\.lan\.rack12:grid-boot-n1 .*\n(.*\n)*kernel .* grid\.root=lun ", await http.GetStringAsync($"/boot/script?mac={mac}"));
    }

    [Fact]
    public async Task A_client_that_is_known_gets_no_script_of_another_machine()
    {
        clients.Granted("bench", Ipv4Address.Parse("127.0.0.1"), OtherMac);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("/boot/script?mac=52:54:00:00:00:01")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/boot/script?mac=52:54:00:00:00:02")).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("ff:ff:ff:ff:ff:ff")]
    [InlineData("00:00:00:00:00:00")]
    [InlineData("52:54:00:00:00:01%0ashell")]
    [InlineData("52:54:00:00:00:01&mac=52:54:00:00:00:02")]
    public async Task A_mac_that_is_none_is_refused(string mac) => Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync($"/boot/script?mac={mac}")).StatusCode);

    [Fact]
    public async Task Before_the_catalogue_is_read_a_script_is_asked_for_again_later()
    {
        catalog.Current = null;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/boot/script?mac=52:54:00:00:00:01")).StatusCode);
    }

    [Fact]
    public async Task Other_features_map_their_own_calls_and_know_the_network()
    {
        using var response = await http.PostAsync("/agent/v1/echo", new StringContent("hello"));
        Assert.Equal("bench 127.0.0.1 hello", await response.Content.ReadAsStringAsync());
        using var large = await http.PostAsync("/agent/v1/echo", new ByteArrayContent(new byte[(1 << 20) + 1]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
    }

    [Fact]
    public async Task One_address_has_so_many_connections_and_no_more()
    {
        var open = new List<TcpClient>();
        for (var i = 0; i < 4; i++)
        {
            open.Add(await AskAsync());
            // Answered means counted: connections that are still on their way in could overtake each other.
            Assert.NotEqual(0, await ReadAsync(open[i]));
        }
        Assert.True(await IsRefusedAsync());
        open.ForEach(c => c.Dispose());
    }

    /// <summary>Closed at once: which of connecting, writing and reading finds out first is a race.</summary>
    async Task<bool> IsRefusedAsync()
    {
        try
        {
            using var refused = await AskAsync();
            return await ReadAsync(refused) == 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return true;
        }
    }

    /// <summary>Sends a request line and keeps the connection.</summary>
    async Task<TcpClient> AskAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(http.BaseAddress!.Host, http.BaseAddress.Port);
        await client.GetStream().WriteAsync("HEAD /boot/snponly.efi HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        return client;
    }

    static async Task<int> ReadAsync(TcpClient client)
    {
        try { return await client.GetStream().ReadAsync(new byte[1024]); }
        catch (IOException) { return 0; }
    }

    [Fact]
    public async Task A_client_that_hangs_up_is_a_failed_transfer()
    {
        var large = BootBench.File("large", BootBench.Filler(64 << 20));
        catalog.Current = new([large, catalog.Current!.Kernel, catalog.Current.Initramfs], catalog.Current.Kernel, catalog.Current.Initramfs, default, "virtual");
        clients.Granted("bench", Ipv4Address.Parse("127.0.0.1"), BootBench.Mac);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(http.BaseAddress!.Host, http.BaseAddress.Port);
            await client.GetStream().WriteAsync("GET /boot/large HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            await ReadAsync(client);
            client.LingerState = new(true, 0);
        }
        Assert.Equal(BootStage.LoaderStarted, (await NextAsync()).Stage);
        var failed = await NextAsync();
        Assert.Equal((BootStage.TransferFailed, "large: the client closed the connection"), (failed.Stage, failed.Detail));
    }

    [Fact]
    public async Task A_taken_port_is_one_sentence()
    {
        await using var second = new BootPlane(BootBench.Options(directory.FullName), new BootPlaneSettings { Port = http.BaseAddress!.Port }, [], NullLoggerFactory.Instance, NullLogger<BootPlane>.Instance);
        var refused = await Assert.ThrowsAsync<StartupException>(() => second.StartAsync(CancellationToken.None));
        Assert.Equal($"The HTTP boot plane cannot listen on lo: another program has TCP port {http.BaseAddress.Port}", refused.Message);
    }

    [Fact]
    public async Task An_address_that_is_not_there_is_one_sentence()
    {
        var network = BootBench.Loopback with { Address = Ipv4Network.Parse("192.0.2.1/24") };
        await using var plane = new BootPlane(BootBench.Options(directory.FullName, network), new BootPlaneSettings { Port = 0 }, [], NullLoggerFactory.Instance, NullLogger<BootPlane>.Instance);
        var refused = await Assert.ThrowsAsync<StartupException>(() => plane.StartAsync(CancellationToken.None));
        Assert.Equal("The HTTP boot plane cannot listen on lo: 192.0.2.1 is not an address of this machine", refused.Message);
    }

    [GeneratedRegex(@"http://\S+/boot/(vmlinuz|initramfs\.zst)\?a=\S+")]
    private static partial Regex Urls();

    [GeneratedRegex(@"grid\.token=(\S+)")]
    private static partial Regex Token();
}
