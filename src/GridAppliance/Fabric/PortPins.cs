using System.Collections.Frozen;
using System.Collections.Immutable;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.Fabric;

/// <summary>The port that is a NIC's own.</summary>
readonly record struct PortPin(string Switch, string Port)
{
    public override string ToString() => $"{Switch}/{Port}";
}

enum PinVerdict
{
    /// <summary>No switch sees it: nothing is known that could disagree.</summary>
    Unseen,
    Agrees,
    /// <summary>It was on no port before, or has left its old one: this is its port from now on.</summary>
    Moved,
    /// <summary>It shows up on another port while its own still has its machine.</summary>
    Elsewhere,
}

/// <summary>A NIC's address that is used on another port than its own, where its machine still is.</summary>
sealed record DisplacedNic(MacAddress Mac, Guid NodeId, string Node, PortPin Pin, PortPin Seen);

/// <summary>Whether a NIC is on its own port. Pure.</summary>
static class PinRules
{
    /// <param name="mac">The NIC.</param>
    /// <param name="pin">Where it was; null: not known yet.</param>
    /// <param name="map">Where everything is now.</param>
    /// <param name="holdsAMachine">Whether a port has a link, and leads to no other switch.</param>
    public static PinVerdict Judge(MacAddress mac, PortPin? pin, FabricMap map, Func<PortPin, bool> holdsAMachine)
    {
        // Only what a switch itself sees counts: an agent and a relayed request are the node's own words.
        if (map.Placements.GetValueOrDefault(mac) is not { } now || now.Witnesses[0] is not (Witness.SwitchNeighbour or Witness.Forwarding)) return PinVerdict.Unseen;
        if (pin is not { } own) return PinVerdict.Moved;
        if (own == new PortPin(now.Switch, now.Port)) return PinVerdict.Agrees;
        // A cable that was moved leaves a port without a link behind, or one that another machine is on by now.
        if (!holdsAMachine(own)) return PinVerdict.Moved;
        return map.Placements.Values.Any(p => p.NodeId != now.NodeId && own == new PortPin(p.Switch, p.Port)) ? PinVerdict.Moved : PinVerdict.Elsewhere;
    }
}

/// <summary>Every NIC's own port: where it was seen first, until its cable is moved. A NIC that shows up elsewhere while its own port still has its machine has not moved: somebody uses its address.</summary>
sealed class PortPins(PortPinStore store)
{
    Pinned pinned = new(store.Load());

    /// <summary>Swapped whole: the ports are asked for with each look at each switch's addresses.</summary>
    sealed class Pinned(ImmutableDictionary<MacAddress, PortPin> ports)
    {
        public ImmutableDictionary<MacAddress, PortPin> Ports => ports;
        public FrozenSet<PortPin> Homes { get; } = ports.Values.ToFrozenSet();
    }

    /// <summary>Null when no switch has seen it yet.</summary>
    public PortPin? Of(MacAddress mac) => Volatile.Read(ref pinned).Ports.TryGetValue(mac, out var pin) ? pin : null;

    /// <summary>Whether a port is some NIC's own.</summary>
    public bool HasHome(PortPin port) => Volatile.Read(ref pinned).Homes.Contains(port);

    /// <summary>Takes out of a map whoever is not on his own port, says so in it, and remembers who has moved. One at a time.</summary>
    public async Task<FabricMap> ApplyAsync(FabricMap map, NodeSnapshot nodes, Func<PortPin, bool> holdsAMachine, CancellationToken cancellationToken)
    {
        var now = pinned.Ports;
        var moved = new Dictionary<MacAddress, PortPin>();
        var displaced = ImmutableArray.CreateBuilder<DisplacedNic>();
        foreach (var (mac, place) in map.Placements)
        {
            var seen = new PortPin(place.Switch, place.Port);
            switch (PinRules.Judge(mac, Of(mac), map, holdsAMachine))
            {
                case PinVerdict.Moved: moved[mac] = seen; break;
                case PinVerdict.Elsewhere: displaced.Add(new(mac, place.NodeId, place.Node, now[mac], seen)); break;
                case PinVerdict.Unseen or PinVerdict.Agrees: break;
            }
        }
        List<MacAddress> forgotten = [.. now.Keys.Where(mac => nodes.Find(mac) is null)];
        if (moved.Count + forgotten.Count > 0) await RememberAsync(now, moved, forgotten, cancellationToken);
        return map with
        {
            Placements = map.Placements.RemoveRange(displaced.Select(d => d.Mac)),
            Displaced = [.. displaced.OrderBy(d => d.Mac)],
            Findings = map.Findings.AddRange(displaced.Select(d =>
                new FabricFinding(FindingKind.Impostor, d.Mac.ToString(), d.NodeId, $"{d.Node}'s NIC {d.Mac} is on {d.Pin}, which still has its machine, and its address is used on {d.Seen}"))),
        };
    }

    async Task RememberAsync(ImmutableDictionary<MacAddress, PortPin> now, Dictionary<MacAddress, PortPin> moved, List<MacAddress> forgotten, CancellationToken cancellationToken)
    {
        try
        {
            await store.SaveAsync(moved, forgotten, cancellationToken);
        }
        catch (StoreException)
        {
            // Said elsewhere. What is not kept is found again after a restart.
        }
        Volatile.Write(ref pinned, new(now.RemoveRange(forgotten).SetItems(moved)));
    }
}

/// <summary>The pins, in the appliance's store: a restart is no occasion to take somebody else's place.</summary>
sealed class PortPinStore(Database database)
{
    public static IReadOnlyList<Migration> Migrations { get; } = [new("guard-1", "CREATE TABLE guard_pin(mac INTEGER PRIMARY KEY, switch TEXT NOT NULL, port TEXT NOT NULL) STRICT;")];

    public ImmutableDictionary<MacAddress, PortPin> Load() => database.Read(static connection => connection.Query("SELECT mac, switch, port FROM guard_pin",
        static row => KeyValuePair.Create(MacAddress.FromUInt64((ulong)row.GetInt64(0)), new PortPin(row.GetString(1), row.GetString(2))))).ToImmutableDictionary();

    /// <exception cref="StoreException">It was not written.</exception>
    public Task SaveAsync(IReadOnlyDictionary<MacAddress, PortPin> pinned, IReadOnlyCollection<MacAddress> forgotten, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            foreach (var (mac, pin) in pinned)
                connection.Run("INSERT OR REPLACE INTO guard_pin(mac, switch, port) VALUES ($mac, $switch, $port)", ("$mac", (long)mac.ToUInt64()), ("$switch", pin.Switch), ("$port", pin.Port));
            foreach (var mac in forgotten) connection.Run("DELETE FROM guard_pin WHERE mac = $mac", ("$mac", (long)mac.ToUInt64()));
        },
        cancellationToken);
}
