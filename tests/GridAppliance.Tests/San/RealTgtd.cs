using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using GridAppliance.Tests.Boot;

namespace GridAppliance.Tests.San;

/// <summary>Debian's own tgtd, on a socket and a port of loopback of its own.</summary>
sealed class RealTgtd : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string root = Directory.CreateTempSubdirectory("ga-tgtd-").FullName;
    Process? daemon;

    /// <summary>Where it listens for orders.</summary>
    public string ControlSocket => $"{Prefix}.0";

    string Prefix => Path.Combine(root, "control");

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("/usr/sbin/tgtd") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-f", "-C", "0", "--iscsi", $"portal=127.0.0.1:{FreePort()}"]) start.ArgumentList.Add(argument);
        start.Environment["TGT_IPC_SOCKET"] = Prefix;
        daemon = Process.Start(start)!;
        daemon.ErrorDataReceived += static (_, _) => { };
        daemon.OutputDataReceived += static (_, _) => { };
        daemon.BeginErrorReadLine();
        daemon.BeginOutputReadLine();
        using var patience = new CancellationTokenSource(Patience);
        while (!await ListensAsync())
        {
            Assert.False(daemon.HasExited, "tgtd ended instead of serving");
            Assert.False(patience.IsCancellationRequested, $"tgtd does not listen for orders after {Patience.TotalSeconds} s");
            await Task.Delay(20);
        }
    }

    /// <summary>The socket's file is there a moment before anybody listens.</summary>
    async Task<bool> ListensAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try { await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket)); }
        catch (SocketException) { return false; }
        return true;
    }

    /// <summary>Killed, and started anew: it knows nothing then.</summary>
    public async Task RestartAsync()
    {
        daemon!.Kill();
        await daemon.WaitForExitAsync();
        daemon.Dispose();
        File.Delete(ControlSocket);
        await StartAsync();
    }

    /// <summary>What its own tool shows.</summary>
    public Task<string> ShownAsync() => OrderAsync("--op", "show", "--mode", "target");

    /// <summary>What its own tool says of an order.</summary>
    public async Task<string> OrderAsync(params string[] order)
    {
        var said = await RealProgram.RunAsync(root, "/usr/bin/env", [$"TGT_IPC_SOCKET={Prefix}", "/usr/sbin/tgtadm", "--lld", "iscsi", .. order]);
        Assert.Equal(0, said.ExitCode);
        return said.Output;
    }

    /// <summary>Does something while nobody answers on the socket.</summary>
    public async Task WhileGoneAsync(Func<Task> work)
    {
        File.Move(ControlSocket, ControlSocket + ".away");
        try { await work(); }
        finally { File.Move(ControlSocket + ".away", ControlSocket); }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public ValueTask DisposeAsync()
    {
        // It does not end when it is asked to as long as it has targets.
        daemon?.Kill();
        daemon?.WaitForExit(5000);
        daemon?.Dispose();
        Directory.Delete(root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
