using System.Text;
using GridAppliance.Consoles.Record;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Consoles;

public sealed class ConsoleRecordTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
    readonly ManualClock clock = new();

    public void Dispose() => Directory.Delete(directory, recursive: true);

    ConsoleRecordWriter Open(ConsoleRetention? retention = null) => ConsoleRecordWriter.Open(directory, retention ?? new(), clock);

    async Task<List<string>> ReadAsync(DateTimeOffset since = default)
    {
        var found = new List<string>();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, since, default)) found.Add($"{entry.Kind}:{Encoding.UTF8.GetString(entry.Octets.Span)}");
        return found;
    }

    [Fact]
    public async Task What_was_flushed_is_read_back_in_order_with_its_time()
    {
        using var writer = Open();
        writer.Append(ConsoleEntryKind.Mark, clock.GetUtcNow(), "connected"u8);
        clock.Advance(TimeSpan.FromSeconds(10));
        var later = clock.GetUtcNow();
        writer.Append(ConsoleEntryKind.Output, later, "hello"u8);
        writer.Flush(toDisk: true);

        Assert.Equal(["Mark:connected", "Output:hello"], await ReadAsync());
        Assert.Equal(["Output:hello"], await ReadAsync(later));
    }

    [Fact]
    public async Task A_record_cut_off_anywhere_is_whole_up_to_there_and_goes_on_after_a_restart()
    {
        using (var writer = Open())
        {
            for (var i = 0; i < 5; i++) writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), Encoding.UTF8.GetBytes($"line {i}"));
            writer.Flush(toDisk: true);
        }
        var file = Assert.Single(Directory.GetFiles(directory));
        var whole = await File.ReadAllBytesAsync(file);
        var entryLength = whole.Length / 5;
        for (var length = 0; length <= whole.Length; length++)
        {
            await File.WriteAllBytesAsync(file, whole[..length]);
            using (var writer = Open())
            {
                writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), "after"u8);
                writer.Flush(toDisk: false);
            }
            var expected = Enumerable.Range(0, length / entryLength).Select(i => $"Output:line {i}").Append("Output:after");
            Assert.Equal(expected, await ReadAsync());
        }
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_never_yields_a_wrong_entry()
    {
        using (var writer = Open())
        {
            for (var i = 0; i < 3; i++) writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), Encoding.UTF8.GetBytes($"line {i}"));
            writer.Flush(toDisk: true);
        }
        var file = Assert.Single(Directory.GetFiles(directory));
        var whole = await File.ReadAllBytesAsync(file);
        for (var bit = 0; bit < whole.Length * 8; bit++)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            await File.WriteAllBytesAsync(file, damaged);
            var outputs = (await ReadAsync()).Where(e => e.StartsWith("Output", StringComparison.Ordinal)).ToList();
            Assert.Equal(Enumerable.Range(0, outputs.Count).Select(i => $"Output:line {i}"), outputs);
        }
    }

    [Fact]
    public async Task Old_segments_go_when_the_record_is_larger_than_allowed()
    {
        using var writer = Open(new() { SegmentBytes = 1000, TotalBytes = 3000 });
        for (var i = 0; i < 100; i++)
        {
            writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), Encoding.UTF8.GetBytes($"{i,100}"));
            writer.Flush(toDisk: false);
        }

        Assert.InRange(Directory.GetFiles(directory).Sum(f => new FileInfo(f).Length), 1, 4200);
        Assert.Equal("99", (await ReadAsync())[^1]["Output:".Length..].Trim());
    }

    [Fact]
    public async Task A_day_is_a_file_and_files_go_when_they_are_older_than_allowed()
    {
        using var writer = Open(new() { Age = TimeSpan.FromDays(3) });
        var began = clock.GetUtcNow().UtcDateTime;
        for (var day = 0; day < 3; day++)
        {
            writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), Encoding.UTF8.GetBytes($"day {day}"));
            writer.Flush(toDisk: false);
            // Files have the time of the disk, which is not this clock's.
            File.SetLastWriteTimeUtc(Directory.GetFiles(directory).Order().Last(), began.AddDays(day));
            clock.Advance(TimeSpan.FromDays(1));
            writer.Tidy();
        }
        Assert.Equal(["Output:day 0", "Output:day 1", "Output:day 2"], await ReadAsync());

        clock.Advance(TimeSpan.FromHours(1));
        writer.Tidy();
        Assert.Equal(["Output:day 1", "Output:day 2"], await ReadAsync());
    }

    [Fact]
    public async Task A_burst_larger_than_the_buffer_is_cut_into_pieces_and_nothing_is_lost()
    {
        var burst = new byte[1_000_000];
        new Random(1).NextBytes(burst);
        using var writer = Open();
        writer.Append(ConsoleEntryKind.Output, clock.GetUtcNow(), burst);
        writer.Flush(toDisk: false);

        var back = new MemoryStream();
        await foreach (var entry in ConsoleRecordReader.ReadAsync(directory, default, default)) back.Write(entry.Octets.Span);
        Assert.Equal(burst, back.ToArray());
    }
}
