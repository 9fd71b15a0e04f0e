using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

/// <summary>
/// From octets to an answer: reads the message, finds its network, asks <see cref="DhcpResponder"/> under that network's lock, counts and reports. Knows no sockets,
/// and allocates nothing.
/// </summary>
sealed class DhcpDispatch(IReadOnlyList<DhcpNetwork> networks, BootDirectoryState directory, BootObserver observer, TimeProvider clock)
{
    readonly DhcpNetwork[] networks = [.. networks];
    readonly CircuitIds circuits = new();

    /// <summary>Decides about one datagram and writes the answer, if there is one, to <paramref name="reply"/>.</summary>
    public DhcpAnswer Handle(ReadOnlySpan<byte> datagram, in DhcpArrival arrival, Span<byte> reply)
    {
        if (!DhcpMessage.TryRead(datagram, out var request, out var defect))
        {
            DhcpTags.Dropped(arrival.Network, defect);
            return DhcpAnswer.Silent(DhcpSilence.None);
        }
        if (!arrival.IsResumed) DhcpTags.Received(arrival.Network, request.Type);
        if (NetworkOf(request, arrival) is not { } network)
        {
            DhcpTags.Dropped(arrival.Network, DhcpSilence.UnknownRelay);
            return DhcpAnswer.Silent(DhcpSilence.UnknownRelay);
        }

        var now = clock.GetUtcNow();
        var client = BootClient.Read(request);
        DhcpAnswer answer;
        lock (network.Gate)
        {
            answer = DhcpResponder.Respond(new() { Request = request, Client = client, Arrival = arrival, Network = network, Directory = directory.Current, Now = now, Reply = reply });
        }
        if (answer.Verdict == DhcpVerdict.Silence) DhcpTags.Dropped(network, answer.Reason);
        if (!arrival.IsResumed) Report(request, client, network, answer, now);
        return answer;
    }

    /// <summary>To be called when the answer has left.</summary>
    /// <param name="answer">What left.</param>
    /// <param name="arrival">What it answers.</param>
    /// <param name="message">The reply's octets, for the client that it went to.</param>
    public void Sent(in DhcpAnswer answer, in DhcpArrival arrival, ReadOnlySpan<byte> message)
    {
        DhcpTags.Sent(arrival.Network, answer.Type);
        if (!DhcpMessage.TryRead(message, out var reply, out _) || reply.Mac is not { } mac) return;
        observer.Report(new()
        {
            Mac = mac,
            Stage = answer.Type switch
            {
                DhcpMessageType.Offer => BootStage.DhcpOffer,
                DhcpMessageType.Nak => BootStage.DhcpNak,
                _ => BootStage.DhcpAck,
            },
            Network = (reply.RelayAddress.IsAny ? null : Containing(reply.RelayAddress))?.Options.Name ?? arrival.Network.Options.Name,
            At = clock.GetUtcNow(),
            Service = clock.GetElapsedTime(arrival.Timestamp),
            Ip = reply.YourAddress.IsAny ? reply.ClientAddress : reply.YourAddress,
            Detail = answer.Detail,
            NetworkBoot = reply.Has(DhcpOption.BootFileName),
        });
    }

    /// <summary>A relay speaks for the network that its address is in; a client renewing from beyond one is known by its own address.</summary>
    DhcpNetwork? NetworkOf(in DhcpMessage request, in DhcpArrival arrival)
    {
        if (!request.RelayAddress.IsAny) return Containing(request.RelayAddress);
        if (arrival.Port == DhcpPort.Unicast && !request.ClientAddress.IsAny && !arrival.Network.Contains(request.ClientAddress)) return Containing(request.ClientAddress) ?? arrival.Network;
        return arrival.Network;
    }

    /// <summary>The network that an address belongs to.</summary>
    public DhcpNetwork? Containing(Ipv4Address address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address)) return network;
        }
        return null;
    }

    void Report(in DhcpMessage request, in BootClient client, DhcpNetwork network, in DhcpAnswer answer, DateTimeOffset now)
    {
        if (request.Operation != DhcpOperation.Request || request.Mac is not { IsMulticast: false, IsZero: false } mac || StageOf(request.Type) is not { } stage) return;
        // A stranger whom a flood would drown out is not worth a timeline either.
        if (answer.Reason is DhcpSilence.TooManyNewClients) return;
        Span<byte> scratch = stackalloc byte[255];
        string? circuit = null, remote = null;
        if (request.TryGet(DhcpOption.RelayAgentInformation, scratch, out var option))
        {
            var relay = new DhcpSuboptions(option, DhcpSuboptions.Framing.Plain);
            if (relay.TryGet(RelaySuboption.CircuitId, out var id)) circuit = circuits.Text(id);
            if (relay.TryGet(RelaySuboption.RemoteId, out id)) remote = circuits.Text(id);
        }
        observer.Report(new()
        {
            Mac = mac,
            Stage = stage,
            Network = network.Options.Name,
            At = now,
            Ip = request.ClientAddress.IsAny ? request.Address(DhcpOption.RequestedAddress) ?? default : request.ClientAddress,
            ArchitectureCode = client.ArchitectureCode,
            Uuid = client.Machine,
            CircuitId = circuit,
            RemoteId = remote,
            NetworkBoot = client.WantsBootFile,
            Detail = WordsFor(answer.Reason),
        });
    }

    /// <summary>Why a machine waits in vain, for its timeline; null where silence is nothing to worry about. Constants, so that they cost nothing.</summary>
    static string? WordsFor(DhcpSilence reason) => reason switch
    {
        DhcpSilence.Exhausted => "in vain: every address of the range is taken",
        DhcpSilence.StoreFailing => "in vain: leases cannot be written, so only machines that have one are served",
        DhcpSilence.OtherServer => "took another DHCP server's offer",
        DhcpSilence.NothingFitting => "in vain: there is no loader for its architecture",
        DhcpSilence.None or DhcpSilence.NothingToSay or DhcpSilence.NotForServers or DhcpSilence.NoEthernetClient or DhcpSilence.UnknownRelay or DhcpSilence.NotServed
            or DhcpSilence.NoRecord or DhcpSilence.TooManyNewClients or DhcpSilence.InProgress or DhcpSilence.Unsupported => null,
    };

    static BootStage? StageOf(DhcpMessageType type) => type switch
    {
        DhcpMessageType.Discover => BootStage.DhcpDiscover,
        DhcpMessageType.Request => BootStage.DhcpRequest,
        DhcpMessageType.Decline => BootStage.DhcpDecline,
        DhcpMessageType.Release => BootStage.DhcpRelease,
        DhcpMessageType.Inform => BootStage.DhcpInform,
        DhcpMessageType.Offer or DhcpMessageType.Ack or DhcpMessageType.Nak or DhcpMessageType.ForceRenew or DhcpMessageType.LeaseQuery
            or DhcpMessageType.LeaseUnassigned or DhcpMessageType.LeaseUnknown or DhcpMessageType.LeaseActive => null,
    };
}
