using System.Text;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

/// <summary>What a reply says, before it is octets.</summary>
readonly ref struct ReplyContents
{
    public required DhcpMessageType Type { get; init; }
    public required ReplyOptions Options { get; init; }
    /// <summary><c>yiaddr</c>; zero in proxy offers and in answers to INFORM.</summary>
    public Ipv4Address Assigned { get; init; }
    /// <summary>Whether lease times belong in it: not for INFORM (RFC 2131 section 4.3.5), not for a proxy.</summary>
    public bool HasLease { get; init; }
    /// <summary>Whether mask, router and the like belong in it: not for a proxy.</summary>
    public bool HasLink { get; init; }
    public BootOptions? Boot { get; init; }
    public bool IsProxy { get; init; }
    /// <summary>Option 12.</summary>
    public string? HostName { get; init; }
    /// <summary>Option 56, for a NAK.</summary>
    public ReadOnlySpan<byte> Complaint { get; init; }
}

/// <summary>Writes the reply to a request, as RFC 2131 table 3 has it. Copies prepared octets; allocates nothing.</summary>
static class ReplyWriter
{
    /// <summary>What fits an Ethernet frame.</summary>
    public const int LargestMessage = 1500 - 20 - 8;

    /// <summary>RFC 2131 section 2: every client takes 576 octets of datagram.</summary>
    const int SmallestMaximum = 576 - 20 - 8;

    const int HostNameLimit = 63;

    public static int Write(in DhcpMessage request, in ReplyContents contents, Span<byte> buffer)
    {
        var limit = Math.Clamp((request.UInt16(DhcpOption.MaximumMessageSize) ?? 0) - 28, SmallestMaximum, Math.Min(buffer.Length, LargestMessage));
        var isNak = contents.Type == DhcpMessageType.Nak;
        var isRelayed = !request.RelayAddress.IsAny;
        var writer = new DhcpWriter(buffer[..limit], DhcpOperation.Reply)
        {
            TransactionId = request.TransactionId,
            // The relay has to broadcast a NAK: the client cannot be reached at an address that it should not have.
            Flags = isNak && isRelayed ? (ushort)(request.Flags | 0x8000) : request.Flags,
            ClientAddress = contents.Type == DhcpMessageType.Ack ? request.ClientAddress : Ipv4Address.Any,
            YourAddress = contents.Assigned,
            NextServer = contents.Boot is null ? Ipv4Address.Any : contents.Options.Server,
            RelayAddress = request.RelayAddress,
            Mac = request.Mac ?? default,
        };
        if (contents.Boot is { } boot) writer.BootFile = boot.File;

        writer.Option(DhcpOption.MessageType, (byte)contents.Type);
        writer.Option(DhcpOption.ServerIdentifier, contents.Options.Server);
        if (contents.HasLease) writer.Encoded(contents.Options.Lease.Span);
        if (contents.HasLink) writer.Encoded(contents.Options.Link.Span);
        if (!contents.Complaint.IsEmpty) writer.Option(DhcpOption.Message, contents.Complaint);
        WriteOptional(ref writer, request, contents);
        return writer.Finish();
    }

    /// <summary>
    /// The rest, as far as there is room: what the relay sent comes last and must fit (RFC 3046 section 2.2), so its room is kept free. A switch that snoops adds the option
    /// without giving an address of its own, and passes a reply on only with its option in it.
    /// </summary>
    static void WriteOptional(ref DhcpWriter writer, in DhcpMessage request, in ReplyContents contents)
    {
        Span<byte> relayScratch = stackalloc byte[512];
        var relay = request.TryGet(DhcpOption.RelayAgentInformation, relayScratch, out var relayed) ? relayed : default;
        var kept = relay.IsEmpty ? 0 : DhcpWriter.SizeOf(relay.Length);

        Span<byte> scratch = stackalloc byte[255];
        if (contents.Boot is { } boot)
        {
            var encoded = contents.IsProxy ? boot.ForProxy : boot.Encoded;
            if (encoded.Length + kept <= writer.Room) writer.Encoded(encoded);
            // PXE 2.1 section 2.2.4.3 wants the client's machine identifier back.
            if (request.TryGet(DhcpOption.ClientMachine, scratch, out var machine)) Add(ref writer, kept, DhcpOption.ClientMachine, machine);
        }
        // RFC 6842: the client identifier goes back to who sent one.
        if (request.TryGet(DhcpOption.ClientIdentifier, scratch, out var identifier)) Add(ref writer, kept, DhcpOption.ClientIdentifier, identifier);
        if (contents.HostName is { Length: > 0 and <= HostNameLimit } name && Ascii.IsValid(name))
        {
            var length = Encoding.ASCII.GetBytes(name, scratch);
            Add(ref writer, kept, DhcpOption.HostName, scratch[..length]);
        }
        if (contents.HasLink && contents.Options.Domain.Length + kept <= writer.Room) writer.Encoded(contents.Options.Domain.Span);
        if (kept > 0 && kept <= writer.Room) writer.Option(DhcpOption.RelayAgentInformation, relay);
    }

    static void Add(ref DhcpWriter writer, int kept, DhcpOption option, scoped ReadOnlySpan<byte> value)
    {
        if (DhcpWriter.SizeOf(value.Length) + kept <= writer.Room) writer.Option(option, value);
    }
}
