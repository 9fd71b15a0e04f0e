using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace GridAppliance.Agent.Modules.Changes;

/// <summary>
/// The journal on disk: one line a record, <c>CRC-32C in hex, space, JSON</c>, appended and flushed before the change that it tells of. A line cut off at the end is a change that
/// was never begun and is dropped; a damaged line before the end is refused, since what follows could not be undone in order.
/// </summary>
sealed class ChangeJournal(string file)
{
    /// <exception cref="IOException">A record in the middle is damaged.</exception>
    public List<ChangeRecord> Read()
    {
        var records = new List<ChangeRecord>();
        if (DurableFile.Read(file) is not { } content) return records;
        var good = 0;
        while (good < content.Length)
        {
            var end = content.AsSpan(good).IndexOf((byte)'\n');
            var record = end < 0 ? null : Parse(content.AsSpan(good, end));
            if (record is null)
            {
                if (end >= 0 && good + end + 1 < content.Length) throw new IOException($"the change journal is damaged at octet {good}");
                break;
            }
            records.Add(record);
            good += end + 1;
        }
        if (good < content.Length)
            using (var torn = new FileStream(file, FileMode.Open, FileAccess.Write)) torn.SetLength(good);
        return records;
    }

    public void Append(ChangeRecord record)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.Append, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        var end = stream.Length;
        try
        {
            stream.Write(Line(record));
            stream.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // Half a line in the middle would make the whole journal unreadable.
            stream.SetLength(end);
            throw;
        }
    }

    /// <summary>Forgets everything: nothing is held any more.</summary>
    public void Clear() => DurableFile.Delete(file);

    static byte[] Line(ChangeRecord record)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(record, WrittenJson.Default.ChangeRecord);
        return [.. Encoding.ASCII.GetBytes(Checksum(json).ToString("x8", CultureInfo.InvariantCulture)), (byte)' ', .. json, (byte)'\n'];
    }

    static ChangeRecord? Parse(ReadOnlySpan<byte> line)
    {
        if (line.Length < 10 || line[8] != ' ' || !uint.TryParse(line[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var checksum) || Checksum(line[9..]) != checksum) return null;
        try { return JsonSerializer.Deserialize(line[9..], ReadJson.Default.ChangeRecord); }
        catch (JsonException) { return null; }
    }

    static uint Checksum(ReadOnlySpan<byte> octets)
    {
        var sum = uint.MaxValue;
        foreach (var octet in octets) sum = BitOperations.Crc32C(sum, octet);
        return ~sum;
    }
}
