using System.Net;
using System.Net.Sockets;
using GridAppliance.Hosting;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Fabric.Traps;

/// <summary>
/// Hears what switches say by themselves (traps and informs), and has the switch that said it read at once. What it said is not believed any further than that: a link that went
/// down, a restart, a changed port are told from the reading. Listens only where the configuration says so.
/// </summary>
sealed partial class TrapListener(ApplianceOptions options, SwitchFleet fleet, FabricPokes pokes, ApplianceKey key, TimeProvider clock, ILogger<TrapListener> logger) : BackgroundService
{
    const int MaxDatagram = ushort.MaxValue;
    /// <summary>The year that boots are counted from: they go up with every start, and nothing has to be kept for it.</summary>
    static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    Socket? socket;

    /// <summary>Where it listens; null when it does not.</summary>
    public IPEndPoint? EndPoint => (IPEndPoint?)socket?.LocalEndPoint;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Traps is not { } at) return Task.CompletedTask;
        socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(at);
        }
        catch (SocketException e)
        {
            throw new StartupException($"traps cannot be heard on {at}: {e.Message}", "Give this machine that address, stop what listens there (`ss -lunp` names it), or change 'traps' in the configuration.", e);
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var boots = (int)Math.Clamp((clock.GetUtcNow() - Epoch).TotalMinutes, 1, int.MaxValue - 1);
        // Enterprise 8072 is net-snmp's; ours is none, so the format "octets" with the key's own fingerprint tells appliances apart (RFC 3411, section 5).
        using var engine = new TrapEngine([0x80, 0x00, 0x00, 0x00, 5, .. Convert.FromHexString(key.Fingerprint[..16])], boots, clock);
        var datagram = new byte[MaxDatagram];
        var answer = new byte[MaxDatagram];
        var anybody = new IPEndPoint(IPAddress.Any, 0);
        while (true)
        {
            try
            {
                var from = await socket!.ReceiveFromAsync(datagram, SocketFlags.None, anybody, stoppingToken);
                var length = Take(engine, datagram.AsSpan(0, from.ReceivedBytes), ((IPEndPoint)from.RemoteEndPoint).Address, answer);
                if (length > 0) await socket.SendToAsync(answer.AsMemory(0, length), SocketFlags.None, from.RemoteEndPoint, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
            catch (SocketException e)
            {
                // Whoever was answered is gone; the next one may not be.
                LogNotSent(e.SocketErrorCode);
            }
        }
    }

    int Take(TrapEngine engine, ReadOnlySpan<byte> datagram, IPAddress from, Span<byte> answer)
    {
        var sender = from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from;
        var (verdict, length) = ("stranger", 0);
        // Several where they are behind one address: it is whoever's key it bears.
        foreach (var one in fleet.Current.Values.Where(s => IPAddress.TryParse(s.Record.Address.Host, out var host) && host.Equals(sender)))
        {
            var read = engine.Read(datagram, one.Credentials, answer, out length);
            verdict = read.ToString().ToLowerInvariant();
            if (read == TrapVerdict.Taken) pokes.Read(one.Name);
            if (read is TrapVerdict.Taken or TrapVerdict.Discovery) break;
        }
        Telemetry.SnmpTraps.Add(1, Telemetry.Reason(verdict));
        return length;
    }

    public override void Dispose()
    {
        socket?.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Answering an inform: {Error}")]
    partial void LogNotSent(SocketError error);
}
