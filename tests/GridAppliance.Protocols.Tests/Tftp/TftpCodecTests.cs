using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Tftp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Tftp;

public sealed class TftpCodecTests
{
    static JsonElement Facts => JsonDocument.Parse(File.ReadAllBytes(SharedCases.PathOf("vectors/tftp-rfc-facts.json"))).RootElement;

    static string Fixture(string name) => SharedCases.PathOf("pcap/" + name.Replace("dhcp/", "pxe/", StringComparison.Ordinal));

    /// <summary>TFTP datagrams of a capture, both directions, in order.</summary>
    static List<byte[]> Packets(string capture, params int[] serverPorts)
    {
        var talking = new HashSet<int>();
        var packets = new List<byte[]>();
        foreach (var udp in PcapFile.Read(Fixture(capture)).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>())
        {
            if (serverPorts.Contains(udp.DestinationPort)) talking.Add(udp.SourcePort);
            else if (!talking.Contains(udp.SourcePort) && !talking.Contains(udp.DestinationPort)) continue;
            packets.Add(udp.Data);
        }
        return packets;
    }

    public static TheoryData<string, int> Captures => new()
    {
        { "tftp/atftp_windowsize.pcap", 9069 }, { "tftp/tftphpa_client.pcap", 9069 }, { "tftp/tcpdump-tftp.pcap", 69 },
        { "dhcp/A_bios_ipxe_dnsmasq.pcap", 69 }, { "dhcp/B_ovmf_pxe_dnsmasq.pcap", 69 }, { "tftp/ndpi-tftp.pcap", 69 },
    };

    [CaseTheory]
    [MemberData(nameof(Captures))]
    public void Every_packet_of_a_capture_reads_and_writes_back_the_same_octets(string capture, int port)
    {
        var packets = Packets(capture, port);
        Assert.NotEmpty(packets);
        var kinds = new HashSet<TftpOpcode>();
        foreach (var packet in packets)
        {
            Assert.True(TftpPacket.TryReadOpcode(packet, out var opcode, out _), Convert.ToHexString(packet));
            if (opcode == TftpOpcode.ReadRequest && packet[2] == 0)
            {
                Assert.False(TftpRequest.TryRead(packet, out _, out var defect));
                Assert.Equal(TftpDefect.EmptyFileName, defect);
                continue;
            }
            kinds.Add(opcode);
            Assert.Equal(Convert.ToHexString(packet), Convert.ToHexString(WriteBack(opcode, packet)));
        }
        Assert.Contains(TftpOpcode.ReadRequest, kinds);
        Assert.Contains(TftpOpcode.Data, kinds);
        Assert.Contains(TftpOpcode.Acknowledgement, kinds);
    }

    /// <summary>Options come back in our own order, so those packets are compared sorted by option.</summary>
    static byte[] WriteBack(TftpOpcode opcode, byte[] packet)
    {
        var buffer = new byte[70000];
        switch (opcode)
        {
            case TftpOpcode.ReadRequest or TftpOpcode.WriteRequest:
                Assert.True(TftpRequest.TryRead(packet, out var request, out _));
                return Reorder(packet, buffer[..request.Write(buffer)]);
            case TftpOpcode.OptionAcknowledgement:
                Assert.True(TftpPacket.TryReadOptionAcknowledgement(packet, out var options, out _));
                return Reorder(packet, buffer[..TftpPacket.WriteOptionAcknowledgement(buffer, options)]);
            case TftpOpcode.Data:
                Assert.True(TftpPacket.TryReadData(packet, out var block, out var payload, out _));
                TftpPacket.WriteDataHeader(buffer, block);
                return [.. buffer[..4], .. payload];
            case TftpOpcode.Acknowledgement:
                Assert.True(TftpPacket.TryReadAcknowledgement(packet, out var number, out _));
                return buffer[..TftpPacket.WriteAcknowledgement(buffer, number)];
            case TftpOpcode.Error:
                Assert.True(TftpPacket.TryReadError(packet, out var code, out var message, out _));
                return buffer[..TftpPacket.WriteError(buffer, code, message)];
        }
        throw new InvalidOperationException();
    }

    static byte[] Reorder(byte[] original, byte[] written) => Sorted(original).SequenceEqual(Sorted(written)) ? original : written;

    static List<string> Sorted(byte[] packet) => [.. Encoding.Latin1.GetString(packet[2..]).Split('\0').Order(StringComparer.Ordinal)];

    [CaseFact]
    public void Requests_of_the_facts_file_say_what_they_say()
    {
        var octet = Convert.FromHexString(Facts.GetProperty("rrq_octet").GetString()!);
        Assert.True(TftpRequest.TryRead(octet, out var plain, out _));
        Assert.Equal("pxelinux.0", Encoding.ASCII.GetString(plain.FileName));
        Assert.Equal(TftpMode.Octet, plain.Mode);
        Assert.True(plain.Options.IsEmpty);

        var ovmf = Convert.FromHexString(Facts.GetProperty("rrq_opts").GetString()!);
        Assert.True(TftpRequest.TryRead(ovmf, out var withOptions, out _));
        Assert.Equal("boot.efi", Encoding.ASCII.GetString(withOptions.FileName));
        Assert.Equal(new TftpOptions { TransferSize = 0, BlockSize = 1468, WindowSize = 4 }, withOptions.Options);
    }

    [CaseTheory]
    [InlineData("blksize", "7", null)]
    [InlineData("blksize", "8", 8L)]
    [InlineData("BlkSize", "65464", 65464L)]
    [InlineData("blksize", "65465", null)]
    [InlineData("timeout", "0", null)]
    [InlineData("TIMEOUT", "255", 255L)]
    [InlineData("timeout", "256", null)]
    [InlineData("windowsize", "0", null)]
    [InlineData("windowsize", "65535", 65535L)]
    [InlineData("windowsize", "65536", null)]
    [InlineData("tsize", "0", 0L)]
    [InlineData("tsize", "-1", null)]
    [InlineData("tsize", "99999999999999999999", null)]
    [InlineData("tsize", "", null)]
    [InlineData("blksize", "512x", null)]
    [InlineData("multicast", "", null)]
    public void An_option_outside_its_range_is_declined(string name, string value, long? expected)
    {
        Assert.True(TftpRequest.TryRead(Encoding.ASCII.GetBytes($"\0\u0001f\0octet\0{name}\0{value}\0"), out var request, out _));
        var options = request.Options;
        Assert.Equal(expected, options.BlockSize ?? options.TimeoutSeconds ?? options.WindowSize ?? options.TransferSize);
    }

    [CaseTheory]
    [InlineData("", TftpDefect.Truncated)]
    [InlineData("\0", TftpDefect.Truncated)]
    [InlineData("\0\u0001", TftpDefect.UnterminatedText)]
    [InlineData("\0\u0001\0octet\0", TftpDefect.EmptyFileName)]
    [InlineData("\0\u0001f", TftpDefect.UnterminatedText)]
    [InlineData("\0\u0001f\0octet", TftpDefect.UnterminatedText)]
    [InlineData("\0\u0001f\0octets\0", TftpDefect.UnknownMode)]
    [InlineData("\0\u0001f\0\0", TftpDefect.UnknownMode)]
    [InlineData("\0\u0001f\0octet\0blksize", TftpDefect.UnterminatedText)]
    [InlineData("\0\u0001f\0octet\0blksize\0512", TftpDefect.UnterminatedText)]
    [InlineData("\0\u0003\0\u0001data", TftpDefect.UnexpectedOpcode)]
    [InlineData("\0\u0007f\0octet\0", TftpDefect.UnknownOpcode)]
    [InlineData("\u0001\0f\0octet\0", TftpDefect.UnknownOpcode)]
    public void A_request_that_is_none_says_why(string packet, TftpDefect expected)
    {
        Assert.False(TftpRequest.TryRead(Encoding.Latin1.GetBytes(packet), out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [CaseFact]
    public void A_request_may_have_512_octets_and_no_more()
    {
        static byte[] OfLength(int length) => [0, 1, .. Enumerable.Repeat((byte)'f', length - 9), 0, .. "octet\0"u8];
        Assert.True(TftpRequest.TryRead(OfLength(512), out _, out _));
        Assert.False(TftpRequest.TryRead(OfLength(513), out _, out var defect));
        Assert.Equal(TftpDefect.RequestTooLong, defect);
    }

    [CaseFact]
    public void Zeros_behind_a_request_are_padding()
    {
        Assert.True(TftpRequest.TryRead([.. "\0\u0001f\0OCTET\0tsize\00\0"u8, .. new byte[40]], out var request, out _));
        Assert.Equal(0, request.Options.TransferSize);
    }

    [CaseTheory]
    [MemberData(nameof(Captures))]
    public void No_reader_throws_on_truncated_or_damaged_packets(string capture, int port)
    {
        foreach (var packet in Packets(capture, port).Where(p => p.Length < 200).DistinctBy(p => (p[1], p.Length)))
        {
            foreach (var damaged in Mutations.Truncations(packet).Concat(Mutations.Of(packet, seed: 7001, count: 3000))) ReadEverything(damaged);
        }
    }

    static void ReadEverything(byte[] packet)
    {
        if (TftpRequest.TryRead(packet, out var request, out var defect))
        {
            Assert.Equal(TftpDefect.None, defect);
            Assert.False(request.FileName.IsEmpty);
            var again = new byte[TftpRequest.MaxLength + 200];
            Assert.True(TftpRequest.TryRead(again.AsSpan(0, Math.Min(request.Write(again), TftpRequest.MaxLength)), out var second, out defect) || defect != TftpDefect.None);
            if (defect == TftpDefect.None) Assert.Equal(request.Options, second.Options);
        }
        else Assert.NotEqual(TftpDefect.None, defect);
        Assert.Equal(TftpPacket.TryReadData(packet, out _, out _, out defect), defect == TftpDefect.None);
        Assert.Equal(TftpPacket.TryReadAcknowledgement(packet, out _, out defect), defect == TftpDefect.None);
        Assert.Equal(TftpPacket.TryReadError(packet, out _, out _, out defect), defect == TftpDefect.None);
        Assert.Equal(TftpPacket.TryReadOptionAcknowledgement(packet, out _, out defect), defect == TftpDefect.None);
    }

    [CaseFact]
    public void Every_truncation_of_a_full_request_is_refused_or_means_less()
    {
        var buffer = new byte[512];
        var full = new TftpRequest
        {
            Opcode = TftpOpcode.ReadRequest, FileName = "snponly.efi"u8, Mode = TftpMode.Octet,
            Options = new() { TransferSize = 0, BlockSize = 1468, TimeoutSeconds = 3, WindowSize = 4 },
        };
        var packet = buffer[..full.Write(buffer)];
        foreach (var truncated in Mutations.Truncations(packet))
        {
            if (TftpRequest.TryRead(truncated, out var request, out _)) Assert.NotEqual(full.Options, request.Options);
        }
    }

    [CaseTheory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("line1\nline2\r\n", "line1\r\nline2\r\0\r\n")]
    [InlineData("\n\n", "\r\n\r\n")]
    [InlineData("\r", "\r\0")]
    public void Netascii_is_written_as_real_clients_expect_it(string local, string wire)
    {
        var source = Encoding.ASCII.GetBytes(local);
        var encoded = new byte[Netascii.EncodedLength(source)];
        Assert.Equal(encoded.Length, Netascii.Encode(source, encoded));
        Assert.Equal(wire, Encoding.ASCII.GetString(encoded));
    }
}
