using System.Diagnostics;
using System.Threading.Channels;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Boot;

/// <summary>What a boot service saw and did for one NIC: a value, so that telling it costs the packet path nothing.</summary>
readonly record struct BootObservation
{
    public required MacAddress Mac { get; init; }
    public required BootStage Stage { get; init; }
    /// <summary>Name of the network it came from.</summary>
    public required string Network { get; init; }
    public required DateTimeOffset At { get; init; }
    /// <summary>From the request's arrival to its answer's leaving (first byte, for a transfer).</summary>
    public TimeSpan Service { get; init; }
    public Ipv4Address Ip { get; init; }
    /// <summary>Option 93 as sent (RFC 4578), or null.</summary>
    public ushort? ArchitectureCode { get; init; }
    /// <summary>SMBIOS UUID from option 97 or the boot script's query, already in text order.</summary>
    public Guid? Uuid { get; init; }
    /// <summary>Relay's circuit-id (option 82, sub-option 1) as hex, where a switch put one in.</summary>
    public string? CircuitId { get; init; }
    /// <summary>Relay's remote-id (sub-option 2) as hex: the switch itself.</summary>
    public string? RemoteId { get; init; }
    /// <summary>File key, byte count, reason of a NAK … for the timeline; interned or null on the DHCP path.</summary>
    public string? Detail { get; init; }
    /// <summary>Bytes sent, for transfers.</summary>
    public long Bytes { get; init; }
    /// <summary>Whether the client asked for network boot (option 60 PXEClient/HTTPClient or iPXE), or for an address only.</summary>
    public bool NetworkBoot { get; init; }
}

/// <summary>In the order in which a boot passes them.</summary>
enum BootStage
{
    DhcpDiscover, DhcpOffer, DhcpRequest, DhcpAck, DhcpNak, DhcpDecline, DhcpRelease, DhcpInform,
    LoaderStarted, LoaderFinished,
    Script,
    KernelStarted, KernelFinished,
    InitramfsStarted, InitramfsFinished,
    /// <summary>The root file system that the initramfs goes on in, where there is one.</summary>
    RootStarted, RootFinished,
    TransferFailed,
}

/// <summary>
/// The one way from the boot path to the rest of the daemon. Bounded: when the consumer falls behind, the oldest observations are dropped and counted,
/// because a timeline with a gap is better than a boot that waits.
/// </summary>
sealed class BootObserver
{
    const int Capacity = 16384;
    long dropped;

    readonly Channel<BootObservation> channel;

    public BootObserver() => channel = Channel.CreateBounded<BootObservation>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
        _ => Interlocked.Increment(ref dropped));

    public long Dropped => Interlocked.Read(ref dropped);

    public ChannelReader<BootObservation> Reader => channel.Reader;

    public void Report(in BootObservation observation)
    {
        var written = channel.Writer.TryWrite(observation);
        Debug.Assert(written, "a DropOldest channel takes every write until it is completed");
    }
}
