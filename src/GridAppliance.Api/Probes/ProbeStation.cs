using System.Buffers.Binary;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Probes;

namespace GridAppliance.Api.Probes;

/// <summary>What a station is to do in a round.</summary>
/// <param name="Round">A number that no other round has.</param>
/// <param name="Duration">How long it sends and listens: rounds of several stations have to overlap.</param>
/// <param name="Targets">Addresses that it also sends to directly.</param>
/// <param name="Vlans">VLANs that it tries to get into with tags of its own making.</param>
public sealed record ProbeTask(ulong Round, TimeSpan Duration, IReadOnlyList<MacAddress> Targets, IReadOnlyList<ushort> Vlans);

/// <summary>A probe that came in on one of a station's NICs.</summary>
public readonly record struct ProbeSighting(MacAddress On, MacAddress From, ProbeKind Kind);

/// <summary>What a station did and heard.</summary>
/// <param name="Nics">NICs that it sent from and listened on.</param>
/// <param name="Heard">Each once.</param>
public sealed record ProbeFindings(IReadOnlyList<MacAddress> Nics, IReadOnlyList<ProbeSighting> Heard);

/// <summary>
/// Sends probe frames from every Ethernet NIC of this machine and listens on all of them for others', in promiscuous mode: what floods through is heard too. Used by the agent on a
/// node and by the appliance itself.
/// </summary>
public static class ProbeStation
{
    const ushort AllProtocols = 3;   // ETH_P_ALL
    const int MostNics = 32;
    /// <summary>Addresses that are sent to directly; more are left out.</summary>
    public const int MostTargets = 256;
    /// <summary>VLANs whose tags are tried, alone and two by two; more are left out.</summary>
    public const int MostVlans = 8;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <param name="task">What to do.</param>
    /// <param name="nics">Only these interfaces; null: all.</param>
    /// <param name="clock">Whose time it is.</param>
    /// <param name="cancellationToken">Ends it without findings.</param>
    /// <exception cref="SocketException">The kernel lets nobody send or hear raw frames here.</exception>
    public static async Task<ProbeFindings> RunAsync(ProbeTask task, IReadOnlyCollection<string>? nics, TimeProvider clock, CancellationToken cancellationToken)
    {
        var own = Nics(nics);
        using var socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)BinaryPrimitives.ReverseEndianness(AllProtocols));
        socket.Bind(new PacketEndPoint(AllProtocols, 0));
        foreach (var nic in own) socket.SetRawSocketOption(PacketMembership.Level, PacketMembership.Add, PacketMembership.Promiscuous(nic.Index));
        var heard = new HashSet<ProbeSighting>();
        using var over = new CancellationTokenSource(task.Duration, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        try
        {
            await Task.WhenAll(ListenAsync(socket, task.Round, own, heard, either.Token), SendAsync(socket, task, own, clock, either.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }
        return new([.. own.Select(n => n.Mac)], [.. heard]);
    }

    static List<(int Index, MacAddress Mac)> Nics(IReadOnlyCollection<string>? wanted) =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(n => n is { NetworkInterfaceType: NetworkInterfaceType.Ethernet, OperationalStatus: OperationalStatus.Up or OperationalStatus.Unknown } && (wanted is null || wanted.Contains(n.Name)))
            .Select(n => (Index: IndexOf(n), Octets: n.GetPhysicalAddress().GetAddressBytes()))
            .Where(n => n.Index > 0 && n.Octets.Length == MacAddress.Length)
            .Select(n => (n.Index, MacAddress.Read(n.Octets))).Take(MostNics),
    ];

    // A NIC without an address of its own has an index all the same.
    static int IndexOf(NetworkInterface nic)
    {
        try
        {
            return nic.GetIPProperties() is var properties && nic.Supports(NetworkInterfaceComponent.IPv4) ? properties.GetIPv4Properties().Index : properties.GetIPv6Properties().Index;
        }
        catch (NetworkInformationException)
        {
            return 0;
        }
    }

    static async Task ListenAsync(Socket socket, ulong round, List<(int Index, MacAddress Mac)> own, HashSet<ProbeSighting> heard, CancellationToken cancellationToken)
    {
        var buffer = new byte[256];
        while (true)
        {
            var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new PacketEndPoint(0, 0), cancellationToken);
            if (!ProbeFrame.TryRead(buffer.AsSpan(0, received.ReceivedBytes), round, out var probe)) continue;
            var nic = own.Find(n => n.Index == ((PacketEndPoint)received.RemoteEndPoint).InterfaceIndex);
            // What we send ourselves is handed to us too.
            if (nic.Index != 0 && nic.Mac != probe.From) heard.Add(new(nic.Mac, probe.From, probe.Kind));
        }
    }

    static async Task SendAsync(Socket socket, ProbeTask task, List<(int Index, MacAddress Mac)> own, TimeProvider clock, CancellationToken cancellationToken)
    {
        var frame = new byte[Math.Max(ProbeFrame.LongestTagged, ProbeFrame.NeighbourLength)];
        while (true)
        {
            foreach (var nic in own)
            {
                var link = new PacketEndPoint(0, nic.Index);
                foreach (var kind in (ReadOnlySpan<ProbeKind>)[ProbeKind.Broadcast, ProbeKind.Arp, ProbeKind.NeighbourDiscovery]) Send(ProbeFrame.Write(frame, kind, task.Round, nic.Mac, MacAddress.Broadcast), link);
                foreach (var target in task.Targets.Take(MostTargets).Where(t => t != nic.Mac)) Send(ProbeFrame.Write(frame, ProbeKind.Unicast, task.Round, nic.Mac, target), link);
                foreach (var vlan in task.Vlans.Take(MostVlans))
                {
                    Send(ProbeFrame.WriteTagged(frame, task.Round, nic.Mac, vlan), link);
                    foreach (var below in task.Vlans.Take(MostVlans).Where(b => b != vlan)) Send(ProbeFrame.WriteTagged(frame, task.Round, nic.Mac, vlan, below), link);
                }
            }
            await Task.Delay(Pause, clock, cancellationToken);
        }

        void Send(int length, PacketEndPoint link)
        {
            try { socket.SendTo(frame.AsSpan(0, length), SocketFlags.None, link); }
            catch (SocketException) { /* Its link went down: nothing gets through there. */ }
        }
    }
}
