namespace GridAppliance.Consoles.Record;

/// <summary>How much of a console is kept.</summary>
sealed record ConsoleRetention
{
    public long SegmentBytes { get; init; } = 4 << 20;
    public long TotalBytes { get; init; } = 64 << 20;
    public TimeSpan Age { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>
/// Appends to one console's record. Entries gather in memory until <see cref="Flush"/>; a crash loses at most what came after the last one, and the file is whole up to there. Owned by
/// one task.
/// </summary>
sealed class ConsoleRecordWriter : IDisposable
{
    readonly string directory;
    readonly ConsoleRetention retention;
    readonly TimeProvider time;
    readonly byte[] pending = new byte[4 * (ConsoleFrame.MostOctets + ConsoleFrame.Overhead)];
    int pendingLength;
    FileStream file;
    long number;

    ConsoleRecordWriter(string directory, ConsoleRetention retention, TimeProvider time, long number, FileStream file) =>
        (this.directory, this.retention, this.time, this.number, this.file) = (directory, retention, time, number, file);

    /// <summary>Goes on where the record ends; a torn tail is cut off.</summary>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public static ConsoleRecordWriter Open(string directory, ConsoleRetention retention, TimeProvider time)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var number = ConsoleSegments.In(directory) is [.., var last] ? last.Number : 1;
        var file = OpenSegment(directory, number);
        file.SetLength(IntactLength(file));
        file.Seek(0, SeekOrigin.End);
        return new(directory, retention, time, number, file);
    }

    public void Append(ConsoleEntryKind kind, DateTimeOffset at, ReadOnlySpan<byte> octets)
    {
        while (octets.Length > ConsoleFrame.MostOctets)
        {
            AppendPiece(kind, at, octets[..ConsoleFrame.MostOctets]);
            octets = octets[ConsoleFrame.MostOctets..];
        }
        AppendPiece(kind, at, octets);
    }

    /// <summary>Hands everything to the kernel (safe from <c>kill -9</c>); with <paramref name="toDisk"/> to the disk (safe from a power cut).</summary>
    /// <exception cref="IOException">The disk is full or gone; what was pending stays pending, and is dropped oldest first when there is no more room for it.</exception>
    public void Flush(bool toDisk)
    {
        if (pendingLength > 0)
        {
            var start = file.Position;
            try
            {
                file.Write(pending, 0, pendingLength);
            }
            catch (IOException)
            {
                // Half an entry must not stay: the next one would be read as part of it.
                file.SetLength(start);
                file.Seek(start, SeekOrigin.Begin);
                throw;
            }
            pendingLength = 0;
        }
        if (toDisk) file.Flush(flushToDisk: true);
        if (file.Position >= retention.SegmentBytes) NextSegment();
    }

    public void Dispose() => file.Dispose();

    void AppendPiece(ConsoleEntryKind kind, DateTimeOffset at, ReadOnlySpan<byte> octets)
    {
        if (pendingLength + octets.Length + ConsoleFrame.Overhead > pending.Length)
        {
            try
            {
                Flush(toDisk: false);
            }
            catch (IOException)
            {
                pendingLength = ConsoleFrame.Write(pending, ConsoleEntryKind.Mark, at, "output was lost here: the record could not be written"u8);
            }
        }
        pendingLength += ConsoleFrame.Write(pending.AsSpan(pendingLength), kind, at, octets);
    }

    void NextSegment()
    {
        file.Flush(flushToDisk: true);
        file.Dispose();
        file = OpenSegment(directory, ++number);
        Retain();
    }

    void Retain()
    {
        var segments = ConsoleSegments.In(directory);
        var total = segments.Sum(s => s.File.Length);
        var oldest = time.GetUtcNow().UtcDateTime - retention.Age;
        foreach (var (segmentNumber, segment) in segments)
        {
            if (segmentNumber == number || (total <= retention.TotalBytes && segment.LastWriteTimeUtc >= oldest)) break;
            total -= segment.Length;
            segment.Delete();
        }
    }

    static FileStream OpenSegment(string directory, long number) =>
        // No buffer of its own: ours decides what is written together, so that a file ends at an entry's end.
        new(ConsoleSegments.PathOf(directory, number), new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read | FileShare.Delete, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });

    static long IntactLength(FileStream file)
    {
        var octets = new byte[file.Length];
        file.ReadExactly(octets);
        var intact = 0;
        while (ConsoleFrame.TryRead(octets.AsMemory(intact), out _, out var length) == ConsoleFrameResult.Entry) intact += length;
        return intact;
    }
}
