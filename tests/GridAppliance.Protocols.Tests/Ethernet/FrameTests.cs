using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ethernet;
using GridAppliance.Protocols.Ndp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ethernet;

public sealed class FrameTests
{
    static readonly MacAddress ours = MacAddress.Parse("52:54:00:00:00:01");

    static IEnumerable<PcapFile.Frame> CapturedFrames() =>
        new[] { "wireshark-dhcp", "A_bios_ipxe_dnsmasq", "B_ovmf_pxe_dnsmasq" }
            .SelectMany(name => PcapFile.Read(SharedCases.DhcpCapture(name)));

    [CaseFact]
    public void Captured_udp_frames_read_and_are_written_again_octet_by_octet()
    {
        var seen = 0;
        foreach (var frame in CapturedFrames())
        {
            if (!UdpFrame.TryRead(frame.Data, out var addresses, out var payload, out _)) { Assert.Null(frame.Udp()); continue; }
            Assert.Equal(frame.Udp()!.Data, payload.ToArray());
            var copy = new byte[UdpFrame.HeaderLength + payload.Length];
            payload.CopyTo(copy.AsSpan(UdpFrame.HeaderLength));
            Assert.Equal(copy.Length, UdpFrame.WriteHeaders(copy, payload.Length, addresses));
            // What a writer may choose freely: type of service, identification, don't-fragment and time to live, and with them the header checksum.
            foreach (var free in new[] { 15, 18, 19, 20, 21, 22, 24, 25 }) copy[free] = frame.Data[free];
            // A sender may leave the UDP checksum to hardware; where this one is there, ours is the same.
            if (InternetChecksum.Finish(InternetChecksum.Add(17 + (uint)(8 + payload.Length), frame.Data.AsSpan(26, 8 + 8 + payload.Length))) != 0) frame.Data.AsSpan(40, 2).CopyTo(copy.AsSpan(40));
            else seen++;
            Assert.Equal(frame.Data[..copy.Length], copy);
        }
        Assert.True(seen > 20, $"only {seen} frames with a checksum");
    }

    [CaseFact]
    public void The_ip_header_that_we_write_sums_to_zero()
    {
        var frame = new byte[UdpFrame.HeaderLength + 301];
        UdpFrame.WriteHeaders(frame, 301, new()
        {
            SourceMac = ours, DestinationMac = MacAddress.Broadcast, Source = Ipv4Address.Parse("10.77.0.1"), Destination = Ipv4Address.Broadcast, SourcePort = 67, DestinationPort = 68,
        });
        Assert.Equal(0, InternetChecksum.Finish(InternetChecksum.Add(0, frame.AsSpan(14, 20))));
        Assert.Equal(0, InternetChecksum.Finish(InternetChecksum.Add(17 + 309, frame.AsSpan(26))));
    }

    [CaseFact]
    public void The_checksum_agrees_with_a_plain_one_at_every_length()
    {
        var random = new Random(1071);
        var data = new byte[200];
        random.NextBytes(data);
        for (var length = 0; length <= data.Length; length++)
        {
            uint plain = 0;
            for (var i = 0; i < length; i += 2) plain += (uint)(data[i] << 8 | (i + 1 < length ? data[i + 1] : 0));
            while (plain > 0xFFFF) plain = (plain & 0xFFFF) + (plain >> 16);
            Assert.Equal((ushort)~plain, InternetChecksum.Finish(InternetChecksum.Add(0, data.AsSpan(0, length))));
        }
    }

    [CaseFact]
    public void Damaged_udp_frames_never_throw()
    {
        foreach (var frame in CapturedFrames().Take(20))
        {
            foreach (var damaged in Mutations.Truncations(frame.Data).Concat(Mutations.Of(frame.Data, seed: frame.Number, count: 500)))
            {
                var read = UdpFrame.TryRead(damaged, out _, out _, out var defect);
                Assert.Equal(read, defect == UdpFrameDefect.None);
                Assert.Equal(EthernetHeader.TryRead(damaged, out _, out var headerDefect), headerDefect == EthernetDefect.None);
                Assert.Equal(ArpPacket.TryRead(damaged, out _, out var arpDefect), arpDefect == ArpDefect.None);
                Assert.Equal(NdpFrame.TryReadSolicitation(damaged, out _, out var ndpDefect), ndpDefect == NdpDefect.None);
            }
        }
    }

    [CaseFact]
    public void Captured_arp_reads_and_is_written_again()
    {
        var seen = 0;
        foreach (var frame in CapturedFrames())
        {
            if (!ArpPacket.TryRead(frame.Data, out var arp, out var defect)) { Assert.NotEqual(ArpDefect.None, defect); continue; }
            var copy = new byte[ArpPacket.FrameLength];
            arp.Write(copy);
            // The Ethernet destination of a unicast request is the writer's choice.
            frame.Data.AsSpan(0, 6).CopyTo(copy);
            Assert.Equal(frame.Data[..ArpPacket.FrameLength], copy);
            seen++;
            foreach (var damaged in Mutations.Truncations(frame.Data).Concat(Mutations.Of(frame.Data, seed: frame.Number, count: 500))) ArpPacket.TryRead(damaged, out _, out _);
        }
        Assert.True(seen >= 2, $"{seen} ARP frames in the captures");
    }

    [CaseFact]
    public void Captured_headers_read_and_are_written_again()
    {
        foreach (var frame in CapturedFrames())
        {
            Assert.True(EthernetHeader.TryRead(frame.Data, out var header, out var defect), defect.ToString());
            var copy = new byte[header.Length];
            Assert.Equal(header.Length, EthernetHeader.Write(copy, header.Destination, header.Source, header.EtherType));
            Assert.Equal(frame.Data[..header.Length], copy);
        }
    }

    [CaseFact]
    public void A_probe_claims_no_address()
    {
        var frame = new byte[ArpPacket.FrameLength];
        ArpPacket.Probe(ours, Ipv4Address.Parse("10.77.0.50")).Write(frame);
        Assert.Equal("ffffffffffff5254000000010806000108000604000152540000000100000000000000000000" + "0a4d0032", Convert.ToHexStringLower(frame));
        Assert.True(ArpPacket.TryRead(frame, out var read, out _));
        Assert.True(read.SenderIp.IsAny);
    }
}
