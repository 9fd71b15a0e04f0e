using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GridAppliance.Tests.Consoles;

/// <summary>A console server's port with a node behind it, played by a test.</summary>
sealed class ScriptedConsole : IDisposable
{
    readonly TcpListener server = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
    readonly StringBuilder heard = new();
    TcpClient? client;

    public ScriptedConsole() => server.Start();

    public IPEndPoint EndPoint => (IPEndPoint)server.LocalEndpoint;

    public NetworkStream Line => client?.GetStream() ?? throw new InvalidOperationException("nobody has opened the console yet");

    public async Task ConnectedAsync() => client = await server.AcceptTcpClientAsync(patience.Token);

    public Task SayAsync(string text) => SayAsync(Encoding.UTF8.GetBytes(text));

    public async Task SayAsync(ReadOnlyMemory<byte> octets) => await Line.WriteAsync(octets, patience.Token);

    /// <summary>What was typed up to and with <paramref name="text"/>.</summary>
    public async Task<string> HearAsync(string text)
    {
        var buffer = new byte[4096];
        int end;
        while ((end = heard.ToString().IndexOf(text, StringComparison.Ordinal)) < 0)
        {
            int count;
            try { count = await Line.ReadAsync(buffer, patience.Token); }
            catch (OperationCanceledException) { throw new TimeoutException($"'{text}' was never typed; what was: {heard}"); }
            if (count == 0) throw new EndOfStreamException($"the line was closed before '{text}' was typed; what was: {heard}");
            heard.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        var typed = heard.ToString(0, end + text.Length);
        heard.Remove(0, typed.Length);
        return typed;
    }

    public async Task<byte[]> HearAsync(int count)
    {
        var octets = new byte[count];
        await Line.ReadExactlyAsync(octets, patience.Token);
        return octets;
    }

    public void HangUp() => client?.Dispose();

    public void Dispose()
    {
        client?.Dispose();
        server.Dispose();
        patience.Dispose();
    }
}
