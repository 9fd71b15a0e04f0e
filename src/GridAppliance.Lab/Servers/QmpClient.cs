using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GridAppliance.Lab.Servers;

/// <summary>One command to a server's QEMU over its monitor socket (QEMU Machine Protocol: a JSON object per line).</summary>
static class QmpClient
{
    /// <exception cref="LabException">The server is off, or refuses the command.</exception>
    public static async Task SendAsync(LabServer server, string command, JsonObject arguments, CancellationToken cancellation)
    {
        try
        {
            await SendAsync(server.MonitorSocket, command, arguments, cancellation);
        }
        catch (Exception failure) when (failure is SocketException or IOException or JsonException)
        {
            throw new LabException($"Server {server.Name} does not answer on its monitor socket: is it powered on? ({failure.Message})", failure);
        }
    }

    /// <exception cref="LabException">QEMU refuses the command.</exception>
    public static async Task SendAsync(string monitorSocket, string command, JsonObject arguments, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(monitorSocket), cancellation);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await reader.ReadLineAsync(cancellation);
        await ExecuteAsync(stream, reader, "qmp_capabilities", [], cancellation);
        await ExecuteAsync(stream, reader, command, arguments, cancellation);
    }

    static async Task ExecuteAsync(NetworkStream stream, StreamReader reader, string command, JsonObject arguments, CancellationToken cancellation)
    {
        var request = new JsonObject { ["execute"] = command, ["arguments"] = arguments };
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToJsonString() + "\n"), cancellation);
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            var answer = JsonNode.Parse(line)!.AsObject();
            if (answer.ContainsKey("return")) return;
            if (answer["error"] is { } error) throw new LabException($"QEMU refused {command}: {error["desc"]}");
            // Anything else is an event.
        }
        throw new IOException("closed without an answer");
    }
}
