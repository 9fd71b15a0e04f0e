using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GridAppliance.Agent.Calls;

/// <summary>
/// One request and its answer over a connection of its own, as HTTP/1.0 (RFC 1945): the connection's end is the body's end, so there is neither chunked coding nor a pool
/// of connections. The peer is our own appliance on the same wire. HttpClient does all of this and much more, and was a third of the time from the agent's start to
/// its first call (docs/agent-size.md).
/// </summary>
sealed class HttpExchange : IDisposable
{
    const int MaximumHead = 16 * 1024;

    readonly Socket socket;
    readonly byte[] buffer = new byte[MaximumHead];
    int start, end;
    long? left;

    HttpExchange(Socket socket) => this.socket = socket;

    public int Status { get; private set; }

    /// <summary>Retry-After, where the answer has one.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    /// <summary>The body was read up to the end that the head named. Without a named length nobody can tell its end from a connection that broke off.</summary>
    public bool EndsAsNamed => left == 0;

    /// <summary>Connects, sends, and reads the answer up to where its body begins.</summary>
    /// <param name="head">Lines of the request's head after the first, each ended by CR LF.</param>
    public static async Task<HttpExchange> StartAsync(IPEndPoint peer, string method, string path, string head, ReadOnlyMemory<byte> body, TimeSpan connectTimeout,
        CancellationToken cancellationToken)
    {
        var socket = new Socket(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var exchange = new HttpExchange(socket);
        try
        {
            using (var connecting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                connecting.CancelAfter(connectTimeout);
                await socket.ConnectAsync(peer, connecting.Token);
            }
            var length = string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
            await exchange.SendAsync(Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.0\r\nHost: {peer}\r\n{head}{(method == "GET" ? "" : length)}\r\n"), cancellationToken);
            if (!body.IsEmpty) await exchange.SendAsync(body, cancellationToken);
            await exchange.ReadHeadAsync(cancellationToken);
            return exchange;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <summary>Reads on in the body; 0 at its end.</summary>
    /// <exception cref="IOException">The connection ended before the length that the head named.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (left == 0) return 0;
        if (left is { } most && most < destination.Length) destination = destination[..(int)most];
        int read;
        if (start < end)
        {
            read = Math.Min(end - start, destination.Length);
            buffer.AsMemory(start, read).CopyTo(destination);
            start += read;
        }
        else
        {
            read = await socket.ReceiveAsync(destination, SocketFlags.None, cancellationToken);
            if (read == 0 && left > 0) throw new IOException("the answer broke off");
        }
        left -= read;
        return read;
    }

    /// <summary>The whole body, if it is no longer than <paramref name="limit"/>.</summary>
    public async Task<byte[]> ReadToEndAsync(int limit, CancellationToken cancellationToken)
    {
        var body = new byte[Math.Min(4096, limit)];
        for (var length = 0; ;)
        {
            var read = await ReadAsync(body.AsMemory(length), cancellationToken);
            if (read == 0) return body[..length];
            length += read;
            if (length < body.Length) continue;
            if (length == limit) throw new IOException("the answer is too long");
            Array.Resize(ref body, Math.Min(2 * length, limit));
        }
    }

    public void Dispose() => socket.Dispose();

    async Task SendAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken)
    {
        while (!octets.IsEmpty) octets = octets[await socket.SendAsync(octets, SocketFlags.None, cancellationToken)..];
    }

    async Task ReadHeadAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = buffer.AsSpan(0, end).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (end == buffer.Length) throw new IOException("the answer's head is too long");
            var read = await socket.ReceiveAsync(buffer.AsMemory(end), SocketFlags.None, cancellationToken);
            if (read == 0) throw new IOException("the answer broke off");
            end += read;
        }
        start = length + 4;
        var lines = Encoding.ASCII.GetString(buffer, 0, length).Split("\r\n");
        if (!TryReadStatus(lines[0], out var status)) throw new IOException("the answer is not HTTP");
        Status = status;
        foreach (var line in lines)
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) && long.TryParse(line.AsSpan(15).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var named))
                left = named;
            else if (line.StartsWith("Retry-After:", StringComparison.OrdinalIgnoreCase) && int.TryParse(line.AsSpan(12).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                RetryAfter = TimeSpan.FromSeconds(Math.Min(seconds, 300));
        if (status is 204 or 304) left = 0;
    }

    /// <summary>"HTTP/1.1 200 OK"</summary>
    static bool TryReadStatus(string line, out int status)
    {
        status = 0;
        return line.Length >= 12 && line.StartsWith("HTTP/1.", StringComparison.Ordinal) && line[8] == ' '
            && int.TryParse(line.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 200 and < 600;
    }
}
