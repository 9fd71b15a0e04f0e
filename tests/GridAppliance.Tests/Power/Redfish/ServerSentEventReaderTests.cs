using System.Text;
using GridAppliance.Power.Redfish;

namespace GridAppliance.Tests.Power.Redfish;

public sealed class ServerSentEventReaderTests
{
    const string Sample = ": hello\r\n\r\nid: 1\r\nevent: x\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:two\n\nretry: 5\n\n";

    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    static async Task<List<string>> ReadAsync(Stream stream, int most = 1000)
    {
        List<string> events = [];
        var reader = new ServerSentEventReader(stream, most);
        while (await reader.ReadAsync(Patience) is { } data) events.Add(Encoding.UTF8.GetString(data));
        return events;
    }

    [Fact]
    public async Task Events_are_read_however_they_are_cut()
    {
        for (var piece = 1; piece < Sample.Length; piece++)
            Assert.Equal(["{\"a\":\n1}", "two"], await ReadAsync(new InPieces(Encoding.UTF8.GetBytes(Sample), piece)));
    }

    [Fact]
    public async Task An_event_that_is_cut_off_is_none()
    {
        for (var length = 0; length < Sample.Length; length++) Assert.InRange((await ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(Sample[..length])))).Count, 0, 2);
        Assert.Empty(await ReadAsync(new MemoryStream("data: half"u8.ToArray())));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task A_peer_cannot_fill_our_memory(string end)
    {
        var endless = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"data: {new string('x', 100)}{end}", 20)));
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(new MemoryStream(endless)));
    }

    [Fact]
    public async Task Noise_is_no_event_and_does_no_harm()
    {
        var random = new Random(8);
        for (var i = 0; i < 300; i++)
        {
            var octets = Encoding.UTF8.GetBytes(Sample);
            for (var flips = random.Next(1, 8); flips > 0; flips--) octets[random.Next(octets.Length)] = (byte)random.Next(256);
            Assert.InRange((await ReadAsync(new MemoryStream(octets))).Count, 0, 4);
        }
    }

    sealed class InPieces(byte[] octets, int piece) : MemoryStream(octets)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
