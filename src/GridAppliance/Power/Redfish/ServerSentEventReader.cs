using System.Buffers;

namespace GridAppliance.Power.Redfish;

/// <summary>Reads server-sent events (WHATWG HTML, section 9.2.6) from a peer that is not trusted with our memory: neither a line nor an event may be longer than <paramref name="most"/>.</summary>
sealed class ServerSentEventReader(Stream stream, int most)
{
    const int ReadSize = 4096;

    readonly byte[] buffer = new byte[most];
    readonly ArrayBufferWriter<byte> data = new();
    int start, end;

    /// <summary>The data of the next event; null when the stream has ended. What an event is called and which number it has is passed over.</summary>
    /// <exception cref="InvalidDataException">A line or an event is longer than allowed.</exception>
    public async Task<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            while (TryTakeLine(out var line))
            {
                if (line.Length > 0) Take(line);
                else if (data.WrittenCount > 0)
                {
                    var whole = data.WrittenSpan.ToArray();
                    data.ResetWrittenCount();
                    return whole;
                }
            }
            if (!await FillAsync(cancellationToken)) return null;
        }
    }

    bool TryTakeLine(out ReadOnlySpan<byte> line)
    {
        var waiting = buffer.AsSpan(start, end - start);
        var length = waiting.IndexOf((byte)'\n');
        line = length < 0 ? default : waiting[..length];
        if (length < 0) return false;
        start += length + 1;
        if (line.EndsWith("\r"u8)) line = line[..^1];
        return true;
    }

    void Take(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("data:"u8)) return;
        var value = line["data:".Length..];
        if (value.StartsWith(" "u8)) value = value[1..];
        if (data.WrittenCount + value.Length >= most) throw new InvalidDataException($"sends an event of more than {most} octets");
        if (data.WrittenCount > 0) data.Write("\n"u8);
        data.Write(value);
    }

    async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length) throw new InvalidDataException($"sends a line of more than {most} octets");
        var count = await stream.ReadAsync(buffer.AsMemory(end, Math.Min(ReadSize, buffer.Length - end)), cancellationToken);
        end += count;
        return count > 0;
    }
}
