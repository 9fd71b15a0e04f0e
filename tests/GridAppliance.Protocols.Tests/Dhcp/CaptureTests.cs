using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Dhcp;

/// <summary>Every captured message against what an independent decoder made of it, and every damaged form of it against the reader's promise not to throw.</summary>
public sealed class CaptureTests
{
    public static TheoryData<string> Captures => [.. SharedCases.DhcpCaptures];


    static List<PcapFile.UdpPayload> Messages(string name) =>
        [.. PcapFile.Read(SharedCases.DhcpCapture(name)).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>().Where(u => u.DestinationPort is 67 or 68 or 4011 || u.SourcePort is 67 or 4011)];

    [CaseTheory, MemberData(nameof(Captures))]
    public void Every_captured_message_reads_as_the_independent_decoder_read_it(string name)
    {
        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf(name + ".facts.json")));
        var messages = Messages(name).ToDictionary(m => m.Frame);
        var checkedMessages = 0;
        foreach (var expected in facts.RootElement.EnumerateArray())
        {
            if (!expected.TryGetProperty("xid", out _)) continue;
            var payload = messages[expected.GetProperty("frame").GetInt32()];
            Assert.Equal(expected.GetProperty("udp_payload_len").GetInt32(), payload.Data.Length);
            var isRead = DhcpMessage.TryRead(payload.Data, out var message, out var defect);
            checkedMessages++;
            if (expected.TryGetProperty("cookie", out _))
            {
                // The capture holds two messages whose cookie is out of place; the decoder wrote down what it found instead.
                Assert.Equal(DhcpDefect.NoCookie, defect);
                continue;
            }
            Assert.True(isRead, $"frame {payload.Frame}: {defect}");
            Assert.Equal(Normalise(expected), Describe(message));
        }
        Assert.NotEqual(0, checkedMessages);
    }

    [CaseTheory, MemberData(nameof(Captures))]
    public void A_message_written_again_from_what_was_read_is_the_same_message(string name)
    {
        var buffer = new byte[2048];
        foreach (var payload in Messages(name))
        {
            if (!DhcpMessage.TryRead(payload.Data, out var message, out var damage)) { Assert.Equal(DhcpDefect.NoCookie, damage); continue; }
            if (message.Has(DhcpOption.Overload)) continue;
            var writer = new DhcpWriter(buffer, message.Operation)
            {
                Hops = message.Hops,
                TransactionId = message.TransactionId,
                Seconds = message.Seconds,
                Flags = message.Flags,
                ClientAddress = message.ClientAddress,
                YourAddress = message.YourAddress,
                NextServer = message.NextServer,
                RelayAddress = message.RelayAddress,
                Mac = message.Mac!.Value,
                BootFile = message.BootFile,
            };
            foreach (var option in message.Options) writer.Option(option.Code, option.Value);
            Assert.True(DhcpMessage.TryRead(buffer.AsSpan(0, writer.Finish()), out var copy, out var defect), defect.ToString());
            Assert.Equal(Describe(message, serverName: false), Describe(copy, serverName: false));
            // Golden octets: the whole front matter but sname and file, whose tails may hold leftovers, and the options octet by octet.
            Assert.Equal(payload.Data[..44], buffer[..44]);
            var wire = payload.Data.AsSpan(236);
            if (!wire[4..^1].Contains((byte)0)) Assert.Equal(wire.TrimEnd((byte)0).ToArray(), buffer.AsSpan(236, writer.Finish() - 236).TrimEnd((byte)0).ToArray()[..wire.TrimEnd((byte)0).Length]);
        }
    }

    [CaseTheory, MemberData(nameof(Captures))]
    public void Every_truncation_is_refused_or_read_but_never_throws(string name)
    {
        foreach (var payload in Messages(name))
        {
            foreach (var prefix in Mutations.Truncations(payload.Data))
            {
                var read = ReadEverything(prefix, out var defect);
                Assert.Equal(read, defect == DhcpDefect.None);
                if (prefix.Length < DhcpMessage.HeaderLength) Assert.Equal(DhcpDefect.TooShort, defect);
            }
        }
    }

    [CaseTheory, MemberData(nameof(Captures))]
    public void Damaged_messages_are_refused_or_read_but_never_throw(string name)
    {
        var (refused, read) = (0, 0);
        foreach (var payload in Messages(name))
        {
            foreach (var damaged in Mutations.Of(payload.Data, seed: 20261121 + payload.Frame, count: 2000))
            {
                if (ReadEverything(damaged, out _)) read++;
                else refused++;
            }
        }
        Assert.True(refused > 0 && read > 0, $"{refused} refused, {read} read: the damage tests nothing");
    }

    [CaseFact]
    public void The_fuzz_corpus_is_refused_or_read_but_never_throws()
    {
        var payloads = PcapFile.Read(SharedCases.DhcpPathOf("dhcp-fuzz.pcapng")).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>().ToList();
        Assert.NotEmpty(payloads);
        foreach (var payload in payloads)
        {
            ReadEverything(payload.Data, out _);
            foreach (var damaged in Mutations.Of(payload.Data, seed: payload.Frame, count: 200)) ReadEverything(damaged, out _);
        }
    }

    static bool ReadEverything(byte[] packet, out DhcpDefect defect)
    {
        if (!DhcpMessage.TryRead(packet, out var message, out defect)) return false;
        _ = Describe(message);
        _ = BootClient.Read(message);
        Span<byte> scratch = stackalloc byte[64];
        for (var code = 1; code < 255; code++)
        {
            message.TryGet((DhcpOption)code, scratch, out _);
            message.Address((DhcpOption)code);
            message.UInt16((DhcpOption)code);
            message.UInt32((DhcpOption)code);
            message.Byte((DhcpOption)code);
        }
        foreach (var option in message.Options)
        {
            foreach (var framing in Enum.GetValues<DhcpSuboptions.Framing>())
            {
                foreach (var suboption in new DhcpSuboptions(option.Value, framing)) _ = suboption.Value.Length;
            }
            var routes = option.Value;
            while (ClasslessRoute.TryTake(ref routes, out _)) { }
        }
        return true;
    }

    /// <summary>The decoder's facts in one line of text, so that a difference shows whole.</summary>
    static string Normalise(JsonElement facts)
    {
        string Text(string key) => facts.TryGetProperty(key, out var value) ? value.ToString() : "";
        var options = string.Join(' ', facts.GetProperty("options").EnumerateArray().Select(o => o.GetString()!.Replace("@sname", "").Replace("@file", "")));
        return $"{Text("op")} {Text("hops")} {Text("xid")} {Text("secs")} {Text("flags")} {Text("ciaddr")} {Text("yiaddr")} {Text("siaddr")} {Text("giaddr")} {Text("chaddr")}"
            + $" sname={Text("sname")} file={Text("file")} {options}";
    }

    static string Describe(in DhcpMessage message, bool serverName = true)
    {
        var options = new StringBuilder();
        foreach (var option in message.Options) options.Append($" {(int)option.Code}={Convert.ToHexStringLower(option.Value)}");
        var mac = string.Join(':', message.HardwareAddress.ToArray().Select(b => b.ToString("x2")));
        return $"{(int)message.Operation} {message.Hops} {message.TransactionId:x8} {message.Seconds} {message.Flags:x4} {message.ClientAddress} {message.YourAddress} {message.NextServer}"
            + $" {message.RelayAddress} {mac} sname={(serverName ? Encoding.Latin1.GetString(message.ServerName) : "")} file={Encoding.Latin1.GetString(message.BootFile)}{options}";
    }
}
