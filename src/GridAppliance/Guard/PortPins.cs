using System.Collections.Immutable;
using GridAppliance.Fabric;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Switches.Fleet;

namespace GridAppliance.Guard;

/// <summary>The port that a NIC was on when it got its address.</summary>
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

/// <summary>Whether a NIC is where it was when it got its address. Pure.</summary>
static class PinRules
{
    /// <param name="mac">The NIC.</param>
    /// <param name="pin">Where it was; null: not known yet.</param>
    /// <param name="map">Where everything is now.</param>
    /// <param name="readingOf">What a switch said last; null: it is not looked after, or has not been read.</param>
    public static PinVerdict Judge(MacAddress mac, PortPin? pin, FabricMap map, Func<string, SwitchReading?> readingOf)
    {
        // Only what a switch itself sees counts: an agent and a relayed request are the node's own words.
        if (map.Placements.GetValueOrDefault(mac) is not { } now || now.Witnesses[0] is not (Witness.SwitchNeighbour or Witness.Forwarding)) return PinVerdict.Unseen;
        if (pin is not { } own) return PinVerdict.Moved;
        if (own == new PortPin(now.Switch, now.Port)) return PinVerdict.Agrees;
        // A cable that was moved leaves a port without a link behind, or one that another machine is on by now.
        if (readingOf(own.Switch)?.Snapshot.Port(own.Port) is not { HasLink: true }) return PinVerdict.Moved;
        return map.Placements.Values.Any(p => p.NodeId != now.NodeId && own == new PortPin(p.Switch, p.Port)) ? PinVerdict.Moved : PinVerdict.Elsewhere;
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
