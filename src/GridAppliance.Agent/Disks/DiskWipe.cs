using GridAppliance.Agent.Modules;
using GridAppliance.Api.Agents;
using GridAppliance.Protocols.Disks;
using Microsoft.Win32.SafeHandles;

namespace GridAppliance.Agent.Disks;

/// <summary>
/// Takes from a disk what an installation wrote, and reads back that it is gone. Quick: both ends of the disk and of each partition, which is where every table and file system begins, after a discard of the
/// whole where the disk offers one. Full: every octet. It looks at nothing but the disk's identity, so one that was broken off is simply begun again.
/// </summary>
/// <param name="find">The disk that an order means.</param>
/// <param name="say">How far it is, for people.</param>
sealed class DiskWipe(Func<DiskOrder, CancellationToken, Task<DiskDevice?>> find, Action<string?> say)
{
    const int End = 1 << 20, Stride = 64 << 20;

    public async Task<ModuleOutcome> RunAsync(DiskOrder order, CancellationToken cancellationToken) =>
        await find(order, cancellationToken) is { } disk ? await Task.Run(() => Run(order, disk, cancellationToken), cancellationToken) : ModuleOutcome.Refused(DiskInstall.Missing(order));

    ModuleOutcome Run(DiskOrder order, DiskDevice disk, CancellationToken cancellationToken)
    {
        try
        {
            using var file = disk.OpenAlone();
            IReadOnlyList<(long Offset, long Length)> ranges = order.Full ? [.. Strides(disk.Size)] : QuickRanges(order, disk, DiskContent.Of(disk, file).Table);
            if (!order.Full) disk.Discard(file);
            ForEach(ranges, "wiping", disk, range => disk.Zero(file, range.Offset, range.Length), cancellationToken);
            DiskDevice.ForgetCache(file, disk.Name);
            var buffer = new byte[End];
            ForEach(ranges, "reading back", disk, range => Verify(disk, file, range, buffer), cancellationToken);
            disk.PartitionAsync(file, [], cancellationToken).GetAwaiter().GetResult();
            return ModuleOutcome.Done(order.Full ? $"every one of {disk.Size} octets of {disk.Name} reads back as zero" : $"{ranges.Sum(range => range.Length)} octets at the ends of {disk.Name} and of its partitions read back as zero");
        }
        catch (IOException e)
        {
            return ModuleOutcome.Refused($"{disk.Name} is not wiped: {e.Message}");
        }
        finally
        {
            say(null);
        }
    }

    /// <summary>The partitions that were made there, and those that are there now; the disk's own ends last, so that a wipe that is broken off leaves a disk that still says what it is.</summary>
    static IReadOnlyList<(long, long)> QuickRanges(DiskOrder order, DiskDevice disk, GuidPartitionTable? now)
    {
        var ours = Guid.TryParse(order.Id, out var id) ? DiskLayout.For(id, disk.Size, disk.SectorSize) : null;
        return
        [
            .. new[] { ours, now }.OfType<GuidPartitionTable>().SelectMany(table => table.Partitions).Distinct().SelectMany(partition => EndsOf(partition.First * disk.SectorSize, (partition.Last + 1) * disk.SectorSize))
                .Where(range => range.Item1 + range.Item2 <= disk.Size).Distinct(),
            .. EndsOf(0, disk.Size),
        ];
    }

    static IEnumerable<(long, long)> EndsOf(long from, long to) =>
        to - from <= 2 * End ? [(from, to - from)] : [(from, End), (to - End, End)];

    static IEnumerable<(long, long)> Strides(long size)
    {
        for (long at = 0; at < size; at += Stride) yield return (at, Math.Min(Stride, size - at));
    }

    void ForEach(IReadOnlyList<(long Offset, long Length)> ranges, string what, DiskDevice disk, Action<(long Offset, long Length)> act, CancellationToken cancellationToken)
    {
        var told = -1;
        for (var i = 0; i < ranges.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (i * 100 / ranges.Count is var percent && percent != told) say($"{what} {disk.Name}, {told = percent} %");
            act(ranges[i]);
        }
    }

    static void Verify(DiskDevice disk, SafeFileHandle file, (long Offset, long Length) range, byte[] buffer)
    {
        for (var at = range.Offset; at < range.Offset + range.Length;)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, range.Offset + range.Length - at)), at);
            if (read == 0) throw new IOException($"it ends at octet {at}, before its own size");
            if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0) is >= 0 and var bad) throw new IOException($"octet {at + bad} reads back as {buffer[bad]} and not as zero");
            at += read;
        }
    }
}
