using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Tests.Switches.Snmp;

/// <summary>Net-SNMP's own agent on a loopback port, with a user for each algorithm. A machine without it fails the test: <c>make test</c> installs it.</summary>
sealed class RealAgent : IAsyncDisposable
{
    const string Program = "/usr/sbin/snmpd";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string folder = Directory.CreateTempSubdirectory("grid-snmpd-").FullName;
    Process? process;

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);

    public static async Task<RealAgent> StartAsync()
    {
        var agent = new RealAgent();
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            probe.Bind(agent.EndPoint);
            agent.EndPoint = (IPEndPoint)probe.LocalEndPoint!;
        }
        await File.WriteAllTextAsync(Path.Combine(agent.folder, "snmpd.conf"), """
            agentgroup root
            agentuser root
            rocommunity public 127.0.0.1
            rwcommunity private 127.0.0.1
            createUser uSha SHA "authpass-sha" AES "privpass-aes"
            createUser uSha224 SHA-224 "authpass-sha224" AES "privpass-aes"
            createUser uSha256 SHA-256 "authpass-sha256" AES "privpass-aes"
            createUser uSha384 SHA-384 "authpass-sha384" AES-192 "privpass-aes192"
            createUser uSha512 SHA-512 "authpass-sha512" AES-256 "privpass-aes256"
            createUser uSign SHA-256 "authpass-sha256"
            createUser uRead SHA-256 "authpass-sha256" AES "privpass-aes"
            rwuser uSha priv
            rwuser uSha224 priv
            rwuser uSha256 priv
            rwuser uSha384 priv
            rwuser uSha512 priv
            rouser uSign auth
            rouser uRead priv
            """);
        await agent.BootAsync();
        return agent;
    }

    /// <summary>Starts it, or starts it again: its boots counter goes up.</summary>
    public async Task BootAsync(bool forgetEngine = false)
    {
        await StopAsync();
        var state = Path.Combine(folder, "state");
        if (forgetEngine && Directory.Exists(state)) Directory.Delete(state, recursive: true);
        Directory.CreateDirectory(state);
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var argument in new[] { "-f", "-Lo", "-C", "-c", Path.Combine(folder, "snmpd.conf"), "-I", "-smux", $"udp:127.0.0.1:{EndPoint.Port}" }) start.ArgumentList.Add(argument);
        start.Environment["SNMP_PERSISTENT_DIR"] = state;
        process = Process.Start(start)!;
        var ready = new TaskCompletionSource();
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data?.StartsWith("NET-SNMP version", StringComparison.Ordinal) == true) ready.TrySetResult();
            if (e.Data is null) ready.TrySetException(new InvalidOperationException("snmpd ended before it was ready"));
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(Patience);
    }

    async Task StopAsync()
    {
        if (process is null) return;
        // SIGTERM, so that it saves its boots counter and users.
        Process.Start("kill", ["-TERM", process.Id.ToString()]).WaitForExit();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        process.Dispose();
        process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
