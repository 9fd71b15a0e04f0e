using System.Net;
using System.Net.Sockets;

namespace GridAppliance.Consoles.Tcp;

/// <summary>A console server's port that carries the line's octets as they are (<c>tcp://HOST:PORT</c>; "raw" on most of them).</summary>
sealed class TcpConsolePort(EndPoint endPoint) : IConsolePort
{
    public string Name => $"tcp://{endPoint}";

    public async Task<IConsole> OpenAsync(CancellationToken cancellationToken) => new TcpConsole(await ConsoleSocket.ConnectAsync(endPoint, cancellationToken));

    sealed class TcpConsole(NetworkStream stream) : IConsole
    {
        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => stream.ReadAsync(buffer, cancellationToken);

        public ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancellationToken) => stream.WriteAsync(octets, cancellationToken);

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
