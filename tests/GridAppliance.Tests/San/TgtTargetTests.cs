using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using GridAppliance.San;
using GridAppliance.San.Tgt;
using GridAppliance.Tests.Boot;

namespace GridAppliance.Tests.San;

/// <summary>Debian's own tgtd, on a socket and a port of loopback of its own.</summary>
public sealed class TgtTargetTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    const string Authority = "iqn.2026-11.lan.rack12", Host = $"{Authority}:n1", Other = $"{Authority}:n2";

    readonly string root = Directory.CreateTempSubdirectory("ga-tgt-").FullName;
    Process daemon = null!;
    TgtTarget target = null!;
    string disk = "", more = "";

    string ControlSocket => Path.Combine(root, "control");

    public async Task InitializeAsync()
    {
        var served = Directory.CreateDirectory(Path.Combine(root, "served")).FullName;
        (disk, more) = (Path.Combine(served, "n1.img"), Path.Combine(served, "n1-data.img"));
        foreach (var file in (string[])[disk, more]) await File.WriteAllBytesAsync(file, new byte[1 << 20]);
        var start = new ProcessStartInfo("/usr/sbin/tgtd") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-f", "-C", "0", "--iscsi", $"portal=127.0.0.1:{FreePort()}"]) start.ArgumentList.Add(argument);
        start.Environment["TGT_IPC_SOCKET"] = ControlSocket;
        daemon = Process.Start(start)!;
        daemon.ErrorDataReceived += static (_, _) => { };
        daemon.OutputDataReceived += static (_, _) => { };
        daemon.BeginErrorReadLine();
        daemon.BeginOutputReadLine();
        using var patience = new CancellationTokenSource(Patience);
        while (!File.Exists($"{ControlSocket}.0"))
        {
            Assert.False(daemon.HasExited, "tgtd ended instead of serving");
            Assert.False(patience.IsCancellationRequested, $"tgtd has no control socket after {Patience.TotalSeconds} s");
            await Task.Delay(20);
        }
        target = new(new("tgt+unix:///control"), new($"{ControlSocket}.0"), new(Authority, new(IPAddress.Loopback, 3260), served, initiator => new($"user-{initiator[^2..]}", $"a-long-word-{initiator[^2..]}")));
    }

    public Task DisposeAsync()
    {
        // It does not end when it is asked to as long as it has targets.
        daemon.Kill();
        daemon.WaitForExit(5000);
        daemon.Dispose();
        Directory.Delete(root, recursive: true);
        return Task.CompletedTask;
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    SanZone Zone(params string[] initiators) => new("grid-n1", [.. initiators], [disk]);

    async Task<string> ShownAsync()
    {
        var shown = await RealProgram.RunAsync(root, "/usr/bin/env", [$"TGT_IPC_SOCKET={ControlSocket}", "/usr/sbin/tgtadm", "--lld", "iscsi", "--op", "show", "--mode", "target"]);
        Assert.Equal(0, shown.ExitCode);
        return shown.Output;
    }

    [Fact]
    public async Task A_target_lets_in_whom_it_names_by_chap_and_by_no_address()
    {
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Host), default));
        var shown = Assert.Single(TgtShown.Read(await ShownAsync()));
        Assert.Equal($"{Authority}:grid-n1", shown.Name);
        Assert.Equal([disk], shown.Files.AsEnumerable());
        Assert.Equal(["user-n1"], shown.Accounts.AsEnumerable());
        Assert.Equal([Host], shown.Admitted.AsEnumerable());
        Assert.Equal(Zone(Host), Assert.Single(await target.ReadAsync(default)));
        Assert.Equal(SanOutcome.Unchanged, await target.ConnectAsync(Zone(Host), default));
    }

    [Fact]
    public async Task Somebody_new_is_let_in_and_whoever_is_no_longer_named_is_out()
    {
        await target.ConnectAsync(Zone(Host), default);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Host, Other), default));
        Assert.Equal([Host, Other], Assert.Single(await target.ReadAsync(default)).Initiators);
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(Zone(Other), default));
        var shown = Assert.Single(TgtShown.Read(await ShownAsync()));
        Assert.Equal(("user-n2", Other), (shown.Accounts.Single(), shown.Admitted.Single()));
        Assert.Equal(SanOutcome.Done, await target.ConnectAsync(new("grid-n1", [Other], [disk, more]), default));
        Assert.Equal(2, Assert.Single(TgtShown.Read(await ShownAsync())).Files.Length);
    }

    [Fact]
    public async Task A_target_that_is_taken_away_is_gone_and_anybody_elses_stays()
    {
        var theirs = await RealProgram.RunAsync(root, "/usr/bin/env", [$"TGT_IPC_SOCKET={ControlSocket}", "/usr/sbin/tgtadm", "--lld", "iscsi", "--op", "new", "--mode", "target", "--tid", "1", "-T", "iqn.2001-01.com.example:theirs"]);
        Assert.Equal(0, theirs.ExitCode);
        await target.ConnectAsync(Zone(Host), default);
        Assert.Single(await target.ReadAsync(default));
        Assert.Equal(SanOutcome.Done, await target.DisconnectAsync("grid-n1", default));
        Assert.Equal("iqn.2001-01.com.example:theirs", Assert.Single(TgtShown.Read(await ShownAsync())).Name);
        Assert.Equal(SanOutcome.Unchanged, await target.DisconnectAsync("grid-n1", default));
    }

    [Fact]
    public async Task What_is_not_below_our_folder_is_never_served()
    {
        var outcome = await target.ConnectAsync(new("grid-n1", [Host], ["/etc/shadow"]), default);
        Assert.Equal(SanEnding.Refused, outcome.Ending);
        Assert.DoesNotContain("Target", await ShownAsync());
    }

    [Fact]
    public void An_order_lies_on_the_wire_as_tgtadms_does()
    {
        // Captured from tgtadm 1.0.85: --op bind --mode target --tid 7 -Q iqn.h:1, but for the name's trailer.
        var octets = TgtSocket.Write(new(TgtMode.Target, TgtOperation.Bind, 7, Parameters: ("initiator-name", "iqn.h:1")));
        Assert.Equal("0100000003000000" + Convert.ToHexStringLower("iscsi"u8) + new string('0', 118) + "8f00000007000000" + "0000000000000000" + "ffffffffffffffff" + new string('0', 48), Convert.ToHexStringLower(octets.AsSpan(0, 120)));
        Assert.Equal("initiator-name=iqn.h:1\0"u8.ToArray(), octets[120..]);
        Assert.Throws<ArgumentException>(() => TgtSocket.Write(new(TgtMode.Account, TgtOperation.New, Parameters: ("user", "a,password=b"))));
    }
}
