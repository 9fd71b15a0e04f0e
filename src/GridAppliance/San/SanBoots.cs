using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using GridAppliance.Boot;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;

namespace GridAppliance.San;

/// <summary>A node's LUN: a clone of a golden image, and the zone that lets the node in.</summary>
/// <param name="Kernel">Our kernel, with its root on the LUN, instead of what the LUN itself would load.</param>
sealed record SanBootRecord(Guid Node, string Fabric, string Image, string File, string Zone, string Initiator, bool Kernel = false);

/// <summary>
/// Nodes that boot from a LUN of their own. The clone is made first, then the zone, then the node is told of it; taken away in the other order, so that nobody is ever told of what
/// does not let him in.
/// </summary>
sealed class SanBoots
{
    public static IReadOnlyList<Migration> Migrations { get; } = [new("san-boot-1", "CREATE TABLE san_boot(node TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;")];

    const string Golden = "golden", Clones = "clones";

    readonly Database database;
    readonly SanFabrics fabrics;
    readonly NodeDirectory nodes;
    readonly SanBootState state;
    readonly Timeline timeline;
    readonly ApplianceOptions options;
    readonly SemaphoreSlim changing = new(1, 1);
    ImmutableDictionary<Guid, SanBootRecord> current;

    public SanBoots(Database database, SanFabrics fabrics, NodeDirectory nodes, SanBootState state, Timeline timeline, ApplianceOptions options)
    {
        (this.database, this.fabrics, this.nodes, this.state, this.timeline, this.options) = (database, fabrics, nodes, state, timeline, options);
        current = database.Read(static connection => connection.Query("SELECT body FROM san_boot", static row => JsonSerializer.Deserialize(row.GetString(0), SanBootJson.Default.SanBootRecord)!)).ToImmutableDictionary(r => r.Node);
        Publish();
    }

    public IReadOnlyDictionary<Guid, SanBootRecord> Current => Volatile.Read(ref current);

    /// <summary>Gives a node a clone of an image, and has it boot from that.</summary>
    /// <returns>Why not; null when it does from its next boot on.</returns>
    public async Task<string?> AssignAsync(Node node, string fabricName, string image, bool kernel, string actor, CancellationToken cancellationToken)
    {
        if (!fabrics.Current.TryGetValue(fabricName, out var found)) return $"there is no storage fabric '{fabricName}'";
        if (found.Fabric is not IBootableFabric fabric) return $"{fabricName} serves no files of this machine: nodes boot from lio+iscsi and tgt+unix fabrics";
        if (image.Length is 0 or > 128 || !image.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || image[0] == '.') return $"'{image}' is no name of an image";
        var golden = Path.Combine(fabric.Directory, Golden, image);
        if (!File.Exists(golden)) return $"there is no golden image {golden}";
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (current.TryGetValue(node.Id, out var before)) return $"{node.Name} boots from a clone of {before.Image} already";
            var record = new SanBootRecord(node.Id, found.Record.Name, image, Path.Combine(fabric.Directory, Clones, $"{node.Id:n}.img"), $"{SanNames.Prefix}boot-{node.Id:n}", InitiatorOf(node), kernel);
            Clone(golden, record.File);
            var outcome = await fabric.ConnectAsync(new(record.Zone, [record.Initiator], [record.File]), CancellationToken.None);
            await fabrics.TellAsync(record.Fabric, record.Zone, "in force", outcome, actor, CancellationToken.None);
            if (outcome.Ending is not (SanEnding.Done or SanEnding.Unchanged))
            {
                File.Delete(record.File);
                return outcome.Reason;
            }
            await database.WriteAsync(connection => connection.Run("INSERT INTO san_boot(node, body) VALUES ($node, $body)", ("$node", node.Id.ToString()), ("$body", JsonSerializer.Serialize(record, SanBootJson.Default.SanBootRecord))), CancellationToken.None);
            Volatile.Write(ref current, current.Add(node.Id, record));
            Publish();
            await timeline.AppendAsync(NewEvent.About(node, "node.lun", $"boots {(kernel ? "our kernel with its root on" : "from")} a LUN of its own, a clone of {image} on {record.Fabric}") with { Actor = actor }, CancellationToken.None);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{image} cannot be cloned: {e.Message}";
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Takes a node's LUN away, and has it boot as others do.</summary>
    /// <returns>Why not; null when it is so.</returns>
    public async Task<string?> ReleaseAsync(Node node, bool keepClone, string actor, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (!current.TryGetValue(node.Id, out var record)) return $"{node.Name} has no LUN";
            // Not told of it any more before it is shut out of it.
            await database.WriteAsync(connection => connection.Run("DELETE FROM san_boot WHERE node = $node", ("$node", node.Id.ToString())), CancellationToken.None);
            Volatile.Write(ref current, current.Remove(node.Id));
            Publish();
            if (fabrics.Current.TryGetValue(record.Fabric, out var found))
            {
                var outcome = await found.Fabric.DisconnectAsync(record.Zone, CancellationToken.None);
                await fabrics.TellAsync(record.Fabric, record.Zone, "taken away", outcome, actor, CancellationToken.None);
                if (outcome.Ending is not (SanEnding.Done or SanEnding.Unchanged)) return $"its zone is still there: {outcome.Reason}";
            }
            if (!keepClone) File.Delete(record.File);
            await timeline.AppendAsync(NewEvent.About(node, "node.lun-gone", $"its LUN was taken away{(keepClone ? $"; the clone stays at {record.File}" : "")}") with { Actor = actor }, CancellationToken.None);
            return null;
        }
        finally
        {
            changing.Release();
        }
    }

    string InitiatorOf(Node node) => $"iqn.2026-11.lan.{options.Name.ToLowerInvariant()}:node-{node.Id:n}";

    // The kernel shares the blocks where the file system can; a clone that is cut short is never served.
    static void Clone(string golden, string clone)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(clone)!);
        var unfinished = clone + ".part";
        File.Copy(golden, unfinished, overwrite: true);
        File.Move(unfinished, clone, overwrite: true);
    }

    void Publish()
    {
        var luns = new Dictionary<MacAddress, SanBootTarget>();
        foreach (var record in Current.Values)
        {
            if (nodes.Current.Find(record.Node) is not { } node || !fabrics.Current.TryGetValue(record.Fabric, out var found) || found.Fabric is not IBootableFabric fabric) continue;
            var path = fabric.PathOf(record.Zone, record.Initiator);
            var portal = path.Portal is { } endpoint ? Ipv4Address.From(endpoint.Address) : null;
            foreach (var mac in node.Macs) luns[mac] = new(node.Id, portal, path.Port, path.FirstLun, path.Target, record.Initiator, record.Kernel, path.Account.User, path.Account.Password);
        }
        state.Current = luns.ToFrozenDictionary();
    }
}

[JsonSourceGenerationOptions]
[JsonSerializable(typeof(SanBootRecord))]
sealed partial class SanBootJson : JsonSerializerContext;
