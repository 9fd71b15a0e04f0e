using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>
/// The one UDP socket through which every SNMP device is asked: hundreds of switches are one descriptor and one receive loop. An answer finds its
/// question by the message id, which is never in use twice, and is taken only from the address that was asked.
/// </summary>
sealed partial class SnmpSocket : IAsyncDisposable
{
    const int MaxDatagram = ushort.MaxValue;
    /// <summary>Room for answers of all devices in the same instant.</summary>
    const int SocketBuffer = 4 << 20;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = SocketBuffer, SendBufferSize = SocketBuffer };
    readonly ConcurrentDictionary<int, SnmpQuestion> questions = new();
    readonly CancellationTokenSource stopping = new();
    readonly ILogger<SnmpSocket> logger;
    readonly Task receiving;
    // Starts anywhere: an answer to a question of the daemon's last life must not fit one of this life.
    int lastId = RandomNumberGenerator.GetInt32(int.MaxValue);

    public SnmpSocket(ILogger<SnmpSocket> logger)
    {
        this.logger = logger;
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Gives a question an id that no other has; it keeps it until <see cref="Forget"/>.</summary>
    public int Expect(SnmpQuestion question)
    {
        while (true)
        {
            var id = Interlocked.Increment(ref lastId) & int.MaxValue;
            if (id != 0 && questions.TryAdd(id, question)) return id;
        }
    }

    public void Forget(int id) => questions.TryRemove(id, out _);

    /// <exception cref="SocketException">No route, or no permission.</exception>
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => socket.SendTo(datagram, SocketFlags.None, to);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await receiving;
        socket.Dispose();
        stopping.Dispose();
    }

    async Task ReceiveAsync()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram, pinned: true);
        var sender = new SocketAddress(AddressFamily.InterNetwork);
        while (true)
        {
            try
            {
                var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, stopping.Token);
                Hand(buffer.AsSpan(0, length), sender);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
            catch (SocketException e)
            {
                // An ICMP error about one device must not end the reading for all of them.
                LogReceiveFailed(e.SocketErrorCode);
            }
        }
    }

    void Hand(ReadOnlySpan<byte> datagram, SocketAddress sender)
    {
        var isOurs = (V3Message.TryPeekMessageId(datagram, out var id) || CommunityMessage.TryPeekRequestId(datagram, out id))
            && questions.TryGetValue(id, out var question) && question.Agent.Equals(sender) && question.TryAnswer(datagram, id);
        if (!isOurs) Telemetry.SnmpStrays.Add(1);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Receiving from SNMP devices: {Error}")]
    partial void LogReceiveFailed(SocketError error);
}
