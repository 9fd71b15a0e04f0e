using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;

namespace GridAppliance.Switches.Snmp;

/// <summary>
/// The way to every SNMP device. An answer finds its question by the message id, which is never in use twice, and is taken only from the address that was asked.
/// </summary>
sealed class SnmpSocket : IAsyncDisposable
{
    const int MaxDatagram = ushort.MaxValue;

    readonly ConcurrentDictionary<int, SnmpQuestion> questions = new();
    readonly DeviceSocket socket;
    // Starts anywhere: an answer to a question of the daemon's last life must not fit one of this life.
    int lastId = RandomNumberGenerator.GetInt32(int.MaxValue);

    public SnmpSocket(ILogger<SnmpSocket> logger) => socket = new("SNMP devices", MaxDatagram, Hand, logger);

    /// <summary>Sees to it that a device can be sent to.</summary>
    /// <exception cref="SocketException">This machine has no IPv6, and the address is of that kind.</exception>
    public void Reach(IPEndPoint device) => socket.Reach(device.AddressFamily);

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
    public void Send(ReadOnlySpan<byte> datagram, SocketAddress to) => socket.Send(datagram, to);

    public ValueTask DisposeAsync() => socket.DisposeAsync();

    void Hand(ReadOnlySpan<byte> datagram, SocketAddress sender)
    {
        var isOurs = (V3Message.TryPeekMessageId(datagram, out var id) || CommunityMessage.TryPeekRequestId(datagram, out id))
            && questions.TryGetValue(id, out var question) && question.Agent.Equals(sender) && question.TryAnswer(datagram, id);
        if (!isOurs) Telemetry.SnmpStrays.Add(1);
    }
}
