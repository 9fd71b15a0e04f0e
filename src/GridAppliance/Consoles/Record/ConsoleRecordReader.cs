using System.Runtime.CompilerServices;

namespace GridAppliance.Consoles.Record;

/// <summary>Reads a console's record from its files, while it is being written too.</summary>
static class ConsoleRecordReader
{
    /// <summary>Entries from <paramref name="since"/> on, oldest first, to the end as of now. A damaged or torn rest of a file is passed over, with a mark in its place.</summary>
    public static IAsyncEnumerable<ConsoleEntry> ReadAsync(string directory, DateTimeOffset since, CancellationToken cancellationToken) =>
        ReadAsync(directory, since, new(long.MaxValue, 0), cancellationToken);

    /// <summary>The same, up to <paramref name="until"/>.</summary>
    public static async IAsyncEnumerable<ConsoleEntry> ReadAsync(string directory, DateTimeOffset since, RecordPosition until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var segments = ConsoleSegments.In(directory);
        for (var i = 0; i < segments.Count && segments[i].Number <= until.Segment; i++)
        {
            // A file was last written when its successor began: the whole of an older one can be left alone.
            if (i + 1 < segments.Count && segments[i].File.LastWriteTimeUtc < since.UtcDateTime) continue;
            await foreach (var entry in ReadFileAsync(segments[i].File.FullName, segments[i].Number == until.Segment ? until.Offset : long.MaxValue, isLast: i + 1 == segments.Count, cancellationToken))
                if (entry.At >= since) yield return entry;
        }
    }

    static async IAsyncEnumerable<ConsoleEntry> ReadFileAsync(string path, long length, bool isLast, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A segment is bounded (a few MiB), so that reading it whole is both simple and quick.
        byte[] octets;
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            octets = new byte[Math.Min(file.Length, length)];
            await file.ReadExactlyAsync(octets, cancellationToken);
        }
        catch (FileNotFoundException)
        {
            // Retention took it between listing and opening.
            yield break;
        }
        var last = DateTimeOffset.UnixEpoch;
        for (var rest = octets.AsMemory(); !rest.IsEmpty;)
        {
            var result = ConsoleFrame.TryRead(rest, out var entry, out var size);
            if (result != ConsoleFrameResult.Entry)
            {
                if (result == ConsoleFrameResult.Damaged || !isLast) yield return new(ConsoleEntryKind.Mark, last, "the rest of this part of the record is damaged"u8.ToArray());
                yield break;
            }
            last = entry.At;
            yield return entry;
            rest = rest[size..];
        }
    }
}
