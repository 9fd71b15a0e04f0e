using System.Net;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches.Snmp;

/// <summary>What came back for a question.</summary>
/// <param name="Pdu">A Response, or a Report.</param>
/// <param name="Octets">Size of its datagram.</param>
readonly record struct SnmpAnswer(SnmpPdu Pdu, int Octets);

/// <summary>
/// A question under way, under every id that it has been sent with: an answer to its first attempt that comes during the third is an answer all the
/// same. Answered from the thread that reads the socket.
/// </summary>
sealed class SnmpQuestion(SnmpSocket socket, SocketAddress agent, SnmpProtection protection) : IDisposable
{
    readonly List<int> ids = [];
    readonly TaskCompletionSource<SnmpAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SocketAddress Agent => agent;

    public Task<SnmpAnswer> Answer => answer.Task;

    /// <summary>Sends it once more, under a new id.</summary>
    public void Send(SnmpPdu pdu, SnmpContext context)
    {
        var id = socket.Expect(this);
        ids.Add(id);
        Span<byte> datagram = stackalloc byte[SnmpProtection.LargestDatagram];
        var length = protection.Write(datagram, id, pdu with { RequestId = id }, context);
        socket.Send(datagram[..length], agent);
    }

    /// <summary>Takes the datagram when it is an answer; anything that is not leaves the question open, so that nobody can end it with rubbish.</summary>
    public bool TryAnswer(ReadOnlySpan<byte> datagram, int id) =>
        protection.TryRead(datagram, id, out var pdu) && answer.TrySetResult(new(pdu!, datagram.Length));

    public void Dispose()
    {
        foreach (var id in ids) socket.Forget(id);
    }
}
