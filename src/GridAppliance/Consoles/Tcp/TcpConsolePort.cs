using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Consoles.Tcp;

/// <summary>A console server's port that carries the line's octets as they are (<c>tcp://HOST:PORT</c>; "raw" on most of them).</summary>
sealed class TcpConsolePort(IPEndPoint endPoint) : IConsolePort
{
    public string Name => $"tcp://{endPoint}";

    public async Task<IConsole> OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A console is silent for days; a line that died meanwhile has to be noticed all the same: within 20 s.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 8);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 4);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 2);
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new TcpConsole(new NetworkStream(socket, ownsSocket: true));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException(e.Message, e);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw;
        }
    }

    sealed class TcpConsole(NetworkStream stream) : IConsole
    {
        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => stream.ReadAsync(buffer, cancellationToken);

        public ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) => stream.WriteAsync(octets, cancellationToken);

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
