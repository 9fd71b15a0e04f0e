using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using GridAppliance.Hosting;
using GridAppliance.Web.Security;
using Microsoft.AspNetCore.Http;

namespace GridAppliance.Tests.Web;

public sealed class RequestGuardTests
{
    static readonly Caller Loopback = new("loopback", CallerTrust.Loopback);
    static readonly Caller Network = new("token", CallerTrust.Network);
    static readonly Caller Kernel = new("root", CallerTrust.Kernel);

    [Theory]
    [InlineData("127.0.0.1:8080", 200)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:8080", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("127.8.9.10", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("localhost.evil.example:8080", 421)]
    [InlineData("10.77.0.1", 421)]
    [InlineData("", 421)]
    public void On_loopback_the_host_header_is_a_loopback_name(string host, int status) => Assert.Equal(status, Judge(Loopback, "GET", "/api/v1/nodes", host));

    [Theory]
    [InlineData("http://127.0.0.1:8080", 200)]
    [InlineData("http://127.0.0.1", 403)]
    [InlineData("http://127.0.0.1:3000", 403)]
    [InlineData("https://127.0.0.1:8080", 403)]
    [InlineData("https://evil.example", 403)]
    [InlineData("null", 403)]
    public void A_foreign_origin_is_refused(string origin, int status) =>
        Assert.Equal(status, Judge(Loopback, "POST", "/api/v1/nodes/approve", "127.0.0.1:8080", ("Origin", origin), ("Content-Type", "application/json")));

    [Theory]
    [InlineData("cross-site", "/api/v1/nodes", 403)]
    [InlineData("same-site", "/api/v1/nodes", 403)]
    [InlineData("same-origin", "/api/v1/nodes", 200)]
    [InlineData("none", "/api/v1/nodes", 200)]
    [InlineData("cross-site", "/", 200)]
    public void A_request_that_the_browser_says_is_foreign_gets_the_page_and_nothing_else(string site, string path, int status) =>
        Assert.Equal(status, Judge(Loopback, "GET", path, "localhost", ("Sec-Fetch-Site", site)));

    [Theory]
    [InlineData("application/json", null, 200)]
    [InlineData("application/json; charset=utf-8", null, 200)]
    [InlineData("text/plain", null, 415)]
    [InlineData("application/x-www-form-urlencoded", null, 415)]
    [InlineData("application/octet-stream", "1", 200)]
    [InlineData(null, null, 415)]
    [InlineData(null, "1", 200)]
    public void A_change_needs_what_a_foreign_page_cannot_send(string? type, string? header, int status) => Assert.Equal(status,
        Judge(Loopback, "POST", "/api/v1/nodes/approve", "localhost", [.. type is null ? Array.Empty<(string, string)>() : [("Content-Type", type)], .. header is null ? Array.Empty<(string, string)>() : [("Grid-Request", header)]]));

    [Theory]
    [InlineData("/", 200)]
    [InlineData("/page/app.js", 200)]
    [InlineData("/healthz", 200)]
    [InlineData("/pages", 401)]
    [InlineData("/metrics", 401)]
    [InlineData("/api/v1/nodes", 401)]
    public void From_the_network_all_that_holds_anything_takes_a_token(string path, int status) => Assert.Equal(status, Judge(Network, "GET", path, "rack12.example"));

    [Fact]
    public void The_kernels_word_is_enough_on_the_unix_socket() => Assert.Equal(200, Judge(Kernel, "POST", "/api/v1/nodes/approve", "whatever"));

    [Fact]
    public void A_token_is_made_once_readable_by_its_owner_only_and_compared_whole()
    {
        var directory = Directory.CreateTempSubdirectory("ga-token-").FullName;
        try
        {
            var made = AccessToken.Load(directory);
            var path = Path.Combine(directory, "management.token");
            var text = File.ReadAllText(path).Trim();
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(43, text.Length);
            Assert.True(made.Accepts($"Bearer {text}"));
            Assert.True(AccessToken.Load(directory).Accepts($"bearer {text}"));
            foreach (var wrong in (string?[])[null, "", "Bearer", "Bearer ", $"Basic {text}", text, $"Bearer {text[..^1]}", $"Bearer {text}x"]) Assert.False(made.Accepts(wrong));
        }
        finally { Directory.Delete(directory, recursive: true); }
    }

    [Fact]
    public async Task Beyond_loopback_it_is_tls_with_our_certificate_and_the_token()
    {
        if (OwnAddress() is not { } own) { Assert.Fail("this machine has no address but loopback"); return; }
        await using var plane = await ManagementPlaneHost.StartAsync([new ListenAddress.Tcp(new(own, 0), Tls: true)]);
        var url = plane.Addresses.First(a => a.StartsWith("https://", StringComparison.Ordinal));
        var certificate = await File.ReadAllTextAsync(Path.Combine(plane.DataDir, "certificate.pem"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(plane.DataDir, "certificate.key")));

        var pem = Path.Combine(plane.DataDir, "certificate.pem");
        Assert.Equal(1, (await Gridctl("status", "--url", url)).Status);
        var untold = await Gridctl("status", "--url", url, "--certificate", pem);
        Assert.Equal(1, untold.Status);
        Assert.Contains("token", untold.Error);
        var told = await Gridctl("status", "--url", url, "--certificate", pem, "--token-file", Path.Combine(plane.DataDir, "management.token"));
        Assert.Equal((0, ""), (told.Status, told.Error));
        Assert.Contains("rack12", told.Output);
        Assert.Contains("BEGIN CERTIFICATE", certificate);

        async Task<ManagementPlaneHost.Ran> Gridctl(params string[] arguments)
        {
            using StringWriter output = new(), error = new();
            var status = await GridAppliance.Cli.CommandTree.Run(arguments, new(output, error, TextReader.Null, interactive: false));
            return new(status, output.ToString(), error.ToString());
        }
    }

    /// <summary>A browser cannot put a header on a WebSocket; over TLS it may also open one through HTTP/2, as a CONNECT (RFC 8441).</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Beyond_loopback_a_websocket_brings_its_token_as_a_subprotocol(int http)
    {
        if (OwnAddress() is not { } own) { Assert.Fail("this machine has no address but loopback"); return; }
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var plane = await ManagementPlaneHost.StartAsync([new ListenAddress.Tcp(new(own, 0), Tls: true)]);
        using var console = new Consoles.ScriptedConsole();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.Gridctl("port", "set", "n1", $"tcp://{console.EndPoint}")).Status);
        await console.ConnectedAsync();
        var ours = new Uri(plane.Addresses.First(a => a.StartsWith("https://", StringComparison.Ordinal)));
        using var certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(plane.DataDir, "certificate.pem"), patience.Token));
        var token = (await File.ReadAllTextAsync(Path.Combine(plane.DataDir, "management.token"), patience.Token)).Trim();

        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(ours.GetLeftPart(UriPartial.Authority), null));
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(ours.GetLeftPart(UriPartial.Authority), token[..^1]));
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync("https://evil.example", token));
        using var socket = await OpenAsync(ours.GetLeftPart(UriPartial.Authority), token);
        Assert.Equal("grid.console", socket.SubProtocol);
        await socket.SendAsync("hello\r"u8.ToArray(), WebSocketMessageType.Binary, true, patience.Token);
        Assert.Equal("hello\r", await console.HearAsync("\r"));

        async Task<ClientWebSocket> OpenAsync(string origin, string? with)
        {
            var opening = new ClientWebSocket();
            opening.Options.HttpVersion = new(http, http == 1 ? 1 : 0);
            opening.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            opening.Options.SetRequestHeader("Origin", origin);
            opening.Options.AddSubProtocol("grid.console");
            if (with is not null) opening.Options.AddSubProtocol("grid.token." + with);
            var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetRawCertData().AsSpan().SequenceEqual(certificate.RawDataMemory.Span) == true } };
            await opening.ConnectAsync(new UriBuilder(ours) { Scheme = "wss", Path = "/api/v1/nodes/n1/console", Query = "mode=write" }.Uri, new HttpMessageInvoker(handler), patience.Token);
            return opening;
        }
    }

    [Fact]
    public async Task Without_tls_or_on_a_provisioning_network_it_does_not_start()
    {
        var plain = await Assert.ThrowsAsync<StartupException>(() => ManagementPlaneHost.StartAsync([new ListenAddress.Tcp(IPEndPoint.Parse("192.0.2.2:0"), Tls: false)]));
        Assert.Contains("without TLS", plain.Message);
        var provisioning = await Assert.ThrowsAsync<StartupException>(() => ManagementPlaneHost.StartAsync([new ListenAddress.Tcp(IPEndPoint.Parse("10.77.0.1:0"), Tls: true)]));
        Assert.Contains("provisioning network", provisioning.Message);
        await Assert.ThrowsAsync<StartupException>(() => ManagementPlaneHost.StartAsync([new ListenAddress.Tcp(IPEndPoint.Parse("0.0.0.0:0"), Tls: true)]));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_in_one_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var refused = await Assert.ThrowsAsync<StartupException>(() => ManagementPlaneHost.StartAsync(port: ((IPEndPoint)taken.LocalEndpoint).Port));
        Assert.Contains("address already in use", refused.Message);
    }

    [Fact]
    public async Task A_socket_left_by_a_killed_daemon_is_replaced_and_one_in_use_is_not()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(plane.SocketPath));
        Assert.Contains("another appliance answers", Assert.Throws<StartupException>(() => GridAppliance.Web.ManagementSocket.Bind(plane.SocketPath)).Message);

        var path = Path.Combine(plane.DataDir, "left.sock");
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(path));
            using var replaced = GridAppliance.Web.ManagementSocket.Bind(path);
            Assert.True(File.Exists(path));
        }
    }

    [Fact]
    public async Task The_kernel_names_the_user_at_the_other_end_of_the_socket()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.Gridctl("discover", "approve", "n1")).Status);
        Assert.Equal(Environment.UserName, plane.Timeline.Read(0, 100)[^1].Actor);
    }

    [Fact]
    public async Task Every_answer_forbids_what_a_page_of_ours_never_does()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        foreach (var path in (string[])["/", "/page/app.js", "/api/v1/status", "/nowhere"])
        {
            using var answer = await http.GetAsync(path);
            var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("default-src 'none'", policy);
            Assert.DoesNotContain("unsafe", policy);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    static int Judge(Caller caller, string method, string path, string host, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        (context.Request.Method, context.Request.Path, context.Request.Scheme) = (method, path, "http");
        context.Request.Headers.Host = host;
        foreach (var (name, value) in headers) context.Request.Headers[name] = value;
        return RequestGuard.Judge(caller, context.Request, null).Status;
    }

    static IPAddress? OwnAddress() => System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)
        .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a));
}
