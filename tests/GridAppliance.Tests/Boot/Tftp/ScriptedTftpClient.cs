using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Protocols.Tftp;

namespace GridAppliance.Tests.Boot.Tftp;

/// <summary>A TFTP client that does exactly what a test says, over a real socket.</summary>
sealed class ScriptedTftpClient(int serverPort) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Socket socket = Bound();
    readonly byte[] buffer = new byte[70_000];
    EndPoint transfer = new IPEndPoint(IPAddress.Loopback, 0);

    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public IPEndPoint Transfer => (IPEndPoint)transfer;

    static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    public void Ask(string name, TftpOptions options = default, TftpMode mode = TftpMode.Octet, TftpOpcode opcode = TftpOpcode.ReadRequest)
    {
        var packet = new byte[TftpRequest.MaxLength];
        var request = new TftpRequest { Opcode = opcode, FileName = Encoding.ASCII.GetBytes(name), Mode = mode, Options = options };
        SendRaw(packet.AsSpan(0, request.Write(packet)));
    }

    public void SendRaw(ReadOnlySpan<byte> packet) => socket.SendTo(packet, new IPEndPoint(IPAddress.Loopback, serverPort));

    /// <summary>Sends to the transfer's own port.</summary>
    public void Say(ReadOnlySpan<byte> packet) => socket.SendTo(packet, transfer);

    public void Acknowledge(int block)
    {
        var packet = new byte[TftpPacket.HeaderLength];
        TftpPacket.WriteAcknowledgement(packet, (ushort)block);
        Say(packet);
    }

    public void Error(TftpErrorCode code, string message)
    {
        var packet = new byte[200];
        Say(packet.AsSpan(0, TftpPacket.WriteError(packet, code, Encoding.ASCII.GetBytes(message))));
    }

    public async Task<byte[]> HearAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token);
        transfer = received.RemoteEndPoint;
        return buffer[..received.ReceivedBytes];
    }

    public async Task<(ushort Block, byte[] Payload)> HearDataAsync()
    {
        var packet = await HearAsync();
        Assert.True(TftpPacket.TryReadData(packet, out var block, out var payload, out var defect), $"{defect}: {Convert.ToHexString(packet.AsSpan(0, Math.Min(packet.Length, 64)))}");
        return (block, payload.ToArray());
    }

    public async Task<TftpOptions> HearOptionsAsync()
    {
        Assert.True(TftpPacket.TryReadOptionAcknowledgement(await HearAsync(), out var options, out var defect), defect.ToString());
        return options;
    }

    public async Task<(TftpErrorCode Code, string Message)> HearErrorAsync()
    {
        Assert.True(TftpPacket.TryReadError(await HearAsync(), out var code, out var message, out var defect), defect.ToString());
        return (code, Encoding.ASCII.GetString(message));
    }

    /// <summary>True when nothing is waiting in the socket now.</summary>
    public bool HearsNothing => socket.Available == 0;

    public void Dispose() => socket.Dispose();
}
