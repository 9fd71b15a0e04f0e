namespace GridAppliance.Agent.Modules.Changes;

/// <summary>
/// What the journal says, as a pure reading of its records. Several installations may hold one thing, all wanting it the same way (another wish is a clash, refused before
/// it is written); how it was before the first of them is how it is made again when the last has gone, whatever the order in which they go.
/// </summary>
static class HeldChanges
{
    /// <summary>The intentions that nobody has undone.</summary>
    public static List<ChangeRecord> Live(IReadOnlyList<ChangeRecord> records)
    {
        var undone = records.Select(record => record.Undoes).OfType<long>().ToHashSet();
        return [.. records.Where(record => record.Undoes is null && !undone.Contains(record.Sequence))];
    }

    /// <summary>How a thing was before the first of those that hold it now, or held it on and on until now.</summary>
    public static string? Original(IReadOnlyList<ChangeRecord> records, ChangeKind kind, string target)
    {
        var holding = new HashSet<long>();
        string? original = null;
        foreach (var record in records)
        {
            if (record.Undoes is { } undone)
            {
                holding.Remove(undone);
                continue;
            }
            if (record.Kind != kind || record.Target != target) continue;
            if (holding.Count == 0) original = record.Before;
            holding.Add(record.Sequence);
        }
        return original;
    }

    /// <summary>Whether nobody else holds what this intention is about.</summary>
    public static bool IsLast(IReadOnlyList<ChangeRecord> records, ChangeRecord record) =>
        !Live(records).Any(other => other.Sequence != record.Sequence && other.Kind == record.Kind && other.Target == record.Target);
}
