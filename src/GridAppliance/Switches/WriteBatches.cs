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

    public void Add(Varbind write, Varbind? before)
    {
        var octets = Math.Max(write.EncodedLength, before?.EncodedLength ?? 0);
        if (set.Count > 0 && (size + octets > room || set.Count >= mostVarbinds)) Flush();
        set.Add(write);
        if (before is { } known) undo.Insert(0, known);
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
