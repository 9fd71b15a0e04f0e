using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Protocols.Dhcp;

namespace GridAppliance.Boot.Dhcp;

enum DhcpVerdict
{
    /// <summary>No answer; <see cref="DhcpAnswer.Reason"/> says why.</summary>
    Silence,
    Send,
    /// <summary>Send once the store has the lease, and not at all if it does not take it.</summary>
    SendWhenDurable,
    /// <summary>Find out whether the address is in use, then ask again with the same message.</summary>
    ProbeFirst,
}

/// <summary>Why a well-formed message gets no answer. None of these is a fault of ours.</summary>
enum DhcpSilence
{
    None,
    /// <summary>RELEASE and DECLINE are done with and not answered.</summary>
    NothingToSay,
    /// <summary>A message that servers send.</summary>
    NotForServers,
    /// <summary>No Ethernet client: another hardware type, an all-zero or a group address.</summary>
    NoEthernetClient,
    /// <summary>It came through a relay whose network is not ours.</summary>
    UnknownRelay,
    /// <summary>DHCP is off there, or the client in proxy mode did not ask for a boot file.</summary>
    NotServed,
    /// <summary>The client took another server's offer.</summary>
    OtherServer,
    /// <summary>RFC 2131 section 4.3.2: a server without a record of the client must stay silent.</summary>
    NoRecord,
    /// <summary>All addresses are taken.</summary>
    Exhausted,
    /// <summary>More new clients in a short time than a rack has.</summary>
    TooManyNewClients,
    /// <summary>The address is being probed, or its lease written: the answer to the first copy is on its way.</summary>
    InProgress,
    /// <summary>The store does not take new leases (a full disk): only known clients are served.</summary>
    StoreFailing,
    /// <summary>An INFORM from no address, or a PXE client that there is no loader for.</summary>
    NothingFitting,
    /// <summary>Lease queries are read but not answered (RFC 4388 leaves that to the server).</summary>
    Unsupported,
}

/// <summary>What to do about one message.</summary>
readonly record struct DhcpAnswer
{
    public required DhcpVerdict Verdict { get; init; }
    public DhcpSilence Reason { get; init; }
    public DhcpMessageType Type { get; init; }
    /// <summary>Octets of the reply in the buffer that was given.</summary>
    public int Length { get; init; }
    public ReplyDestination Destination { get; init; }
    /// <summary>What is offered, granted, or to be probed.</summary>
    public Lease? Lease { get; init; }
    /// <summary>Words for the timeline; constants, so that they cost nothing.</summary>
    public string? Detail { get; init; }

    public static DhcpAnswer Silent(DhcpSilence reason) => new() { Verdict = DhcpVerdict.Silence, Reason = reason };

    public static DhcpAnswer Probe(Lease lease) => new() { Verdict = DhcpVerdict.ProbeFirst, Lease = lease };
}
