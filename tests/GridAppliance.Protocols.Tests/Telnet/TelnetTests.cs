using System.Text;
using GridAppliance.Protocols.Telnet;
using GridAppliance.Testing;
using Codes = GridAppliance.Protocols.Telnet.Telnet;

namespace GridAppliance.Protocols.Tests.Telnet;

public sealed class TelnetTests
{
    /// <summary>What ser2net 4.3.11 said to WILL COM-PORT, WILL BINARY, DO BINARY, DO SGA; then its answer to 19200 bits per second, and "hello", 255, CR, NUL, x.</summary>
    static readonly byte[] Ser2net = Convert.FromHexString("fffb03fffd03fffb01fffe01fffd00fffb00fffd2cfffa2c6b00fff0" + "fffa2c6500004b00fff0" + "68656c6c6fffff0d0078");

    /// <summary>Every token of a stream that comes in pieces, as text; data that touches is one.</summary>
    static string Read(IEnumerable<byte[]> pieces)
    {
        var reader = new TelnetReader();
        var tokens = new StringBuilder();
        var data = new List<byte>();
        foreach (var piece in pieces)
        {
            ReadOnlySpan<byte> rest = piece;
            while (reader.Read(ref rest, out var octets) is var token && token != TelnetToken.None)
            {
                if (token == TelnetToken.Data)
                {
                    data.AddRange(octets);
                    continue;
                }
                Tell();
                tokens.Append(token switch
                {
                    TelnetToken.Command => $"{reader.Command} ",
                    TelnetToken.Negotiation => $"{reader.Command}/{reader.Option} ",
                    TelnetToken.Subnegotiation => $"[{reader.Option}:{Convert.ToHexStringLower(octets)}] ",
                    TelnetToken.None or TelnetToken.Data => throw new InvalidOperationException(),
                });
            }
        }
        Tell();
        return tokens.ToString();

        void Tell()
        {
            if (data.Count > 0) tokens.Append($"'{Convert.ToHexStringLower([.. data])}' ");
            data.Clear();
        }
    }

    [Fact]
    public void What_ser2net_says_is_read() =>
        Assert.Equal("251/3 253/3 251/1 254/1 253/0 251/0 253/44 [44:6b00] [44:6500004b00] '68656c6c6fff0d0078' ", Read([Ser2net]));

    [Fact]
    public void A_stream_reads_the_same_wherever_it_is_cut()
    {
        var whole = Read([Ser2net]);
        for (var cut = 0; cut <= Ser2net.Length; cut++) Assert.Equal(whole, Read([Ser2net[..cut], Ser2net[cut..]]));
        Assert.Equal(whole, Read(Ser2net.Select(octet => new[] { octet })));
    }

    [Fact]
    public void Damage_never_throws_and_never_makes_more_than_came()
    {
        foreach (var damaged in Mutations.Of(Ser2net, 17, 3000).Concat(Mutations.Truncations(Ser2net)))
        {
            var reader = new TelnetReader();
            ReadOnlySpan<byte> rest = damaged;
            var data = 0;
            while (reader.Read(ref rest, out var octets) is var token && token != TelnetToken.None)
            {
                if (token == TelnetToken.Data) data += octets.Length;
                if (token == TelnetToken.Subnegotiation) ComPort.TryRead(octets, out _);
            }
            Assert.True(data <= damaged.Length);
            Assert.True(rest.IsEmpty);
        }
    }

    [Fact]
    public void A_subnegotiation_without_an_end_swallows_no_memory_and_one_too_long_is_passed_over()
    {
        byte[] endless = [Codes.Iac, Codes.Sb, 44, .. Enumerable.Repeat((byte)7, 100_000), Codes.Iac, Codes.Se, (byte)'x'];
        Assert.Equal("'78' ", Read([endless]));
        Assert.Equal("'78' ", Read([[Codes.Iac, Codes.Sb, Codes.Iac, Codes.Se, (byte)'x']]).Replace("[0:] ", "", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var octets = new byte[512];
        new Random(3).NextBytes(octets);
        octets.AsSpan(100, 20).Fill(255);
        var written = new byte[1100];
        Assert.Equal($"'{Convert.ToHexStringLower(octets)}' ", Read([written[..Codes.WriteData(written, octets, binary: true)]]));
        Assert.Equal("[44:01ff00ff00] ", Read([written[..ComPort.WriteBaudRate(written, 0xff00ff00)]]));
        Assert.Equal("[44:0505] ", Read([written[..ComPort.Write(written, ComPortCommand.SetControl, (byte)ComPortControl.BreakOn)]]));
        Assert.Equal("[31:00ff0032] ", Read([written[..Codes.WriteWindowSize(written, 255, 50)]]));
        Assert.Equal("0d00ffff", Convert.ToHexStringLower(written[..Codes.WriteData(written, [13, 255], binary: false)]));
    }

    [Fact]
    public void A_servers_words_of_its_port_are_read_and_others_are_not()
    {
        Assert.True(ComPort.TryRead([101, 0, 1, 0xc2, 0], out var speed));
        Assert.Equal(new(ComPortCommand.SetBaudRate, 115200), speed);
        Assert.True(ComPort.TryRead([108], out var suspend));
        Assert.Equal(ComPortCommand.SuspendFlow, suspend.Command);
        foreach (var wrong in (byte[][])[[], [1, 0, 0, 0, 0], [101, 1], [101, 1, 2, 3, 4, 5], [102], [102, 1, 2], [113, 1], [99, 1]]) Assert.False(ComPort.TryRead(wrong, out _));
    }

    [Fact]
    public void Two_ends_agree_and_then_fall_silent()
    {
        var ours = new TelnetOptions([Codes.Binary, Codes.ComPort], [Codes.Binary]);
        var theirs = new TelnetOptions([Codes.Binary], [Codes.ComPort, Codes.Binary]);
        ours.Offer(Codes.ComPort);
        ours.Offer(Codes.Binary);
        ours.Ask(Codes.Binary);
        ours.Ask(Codes.Echo);
        var said = new Queue<(bool ToThem, byte Verb, byte Option)>([(true, Codes.Will, Codes.ComPort), (true, Codes.Will, Codes.Binary), (true, Codes.Do, Codes.Binary), (true, Codes.Do, Codes.Echo)]);
        for (var turns = 0; said.TryDequeue(out var word); turns++)
        {
            Assert.True(turns < 20, "they go on for ever");
            if ((word.ToThem ? theirs : ours).Hear(word.Verb, word.Option) is { } reply) said.Enqueue((!word.ToThem, reply, word.Option));
        }
        Assert.True(ours.IsOurs(Codes.ComPort) && ours.IsOurs(Codes.Binary) && ours.IsTheirs(Codes.Binary));
        Assert.False(ours.IsTheirs(Codes.Echo));
    }

    [Fact]
    public void Whatever_is_heard_no_option_that_we_do_not_want_is_on()
    {
        var random = new Random(11);
        var options = new TelnetOptions([Codes.ComPort], [Codes.Binary]);
        for (var i = 0; i < 20_000; i++)
        {
            var (verb, option) = ((byte)random.Next(251, 255), (byte)random.Next(256));
            var first = options.Hear(verb, option);
            Assert.False(options.IsOurs(option) && option != Codes.ComPort || options.IsTheirs(option) && option != Codes.Binary);
            // Said again at once, an agreed one needs no answer.
            if (first is Codes.Will or Codes.Do) Assert.Null(options.Hear(verb, option));
        }
    }
}
