namespace GridAppliance.Consoles.Record;

/// <summary>How much of a console is kept.</summary>
sealed record ConsoleRetention
{
    public long SegmentBytes { get; init; } = 4 << 20;
    public long TotalBytes { get; init; } = 64 << 20;
    public TimeSpan Age { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>A place in a console's record: between two entries.</summary>
readonly record struct RecordPosition(long Segment, long Offset);

/// <summary>
/// Appends to one console's record. Entries gather in memory until <see cref="Flush"/>; a crash loses at most what came after the last one, and the file is whole up to there. Owned by
/// one task.
/// </summary>
sealed class ConsoleRecordWriter : IDisposable
{
    readonly string directory;
    readonly ConsoleRetention retention;
    readonly TimeProvider time;
    /// <summary>A line's speed times the time between flushes fits several times over, for hundreds of consoles.</summary>
    const int LargestPiece = 16 * 1024;

    /// <summary>What is to be dropped by age is dropped file by file, so a file is not for longer than this.</summary>
    static readonly TimeSpan LongestSegment = TimeSpan.FromDays(1);

    readonly byte[] pending = new byte[2 * (LargestPiece + ConsoleFrame.Overhead)];
    int pendingLength;
    FileStream file;
    long number;
    DateTimeOffset began;

    ConsoleRecordWriter(string directory, ConsoleRetention retention, TimeProvider time, long number, FileStream file, DateTimeOffset began) =>
        (this.directory, this.retention, this.time, this.number, this.file, this.began) = (directory, retention, time, number, file, began);

    /// <summary>Where the next entry will stand, once everything is flushed.</summary>
    public RecordPosition Position => new(number, file.Position);

    /// <summary>Goes on where the record ends; a torn tail is cut off.</summary>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public static ConsoleRecordWriter Open(string directory, ConsoleRetention retention, TimeProvider time)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var number = ConsoleSegments.In(directory) is [.., var last] ? last.Number : 1;
        var file = OpenSegment(directory, number);
        var (length, began) = Intact(file, time.GetUtcNow());
        file.SetLength(length);
        file.Seek(0, SeekOrigin.End);
        return new(directory, retention, time, number, file, began);
    }

    public void Append(ConsoleEntryKind kind, DateTimeOffset at, ReadOnlySpan<byte> octets)
    {
        while (octets.Length > LargestPiece)
        {
            AppendPiece(kind, at, octets[..LargestPiece]);
            octets = octets[LargestPiece..];
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

    /// <summary>Waits until what was flushed is on the disk; from any thread.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Sync()
    {
        try
        {
            RandomAccess.FlushToDisk(Volatile.Read(ref file).SafeFileHandle);
        }
        catch (ObjectDisposedException)
        {
            // A file that was finished meanwhile went to the disk when it was.
        }
    }

    /// <summary>Ends a file that has gone on for long, and drops what is older than it should be.</summary>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Tidy()
    {
        Flush(toDisk: false);
        if (file.Position > 0 && time.GetUtcNow() - began >= LongestSegment) NextSegment();
        else Retain();
    }

    public void Dispose()
    {
        try
        {
            Flush(toDisk: true);
        }
        catch (IOException)
        {
            // Told of already, at the flush before.
        }
        file.Dispose();
    }

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
        // The new one first: where there is no room for it, the old one goes on.
        var next = OpenSegment(directory, number + 1);
        var before = file;
        Volatile.Write(ref file, next);
        before.Dispose();
        number++;
        began = time.GetUtcNow();
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

    static (long Length, DateTimeOffset Began) Intact(FileStream file, DateTimeOffset now)
    {
        var octets = new byte[file.Length];
        file.ReadExactly(octets);
        var (intact, began) = (0, now);
        while (ConsoleFrame.TryRead(octets.AsMemory(intact), out var entry, out var length) == ConsoleFrameResult.Entry)
        {
            if (intact == 0) began = entry.At;
            intact += length;
        }
        return (intact, began);
    }
}
