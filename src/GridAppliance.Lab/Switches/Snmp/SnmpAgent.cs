using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Lab.Switches.Snmp;

/// <summary>
/// An SNMP agent: versions 1 and 2c by community, 3 by user, one request at a time. Answers from a <see cref="IManagedTree"/> for each context; a context of version
/// 2c is what follows the @ of the community, as Cisco has it.
/// </summary>
sealed class SnmpAgent : IAsyncDisposable
{
    const int MaxDatagram = ushort.MaxValue;
    /// <summary>What goes through a network in one piece, less the headers.</summary>
    const int LargestAnswer = 1472;
    const int MaximumRepetitions = 256;

    readonly Socket socket;
    readonly IReadOnlyDictionary<string, IManagedTree> contexts;
    readonly AgentOptions options;
    readonly AgentSecurity security;
    readonly CancellationTokenSource stopping = new();
    readonly Task serving;

    /// <param name="endPoint">Where to listen; port 0 takes a free one.</param>
    /// <param name="options">Who may ask.</param>
    /// <param name="contexts">Trees by context; the empty name is the default one.</param>
    /// <param name="clock">For the engine's time.</param>
    public SnmpAgent(IPEndPoint endPoint, AgentOptions options, IReadOnlyDictionary<string, IManagedTree> contexts, TimeProvider clock)
    {
        this.options = options;
        this.contexts = contexts;
        security = new(options, clock);
        socket = new(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(endPoint);
        serving = Task.Run(ServeAsync);
    }

    public IPEndPoint EndPoint => (IPEndPoint)socket.LocalEndPoint!;

    /// <summary>Tampers with answers, for tests of whoever asks: gives what is sent instead; null sends nothing.</summary>
    public Func<SnmpPdu, SnmpPdu, SnmpPdu?>? Tamper { get; set; }

    /// <summary>Tampers with whole datagrams.</summary>
    public Func<byte[], byte[]>? Mangle { get; set; }

    /// <summary>Requests answered so far, by type.</summary>
    public ImmutableDictionary<SnmpPduType, int> Served { get; private set; } = ImmutableDictionary<SnmpPduType, int>.Empty;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await serving;
        socket.Dispose();
        security.Dispose();
        stopping.Dispose();
    }

    async Task ServeAsync()
    {
        var request = new byte[MaxDatagram];
        var response = new byte[MaxDatagram];
        var sender = new SocketAddress(socket.AddressFamily);
        while (true)
        {
            try
            {
                var length = await socket.ReceiveFromAsync(request, SocketFlags.None, sender, stopping.Token);
                var written = await AnswerAsync(request.AsMemory(0, length), response, stopping.Token);
                if (written == 0) continue;
                ReadOnlyMemory<byte> datagram = Mangle is { } mangle ? mangle(response[..written]) : response.AsMemory(0, written);
                await socket.SendToAsync(datagram, SocketFlags.None, sender, stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested) { return; }
            catch (SocketException)
            {
                // Whoever asked is gone; the next one may not be.
            }
        }
    }

    async ValueTask<int> AnswerAsync(ReadOnlyMemory<byte> datagram, byte[] response, CancellationToken cancellationToken)
    {
        if (!CommunityMessage.TryPeekVersion(datagram.Span, out var version)) return 0;
        if (version == SnmpVersion.V3)
        {
            switch (security.Open(datagram.Span, response))
            {
                case AgentSecurity.Refused refused: return refused.Length;
                case AgentSecurity.Accepted accepted:
                    if (!contexts.TryGetValue(accepted.Scoped.ContextName, out var view)) return security.ReportUnknownContext(accepted, response);
                    var answer = await AnswerAsync(accepted.Scoped.Pdu, view, accepted.Access, accepted.Room, cancellationToken);
                    return answer is null ? 0 : security.Seal(accepted, answer, response);
                default: return 0;
            }
        }
        if (!TryReadCommunity(datagram.Span, out var pdu, out var community)) return 0;
        var (name, context) = Split(community);
        if (!options.Communities.TryGetValue(name, out var access) || !contexts.TryGetValue(context, out var tree)) return 0;
        var reply = await AnswerAsync(pdu!, tree, access, LargestAnswer - CommunityMessage.Overhead(community.Length), cancellationToken);
        return reply is null ? 0 : CommunityMessage.Write(response, version, Encoding.UTF8.GetBytes(community), version == SnmpVersion.V1 ? ToVersion1(reply, pdu!) : reply);
    }

    static bool TryReadCommunity(ReadOnlySpan<byte> datagram, out SnmpPdu? pdu, out string community)
    {
        var good = CommunityMessage.TryRead(datagram, out var message, out _);
        (pdu, community) = good ? (message.Pdu, Encoding.UTF8.GetString(message.Community)) : (null, "");
        return pdu is not null;
    }

    static (string Name, string Context) Split(string community)
    {
        var at = community.IndexOf('@');
        return at < 0 ? (community, "") : (community[..at], $"vlan-{community[(at + 1)..]}");
    }

    async ValueTask<SnmpPdu?> AnswerAsync(SnmpPdu request, IManagedTree tree, AgentAccess access, int room, CancellationToken cancellationToken)
    {
        if (!request.IsConfirmed || request.Type == SnmpPduType.Inform) return null;
        await tree.RefreshAsync(cancellationToken);
        var response = request.Type switch
        {
            SnmpPduType.Get => Response(request, [.. request.Varbinds.Select(v => new Varbind(v.Name, tree.Get(v.Name)))]),
            SnmpPduType.GetNext => Response(request, [.. request.Varbinds.Select(v => NextOf(tree, v.Name))]),
            SnmpPduType.GetBulk => Response(request, Bulk(request, tree, room)),
            SnmpPduType.Set when access != AgentAccess.ReadWrite => Response(request, request.Varbinds, new(SnmpErrorStatus.NoAccess, 1)),
            SnmpPduType.Set => Response(request, request.Varbinds, await tree.SetAsync(request.Varbinds, cancellationToken)),
            SnmpPduType.Response or SnmpPduType.Inform or SnmpPduType.Trap or SnmpPduType.Report => throw new InvalidOperationException($"{request.Type} is no question"),
        };
        if (response.EncodedLength > room) response = Response(request, [], new(SnmpErrorStatus.TooBig, 0));
        Served = Served.SetItem(request.Type, Served.GetValueOrDefault(request.Type) + 1);
        return Tamper is { } tamper ? tamper(request, response) : response;
    }

    static SnmpPdu Response(SnmpPdu request, ImmutableArray<Varbind> varbinds, SetVerdict verdict = default) =>
        new() { Type = SnmpPduType.Response, RequestId = request.RequestId, ErrorStatus = verdict.Status, ErrorIndex = verdict.Index, Varbinds = varbinds };

    static Varbind NextOf(IManagedTree tree, ObjectIdentifier name) => tree.Next(name) ?? new(name, SnmpValue.EndOfMibView);

    // RFC 3416, section 4.2.3: as many whole rows, and of the last one as many variables, as there is room for.
    static ImmutableArray<Varbind> Bulk(SnmpPdu request, IManagedTree tree, int room)
    {
        var found = ImmutableArray.CreateBuilder<Varbind>();
        var size = 40;
        bool Add(Varbind varbind)
        {
            size += varbind.EncodedLength;
            if (size > room && found.Count > 0) return false;
            found.Add(varbind);
            return true;
        }
        var once = Math.Min(request.NonRepeaters, request.Varbinds.Length);
        foreach (var varbind in request.Varbinds[..once])
        {
            if (!Add(NextOf(tree, varbind.Name))) return found.DrainToImmutable();
        }
        var columns = request.Varbinds[once..].Select(v => v.Name).ToArray();
        for (var row = 0; row < Math.Min(request.MaxRepetitions, MaximumRepetitions); row++)
        {
            var isEnd = true;
            for (var i = 0; i < columns.Length; i++)
            {
                var next = NextOf(tree, columns[i]);
                isEnd &= next.Value.Syntax == SnmpSyntax.EndOfMibView;
                if (!Add(next)) return found.DrainToImmutable();
                columns[i] = next.Name;
            }
            if (isEnd) break;
        }
        return found.DrainToImmutable();
    }

    // RFC 3584, section 4.2.2.1: version 1 has no exceptions; the whole request fails.
    static SnmpPdu ToVersion1(SnmpPdu response, SnmpPdu request)
    {
        var missing = response.Varbinds.Select(v => v.Value.IsException || v.Value.Syntax == SnmpSyntax.Counter64).ToList().IndexOf(true);
        if (missing >= 0) return response with { ErrorStatus = SnmpErrorStatus.NoSuchName, ErrorIndex = missing + 1, Varbinds = request.Varbinds };
        return response.ErrorStatus <= SnmpErrorStatus.GeneralError ? response : response with { ErrorStatus = SnmpErrorStatus.GeneralError };
    }
}
