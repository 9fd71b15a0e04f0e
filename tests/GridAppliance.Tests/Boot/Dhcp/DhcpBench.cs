using System.Collections.Frozen;
using GridAppliance.Boot;
using GridAppliance.Boot.Dhcp;
using GridAppliance.Boot.Dhcp.Leases;
using GridAppliance.Hosting;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Store;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Boot.Dhcp;

/// <summary>A server without sockets: messages go in as octets, answers come out as octets, leases are durable when the store says so.</summary>
sealed class DhcpBench
{
    readonly byte[] buffer = new byte[1500];
    readonly DhcpDispatch dispatch;

    public DhcpBench(MemoryLeaseStore? store = null, ManualClock? clock = null, params NetworkOptions[] networks)
    {
        Store = store ?? new();
        Clock = clock ?? new();
        Networks = [.. (networks.Length == 0 ? [Rack()] : networks).Select(n => new DhcpNetwork(n))];
        foreach (var network in Networks) network.Leases?.Restore(Store.Load(), Clock.GetUtcNow());
        dispatch = new(Networks, Directory, Observer, Clock);
    }

    public MemoryLeaseStore Store { get; }
    public ManualClock Clock { get; }
    public BootDirectoryState Directory { get; } = new();
    public BootObserver Observer { get; } = new();
    public IReadOnlyList<DhcpNetwork> Networks { get; }
    public LeaseTable Leases => Networks[0].Leases!;
    public DhcpDispatch Dispatch => dispatch;

    /// <summary>Whether the test plays the prober; otherwise every probe comes back clear at once.</summary>
    public bool Probes { get; init; }

    public static NetworkOptions Rack(string range = "10.77.0.50-10.77.0.59", string address = "10.77.0.1/24", string name = "rack", DhcpMode mode = DhcpMode.Server, params Reservation[] reservations) => new()
    {
        Name = name, Interface = "eth-" + name, Address = Ipv4Network.Parse(address), DhcpMode = mode, Range = mode == DhcpMode.Server ? Ipv4Range.Parse(range) : null,
        Reservations = reservations, Boot = true, Router = null, Dns = [], LeaseTime = TimeSpan.FromMinutes(10),
    };

    /// <summary>A network that a relay in <see cref="Rack"/> speaks for.</summary>
    public static NetworkOptions BehindRelay() => Rack("10.78.0.60-10.78.0.69", "10.78.0.0/24", "rack7") with
    {
        Via = "rack",
        Server = Ipv4Address.Parse("10.77.0.1"),
        Router = Ipv4Address.Parse("10.78.0.1"),
    };

    public static MacAddress Mac(int number) => MacAddress.FromUInt64(0x5254_0000_0000 + (ulong)number);

    public void Know(MacAddress mac, string name, BootAction action = BootAction.NodeImage) =>
        Directory.Current = Directory.Current with { ByMac = Directory.Current.ByMac.Append(new(mac, new(Guid.NewGuid(), name, action))).ToFrozenDictionary() };

    /// <summary>Sends a message and, where the answer waits for the disk, lets the store decide.</summary>
    public Answer Send(TestMessage message)
    {
        var network = Networks.First(n => n.Options.Name == (message.Network ?? Networks[0].Options.Name));
        var arrival = new DhcpArrival(network, message.Port, message.Source, message.SourcePort, Clock.GetTimestamp());
        var answer = dispatch.Handle(message.ToOctets(), arrival, buffer);
        if (answer.Verdict == DhcpVerdict.ProbeFirst && !Probes)
        {
            answer.Lease!.IsProbing = false;
            network.Leases!.Cleared(answer.Lease, Clock.GetUtcNow());
            answer = dispatch.Handle(message.ToOctets(), arrival with { IsResumed = true }, buffer);
        }
        if (answer.Verdict == DhcpVerdict.SendWhenDurable)
        {
            var owner = dispatch.Containing(answer.Lease!.Address)!;
            var row = new StoredLease(answer.Lease.Address, message.Mac, Clock.GetUtcNow() + owner.Options.LeaseTime, owner.Options.LeaseTime);
            try
            {
                Store.BindAsync([row], CancellationToken.None).GetAwaiter().GetResult();
                Assert.True(owner.Leases!.Committed(answer.Lease, message.Mac));
            }
            catch (StoreException)
            {
                owner.Leases!.CommitFailed(answer.Lease, message.Mac, Clock.GetUtcNow());
                owner.StoreFailed(Clock.GetUtcNow());
                return new(answer, null);
            }
        }
        return new(answer, answer.Verdict is DhcpVerdict.Send or DhcpVerdict.SendWhenDurable ? buffer[..answer.Length] : null);
    }

    /// <summary>DISCOVER, then REQUEST what was offered; the address.</summary>
    public Ipv4Address Lease(int client)
    {
        var offer = Send(TestMessage.Discover(client));
        Assert.Equal(DhcpMessageType.Offer, offer.Type);
        var ack = Send(TestMessage.Selecting(client, offer.Yours));
        Assert.Equal((DhcpMessageType.Ack, offer.Yours), (ack.Type, ack.Yours));
        return ack.Yours;
    }
}

/// <summary>What the server did: its verdict, and the reply's octets where one was sent.</summary>
sealed class Answer(DhcpAnswer verdict, byte[]? message)
{
    public DhcpAnswer Verdict { get; } = verdict;
    public byte[]? Message { get; } = message?.ToArray();
    public DhcpMessageType? Type => Message is null ? null : Verdict.Type;
    public DhcpSilence Reason => Verdict.Reason;
    public ReplyDestination Destination => Verdict.Destination;
    public Ipv4Address Yours => Read().YourAddress;

    public DhcpMessage Read()
    {
        Assert.NotNull(Message);
        Assert.True(DhcpMessage.TryRead(Message, out var message, out var defect), defect.ToString());
        return message;
    }

    public byte[]? Option(DhcpOption option)
    {
        var scratch = new byte[512];
        return Read().TryGet(option, scratch, out var value) ? value.ToArray() : null;
    }

    public string? Text(DhcpOption option) => Option(option) is { } value ? System.Text.Encoding.ASCII.GetString(value) : null;
}

/// <summary>A client's message, spelled out.</summary>
sealed record TestMessage
{
    public required DhcpMessageType Type { get; init; }
    public MacAddress Mac { get; init; } = DhcpBench.Mac(1);
    public string? Network { get; init; }
    public DhcpPort Port { get; init; } = DhcpPort.Broadcast;
    public Ipv4Address Source { get; init; }
    public ushort SourcePort { get; init; } = 68;
    public ushort Flags { get; init; }
    public Ipv4Address ClientAddress { get; init; }
    public Ipv4Address RelayAddress { get; init; }
    public Ipv4Address? Requested { get; init; }
    public Ipv4Address? Server { get; init; }
    public IReadOnlyList<(DhcpOption Code, byte[] Value)> Options { get; init; } = [];

    public static Ipv4Address Ours => Ipv4Address.Parse("10.77.0.1");

    public static TestMessage Discover(int client, Ipv4Address? wish = null) => new() { Type = DhcpMessageType.Discover, Mac = DhcpBench.Mac(client), Requested = wish };

    public static TestMessage Selecting(int client, Ipv4Address address, Ipv4Address? server = null) =>
        new() { Type = DhcpMessageType.Request, Mac = DhcpBench.Mac(client), Requested = address, Server = server ?? Ours };

    public static TestMessage InitReboot(int client, Ipv4Address address) => new() { Type = DhcpMessageType.Request, Mac = DhcpBench.Mac(client), Requested = address };

    public static TestMessage Renewing(int client, Ipv4Address address) =>
        new() { Type = DhcpMessageType.Request, Mac = DhcpBench.Mac(client), ClientAddress = address, Source = address, Port = DhcpPort.Unicast };

    public static TestMessage Rebinding(int client, Ipv4Address address) => Renewing(client, address) with { Port = DhcpPort.Broadcast };

    public static TestMessage Declining(int client, Ipv4Address address) => Selecting(client, address) with { Type = DhcpMessageType.Decline };

    public static TestMessage Releasing(int client, Ipv4Address address) => Renewing(client, address) with { Type = DhcpMessageType.Release, Server = Ours };

    public static readonly (DhcpOption, byte[])[] BiosPxe =
    [
        (DhcpOption.VendorClass, "PXEClient:Arch:00000:UNDI:002001"u8.ToArray()), (DhcpOption.ClientArchitecture, [0, 0]), (DhcpOption.ClientInterface, [1, 2, 1]),
        (DhcpOption.ClientMachine, Convert.FromHexString("0078563412341278569 0abcdef00112233".Replace(" ", ""))),
    ];

    public static readonly (DhcpOption, byte[])[] EfiPxe = [(DhcpOption.VendorClass, "PXEClient:Arch:00007:UNDI:003000"u8.ToArray()), (DhcpOption.ClientArchitecture, [0, 7])];

    public static readonly (DhcpOption, byte[])[] EfiHttp = [(DhcpOption.VendorClass, "HTTPClient:Arch:00016:UNDI:003000"u8.ToArray()), (DhcpOption.ClientArchitecture, [0, 16])];

    public static readonly (DhcpOption, byte[])[] Ipxe = [.. BiosPxe, (DhcpOption.UserClass, "iPXE"u8.ToArray())];

    public byte[] ToOctets()
    {
        var buffer = new byte[1500];
        var writer = new DhcpWriter(buffer, DhcpOperation.Request)
        {
            TransactionId = 0x1234_5678, Mac = Mac, Flags = Flags, ClientAddress = ClientAddress, RelayAddress = RelayAddress, Hops = (byte)(RelayAddress.IsAny ? 0 : 1),
        };
        writer.Option(DhcpOption.MessageType, (byte)Type);
        if (Requested is { } requested) writer.Option(DhcpOption.RequestedAddress, requested);
        if (Server is { } server) writer.Option(DhcpOption.ServerIdentifier, server);
        foreach (var (code, value) in Options) writer.Option(code, value);
        return buffer[..writer.Finish()];
    }
}

/// <summary>A store in memory that can be full, and that outlives the server.</summary>
sealed class MemoryLeaseStore : ILeaseStore
{
    readonly Dictionary<Ipv4Address, StoredLease> rows = [];

    public bool IsFull { get; set; }

    public int Binds { get; private set; }

    public IReadOnlyDictionary<Ipv4Address, StoredLease> Rows => rows;

    public IReadOnlyList<StoredLease> Load() => [.. rows.Values];

    public Task BindAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) => Write(() =>
    {
        Binds++;
        foreach (var lease in leases) rows[lease.Address] = lease;
    });

    public Task ExtendAsync(IReadOnlyList<StoredLease> leases, CancellationToken cancellationToken) => Write(() =>
    {
        foreach (var lease in leases)
        {
            if (rows.TryGetValue(lease.Address, out var row) && row.Mac == lease.Mac) rows[lease.Address] = lease;
        }
    });

    Task Write(Action change)
    {
        if (IsFull) return Task.FromException(new StoreException(StoreFault.DiskFull, "the disk that holds dataDir is full", new IOException()));
        change();
        return Task.CompletedTask;
    }
}
