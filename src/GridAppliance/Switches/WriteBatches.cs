using System.Collections.Immutable;
using GridAppliance.Protocols.Snmp;

namespace GridAppliance.Switches;

/// <summary>Packs single writes, in their order, into as few PDUs as go through.</summary>
sealed class WriteBatches(int room, int mostVarbinds)
{
    readonly List<VlanWrite> batches = [];
    readonly List<Varbind> set = [];
    readonly List<Varbind> undo = [];
    int size;

    /// <param name="write">What is written. Of two writes of one variable that come into the same PDU, which is done at once, the later is left.</param>
    /// <param name="before">What takes it back; null where nothing can.</param>
    /// <param name="andThen">What is written after that, to take it back.</param>
    public void Add(Varbind write, Varbind? before, Varbind? andThen = null)
    {
        var octets = Math.Max(write.EncodedLength, (before?.EncodedLength ?? 0) + (andThen?.EncodedLength ?? 0));
        if (set.FindIndex(v => v.Name == write.Name) is >= 0 and var at && set[at].EncodedLength == write.EncodedLength)
        {
            set[at] = write;
            return;
        }
        if (set.Count > 0 && (size + octets > room || set.Count >= mostVarbinds)) Flush();
        set.Add(write);
        undo.InsertRange(0, new[] { before, andThen }.OfType<Varbind>());
        size += octets;
    }

    public ImmutableArray<VlanWrite> Finish()
    {
        Flush();
        return [.. batches];
    }

    void Flush()
    {
        if (set.Count == 0) return;
        batches.Add(new([.. set], [.. undo]));
        set.Clear();
        undo.Clear();
        size = 0;
    }
}
