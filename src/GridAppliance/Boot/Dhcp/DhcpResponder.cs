using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

/// <summary>
/// The rules of a DHCP server (RFC 2131 section 4.3) and of a ProxyDHCP server (PXE 2.1 section 2.2): what one message deserves. No sockets, no clock, no database:
/// it reads the boot directory, and reads and changes the network's leases, whose lock the caller holds.
/// </summary>
static class DhcpResponder
{
    /// <summary>One message with everything that its answer depends on.</summary>
    internal readonly ref struct Question
    {
        public required DhcpMessage Request { get; init; }
        public required BootClient Client { get; init; }
        public required DhcpArrival Arrival { get; init; }
        /// <summary>The network that the client is on: the arrival's, or the one behind the relay.</summary>
        public required DhcpNetwork Network { get; init; }
        public required BootDirectory Directory { get; init; }
        public required DateTimeOffset Now { get; init; }
        /// <summary>Where the reply is written.</summary>
        public required Span<byte> Reply { get; init; }

        public MacAddress Mac => Request.Mac ?? default;
    }

    public static DhcpAnswer Respond(in Question question)
    {
        var request = question.Request;
        if (request.Operation != DhcpOperation.Request) return DhcpAnswer.Silent(DhcpSilence.NotForServers);
        if (request.Mac is not { } mac || mac.IsMulticast || mac.IsZero) return DhcpAnswer.Silent(DhcpSilence.NoEthernetClient);
        if (question.Arrival.Port == DhcpPort.Proxy) return AnswerOnProxyPort(question);
        return question.Network.Options.DhcpMode switch
        {
            DhcpMode.Off => DhcpAnswer.Silent(DhcpSilence.NotServed),
            DhcpMode.Proxy => OfferAsProxy(question),
            DhcpMode.Server => question.Network.Leases is { } leases ? Serve(question, leases) : DhcpAnswer.Silent(DhcpSilence.NotServed),
        };
    }

    static DhcpAnswer Serve(in Question question, LeaseTable leases) => question.Request.Type switch
    {
        DhcpMessageType.Discover => Discover(question, leases),
        DhcpMessageType.Request => Request(question, leases),
        DhcpMessageType.Decline => Decline(question, leases),
        DhcpMessageType.Release => Release(question, leases),
        DhcpMessageType.Inform => Inform(question),
        DhcpMessageType.LeaseQuery => DhcpAnswer.Silent(DhcpSilence.Unsupported),
        DhcpMessageType.Offer or DhcpMessageType.Ack or DhcpMessageType.Nak or DhcpMessageType.ForceRenew
            or DhcpMessageType.LeaseUnassigned or DhcpMessageType.LeaseUnknown or DhcpMessageType.LeaseActive => DhcpAnswer.Silent(DhcpSilence.NotForServers),
    };

    /// <summary>Section 4.3.1.</summary>
    static DhcpAnswer Discover(in Question question, LeaseTable leases)
    {
        var (mac, now, network) = (question.Mac, question.Now, question.Network);
        if (leases.Find(mac) is null && !network.NewClients.TryTake(now)) return DhcpAnswer.Silent(DhcpSilence.TooManyNewClients);
        if (leases.Choose(mac, question.Request.Address(DhcpOption.RequestedAddress), now) is not { } lease)
        {
            network.LastExhausted = now;
            return DhcpAnswer.Silent(DhcpSilence.Exhausted);
        }
        var isKnown = lease.IsHeldBy(mac) && lease.IsDurable;
        // While its lease was over somebody else may have settled there.
        var isCurrent = isKnown && lease.Until > now;
        if (!isKnown && network.IsStoreFailing(now)) return DhcpAnswer.Silent(DhcpSilence.StoreFailing);
        if (lease.IsProbing) return DhcpAnswer.Silent(DhcpSilence.InProgress);

        leases.Offer(lease, mac, now);
        // A client behind a relay is on a link that no probe of ours reaches; it finds a conflict itself and declines.
        if (!isCurrent && lease.ClearUntil <= now && question.Request.RelayAddress.IsAny)
        {
            lease.IsProbing = true;
            lease.IsContested = false;
            return DhcpAnswer.Probe(lease);
        }
        return Assign(question, DhcpMessageType.Offer, lease, DhcpVerdict.Send);
    }

    /// <summary>Section 4.3.2: the four states are told apart by which fields are filled.</summary>
    static DhcpAnswer Request(in Question question, LeaseTable leases)
    {
        var request = question.Request;
        if (request.Has(DhcpOption.ServerIdentifier)) return Selecting(question, leases);
        return request.ClientAddress.IsAny ? InitReboot(question, leases) : RenewOrRebind(question, leases);
    }

    static DhcpAnswer Selecting(in Question question, LeaseTable leases)
    {
        var request = question.Request;
        var own = leases.Find(question.Mac);
        if (request.Address(DhcpOption.ServerIdentifier) != question.Network.Replies.Server)
        {
            if (own is { State: LeaseState.Offered, IsProbing: false }) leases.Release(own, question.Now);
            return DhcpAnswer.Silent(DhcpSilence.OtherServer);
        }
        var address = request.Address(DhcpOption.RequestedAddress) ?? request.ClientAddress;
        // An offer that a restart made us forget is honoured when the address is still free.
        return leases.At(address) is { } lease && leases.IsAvailable(lease, question.Mac, question.Now) && (own is not null || question.Network.NewClients.TryTake(question.Now))
            ? Grant(question, leases, lease)
            : Refuse(question, "that address was not offered to you"u8, "the address was given to somebody else");
    }

    static DhcpAnswer InitReboot(in Question question, LeaseTable leases)
    {
        if (question.Request.Address(DhcpOption.RequestedAddress) is not { } address) return DhcpAnswer.Silent(DhcpSilence.NoRecord);
        if (!question.Network.Contains(address)) return Refuse(question, "wrong network"u8, "it asked for an address of another network");
        if (RecordOf(question.Mac, leases) is not { } own) return DhcpAnswer.Silent(DhcpSilence.NoRecord);
        return own.Address == address && leases.IsAvailable(own, question.Mac, question.Now)
            ? Grant(question, leases, own)
            : Refuse(question, "that address is not yours"u8, "the address that it remembered is not its own");
    }

    /// <summary>RENEWING goes to the server that gave the lease, REBINDING to every server: only what was sent to us alone may be refused for want of a record.</summary>
    static DhcpAnswer RenewOrRebind(in Question question, LeaseTable leases)
    {
        var address = question.Request.ClientAddress;
        if (!question.Network.Contains(address)) return Refuse(question, "wrong network"u8, "its address belongs to another network");
        var own = RecordOf(question.Mac, leases);
        if (own?.Address == address && leases.IsAvailable(own, question.Mac, question.Now)) return Grant(question, leases, own);
        var isSomebodyElses = leases.At(address) is { } lease && !leases.IsAvailable(lease, question.Mac, question.Now);
        return own is not null || isSomebodyElses || question.Arrival.Port == DhcpPort.Unicast
            ? Refuse(question, "that lease is over"u8, "its lease is over and the address no longer its own")
            : DhcpAnswer.Silent(DhcpSilence.NoRecord);
    }

    /// <summary>A binding, not a mere offer.</summary>
    static Lease? RecordOf(MacAddress mac, LeaseTable leases) =>
        leases.Find(mac) is { } lease && (lease.IsDurable || lease.State is LeaseState.Bound or LeaseState.Committing) ? lease : null;

    static DhcpAnswer Grant(in Question question, LeaseTable leases, Lease lease)
    {
        var (mac, now) = (question.Mac, question.Now);
        if (lease.State == LeaseState.Committing && lease.Mac == mac && lease.Until > now) return DhcpAnswer.Silent(DhcpSilence.InProgress);
        if (!(lease.IsDurable && lease.Mac == mac) && question.Network.IsStoreFailing(now)) return DhcpAnswer.Silent(DhcpSilence.StoreFailing);
        leases.Bind(lease, mac, now);
        return Assign(question, DhcpMessageType.Ack, lease, lease.State == LeaseState.Bound ? DhcpVerdict.Send : DhcpVerdict.SendWhenDurable);
    }

    static DhcpAnswer Decline(in Question question, LeaseTable leases)
    {
        var address = question.Request.Address(DhcpOption.RequestedAddress);
        if (!IsForUs(question) || address is not { } declined || leases.At(declined) is not { } lease || !lease.IsHeldBy(question.Mac)) return DhcpAnswer.Silent(DhcpSilence.NoRecord);
        if (!leases.Quarantine(lease, question.Now)) leases.Release(lease, question.Now);
        return DhcpAnswer.Silent(DhcpSilence.NothingToSay) with { Lease = lease };
    }

    static DhcpAnswer Release(in Question question, LeaseTable leases)
    {
        if (!IsForUs(question) || leases.At(question.Request.ClientAddress) is not { State: LeaseState.Bound } lease || lease.Mac != question.Mac) return DhcpAnswer.Silent(DhcpSilence.NoRecord);
        leases.Release(lease, question.Now);
        return DhcpAnswer.Silent(DhcpSilence.NothingToSay) with { Lease = lease };
    }

    static bool IsForUs(in Question question) =>
        question.Request.Address(DhcpOption.ServerIdentifier) is var server && (server is null || server == question.Network.Replies.Server);

    /// <summary>Section 4.3.5: parameters for a client that has its address from elsewhere; no address, no lease time.</summary>
    static DhcpAnswer Inform(in Question question)
    {
        var client = question.Request.ClientAddress;
        if (client.IsAny || !question.Network.Contains(client)) return DhcpAnswer.Silent(DhcpSilence.NothingFitting);
        return Write(question, new() { Type = DhcpMessageType.Ack, Options = question.Network.Replies, HasLink = true, Boot = BootFor(question), HostName = HostName(question) });
    }

    /// <summary>A boot file for clients that another server gives addresses to; whoever asks for an address only is none of our business.</summary>
    static DhcpAnswer OfferAsProxy(in Question question)
    {
        if (question.Request.Type != DhcpMessageType.Discover || question.Client.Firmware == FirmwareBoot.None) return DhcpAnswer.Silent(DhcpSilence.NotServed);
        return BootFor(question) is { } boot
            ? Write(question, new() { Type = DhcpMessageType.Offer, Options = question.Network.Replies, Boot = boot, IsProxy = true })
            : DhcpAnswer.Silent(DhcpSilence.NothingFitting);
    }

    /// <summary>The second exchange of PXE: a configured client asks the boot server that it chose. It goes back to where it came from, whatever port that is.</summary>
    static DhcpAnswer AnswerOnProxyPort(in Question question)
    {
        if (question.Request.Type is not (DhcpMessageType.Request or DhcpMessageType.Inform or DhcpMessageType.Discover)) return DhcpAnswer.Silent(DhcpSilence.NotServed);
        if (question.Arrival.Source.IsAny || BootFor(question) is not { } boot) return DhcpAnswer.Silent(DhcpSilence.NothingFitting);
        var type = question.Request.Type == DhcpMessageType.Discover ? DhcpMessageType.Offer : DhcpMessageType.Ack;
        var answer = Write(question, new() { Type = type, Options = question.Network.Replies, Boot = boot, IsProxy = true });
        return answer with { Destination = new(ReplyPath.Routed, default, question.Arrival.Source, question.Arrival.SourcePort) };
    }

    static DhcpAnswer Assign(in Question question, DhcpMessageType type, Lease lease, DhcpVerdict verdict) =>
        Write(question, new()
        {
            Type = type,
            Options = question.Network.Replies,
            Assigned = lease.Address,
            HasLease = true,
            HasLink = true,
            Boot = BootFor(question),
            HostName = HostName(question),
        }) with
        {
            Lease = lease,
            Verdict = verdict,
        };

    static DhcpAnswer Refuse(in Question question, ReadOnlySpan<byte> complaint, string detail) =>
        Write(question, new() { Type = DhcpMessageType.Nak, Options = question.Network.Replies, Complaint = complaint }) with { Detail = detail };

    static DhcpAnswer Write(in Question question, scoped in ReplyContents contents) => new()
    {
        Verdict = DhcpVerdict.Send,
        Type = contents.Type,
        Length = ReplyWriter.Write(question.Request, contents, question.Reply),
        Destination = ReplyDestination.For(question.Request, contents.Type, contents.Assigned, question.Arrival.Network.Options.Address),
        Detail = contents.Boot?.Name,
    };

    static BootOptions? BootFor(in Question question) => question.Network.Replies.BootFor(question.Client, question.Directory.ActionFor(question.Mac));

    static string? HostName(in Question question) => question.Directory.ByMac.TryGetValue(question.Mac, out var entry) ? entry.Name : null;
}
