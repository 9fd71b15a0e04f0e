using System.Net.Sockets;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Boot.Dhcp.Link;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;

namespace GridAppliance.Boot.Dhcp.Watch;

/// <summary>
/// Finds out whether an address is in use before it is offered (RFC 2131 section 4.4.1 wants it checked; ARP probes as in RFC 5227). The next few addresses are probed
/// ahead of time, so that a booting machine seldom waits; where it has to, it waits <see cref="Verdict"/>. What ARP says on its own is listened to as well.
/// </summary>
sealed partial class AddressProber : IDisposable
{
    /// <summary>From the first probe to the verdict. RFC 5227 waits seconds, for hosts that sleep; a machine that waits for its boot is worth the risk.</summary>
    public static readonly TimeSpan Verdict = TimeSpan.FromMilliseconds(250);

    static readonly TimeSpan secondProbe = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan tick = TimeSpan.FromMilliseconds(25);
    static readonly TimeSpan aheadEvery = TimeSpan.FromSeconds(30);

    /// <summary>Cleared addresses that lie ready: a rack's worth.</summary>
    const int Ahead = 48;

    /// <summary>Messages that wait at the same time; beyond it a client has to ask again.</summary>
    const int MostWaiting = 512;

    readonly DhcpNetwork network;
    readonly LeaseTable leases;
    readonly LinkInterface link;
    readonly DhcpListener listener;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly PacketSocket arp;
    readonly Queue<Probe> waiting = [];
    readonly SemaphoreSlim started = new(0, 1);

    public AddressProber(DhcpNetwork network, LeaseTable leases, LinkInterface link, DhcpListener listener, TimeProvider clock, ILogger logger)
    {
        (this.network, this.leases, this.link, this.listener, this.clock, this.logger) = (network, leases, link, listener, clock, logger);
        arp = new(link, ArpPacket.EtherType, []);
    }

    /// <summary>A probe on its way: for a message that waits, or ahead of need (then there is no message).</summary>
    sealed class Probe(Lease lease, byte[]? datagram, DhcpArrival arrival, DateTimeOffset begun)
    {
        public Lease Lease { get; } = lease;
        public byte[]? Datagram { get; } = datagram;
        public DhcpArrival Arrival { get; } = arrival;
        public DateTimeOffset Begun { get; } = begun;
        public bool IsRepeated { get; set; }
    }

    /// <summary>Probes a lease that the responder has marked; the message is taken up again when the verdict is in.</summary>
    public void Start(Lease lease, ReadOnlySpan<byte> datagram, in DhcpArrival arrival)
    {
        lock (network.Gate)
        {
            if (waiting.Count >= MostWaiting)
            {
                lease.IsProbing = false;
                return;
            }
            waiting.Enqueue(new(lease, datagram.ToArray(), arrival, clock.GetUtcNow()));
        }
        Ask(lease.Address);
        Wake();
    }

    public Task RunAsync(CancellationToken cancellationToken) =>
        Loops.TogetherAsync(ListenAsync(cancellationToken), ConcludeAsync(cancellationToken), ProbeAheadAsync(cancellationToken));

    public void Dispose()
    {
        arp.Dispose();
        started.Dispose();
    }

    async Task ListenAsync(CancellationToken cancellationToken)
    {
        var frame = new byte[128];
        while (true)
        {
            try
            {
                var length = await arp.ReceiveAsync(frame, cancellationToken);
                if (ArpPacket.TryRead(frame.AsSpan(0, length), out var packet, out _)) Heard(packet);
            }
            catch (SocketException)
            {
                // The interface is down; nobody claims anything meanwhile.
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
            }
        }
    }

    /// <summary>Somebody says that an address is its own, or probes for it himself.</summary>
    void Heard(in ArpPacket packet)
    {
        if (packet.SenderMac == link.Mac) return;
        var claimed = packet.SenderIp.IsAny && packet.Operation == ArpOperation.Request ? packet.TargetIp : packet.SenderIp;
        lock (network.Gate)
        {
            if (leases.At(claimed) is not { } lease || lease.Mac == packet.SenderMac || lease.ReservedFor == packet.SenderMac) return;
            if (lease.IsProbing)
            {
                // Said once: whoever answers the probe may go on answering.
                if (lease.IsContested) return;
                lease.IsContested = true;
            }
            else if (lease.State != LeaseState.Free || !leases.Quarantine(lease, clock.GetUtcNow())) return;
        }
        Telemetry.DhcpConflicts.Add(1, new KeyValuePair<string, object?>("network", network.Options.Name));
        LogConflict(claimed, packet.SenderMac, network.Options.Name);
    }

    async Task ConcludeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await started.WaitAsync(cancellationToken);
            while (await ConcludeOldestAsync(cancellationToken)) { }
        }
    }

    /// <summary>All probes take equally long, so the oldest is always the next. False when none is left.</summary>
    async Task<bool> ConcludeOldestAsync(CancellationToken cancellationToken)
    {
        Probe? concluded = null;
        List<Ipv4Address> repeat = [];
        lock (network.Gate)
        {
            if (!waiting.TryPeek(out var oldest)) return false;
            var now = clock.GetUtcNow();
            if (now - oldest.Begun >= Verdict)
            {
                concluded = waiting.Dequeue();
                Decide(concluded, now);
            }
            else
            {
                foreach (var probe in waiting)
                {
                    if (probe.IsRepeated || now - probe.Begun < secondProbe) continue;
                    probe.IsRepeated = true;
                    repeat.Add(probe.Lease.Address);
                }
            }
        }
        foreach (var address in repeat) Ask(address);
        if (concluded is null) await Task.Delay(tick, clock, cancellationToken);
        else if (concluded.Datagram is { } datagram) listener.Resume(datagram, concluded.Arrival);
        return true;
    }

    void Decide(Probe probe, DateTimeOffset now)
    {
        var lease = probe.Lease;
        if (probe.Datagram is null)
        {
            // Probed ahead: an answer has put it in quarantine already, see Heard.
            if (lease.State == LeaseState.Free) leases.Cleared(lease, now);
            return;
        }
        lease.IsProbing = false;
        // With a quarter of the range in quarantine already, the probe's word is doubted and the client finds out for itself.
        if (!lease.IsContested || !leases.Quarantine(lease, now)) leases.Cleared(lease, now);
        lease.IsContested = false;
    }

    async Task ProbeAheadAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(aheadEvery, clock);
        do
        {
            List<Lease> asked = [];
            lock (network.Gate)
            {
                var now = clock.GetUtcNow();
                foreach (var lease in leases.Upcoming(Ahead))
                {
                    if (lease.ClearUntil - now > 2 * aheadEvery || waiting.Count >= MostWaiting / 2) continue;
                    waiting.Enqueue(new(lease, null, default, now));
                    asked.Add(lease);
                }
            }
            foreach (var lease in asked) Ask(lease.Address);
            if (asked.Count > 0) Wake();
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    void Ask(Ipv4Address address)
    {
        Span<byte> frame = stackalloc byte[ArpPacket.FrameLength];
        ArpPacket.Probe(link.Mac, address).Write(frame);
        try { arp.Send(frame); }
        catch (SocketException) { /* The interface is down: nobody is there to be in conflict with. */ }
    }

    void Wake()
    {
        try { started.Release(); }
        catch (SemaphoreFullException) { /* Awake already. */ }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} is in use by {Mac}, which did not get it from here; network {Network} leaves it out.")]
    partial void LogConflict(Ipv4Address address, MacAddress mac, string network);
}
