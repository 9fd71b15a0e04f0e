using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Dhcp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Dhcp;

public sealed class DhcpMessageTests
{
    static byte[] Frame(string capture, int number) => PcapFile.Read(SharedCases.DhcpPathOf(capture))[number - 1].Udp()!.Data;

    /// <summary>The hex lines after a keyword of the FreeRADIUS vector files.</summary>
    static List<byte[]> Vectors(string file, string keyword) =>
        [.. File.ReadLines(SharedCases.DhcpPathOf(file)).Where(l => l.StartsWith(keyword + " ") && l.Length > keyword.Length + 9 && l.Skip(keyword.Length + 1).All(c => c == ' ' || char.IsAsciiHexDigit(c)))
            .Select(l => Convert.FromHexString(l[(keyword.Length + 1)..].Replace(" ", "")))];

    static DhcpMessage Read(byte[] packet)
    {
        Assert.True(DhcpMessage.TryRead(packet, out var message, out var defect), defect.ToString());
        return message;
    }

    static byte[] Written(Action<DhcpWriterBox> options)
    {
        var box = new DhcpWriterBox();
        options(box);
        return box.ToArray();
    }

    /// <summary>Collects options for a message, since a ref struct cannot pass through a lambda.</summary>
    sealed class DhcpWriterBox
    {
        readonly List<(DhcpOption Code, byte[] Value)> options = [];
        public DhcpWriterBox Add(DhcpOption code, params byte[] value) { options.Add((code, value)); return this; }
        public byte[] ToArray()
        {
            var buffer = new byte[4096];
            var writer = new DhcpWriter(buffer, DhcpOperation.Request) { Mac = MacAddress.Parse("52:54:00:00:00:01") };
            foreach (var (code, value) in options) writer.Option(code, value);
            return buffer[..writer.Finish()];
        }
    }

    [CaseFact]
    public void The_fixed_fields_lie_where_the_facts_say()
    {
        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf("dhcp-rfc-facts.json")));
        var packet = Written(b => b.Add(DhcpOption.MessageType, 1));
        foreach (var field in facts.RootElement.GetProperty("rfc2131").GetProperty("fixed_layout").EnumerateArray())
        {
            var (name, at, length) = (field[0].GetString()!, field[1].GetInt32(), field[2].ValueKind == JsonValueKind.Null ? 0 : field[2].GetInt32());
            var copy = packet.ToArray();
            if (length is > 0 and <= 4 && name is not ("op" or "htype" or "hlen") && !name.StartsWith("cookie")) copy.AsSpan(at, length).Fill(0x11);
            var message = Read(copy);
            var expected = length == 4 ? 0x11111111u : length == 2 ? 0x1111u : 0x11u;
            switch (name)
            {
                case "op": Assert.Equal(copy[at], (byte)message.Operation); break;
                case "htype": Assert.Equal(copy[at], message.HardwareType); break;
                case "hlen": Assert.Equal(copy[at], message.HardwareAddress.Length); break;
                case "hops": Assert.Equal(expected, message.Hops); break;
                case "xid": Assert.Equal(expected, message.TransactionId); break;
                case "secs": Assert.Equal(expected, message.Seconds); break;
                case "flags": Assert.Equal(expected, message.Flags); break;
                case "ciaddr": Assert.Equal(expected, message.ClientAddress.Value); break;
                case "yiaddr": Assert.Equal(expected, message.YourAddress.Value); break;
                case "siaddr": Assert.Equal(expected, message.NextServer.Value); break;
                case "giaddr": Assert.Equal(expected, message.RelayAddress.Value); break;
                case "chaddr": Assert.Equal("52:54:00:00:00:01", message.Mac!.Value.ToString()); break;
                case "sname": Assert.Equal((44, 64), (at, length)); break;
                case "file": Assert.Equal((108, 128), (at, length)); break;
                case "options": Assert.Equal(DhcpMessage.HeaderLength, at); break;
                default: Assert.StartsWith("cookie", name); break;
            }
        }
    }

    [CaseFact]
    public void The_architecture_table_agrees_with_the_facts()
    {
        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf("dhcp-rfc-facts.json")));
        var seen = 0;
        foreach (var entry in facts.RootElement.GetProperty("rfc4578").GetProperty("arch").EnumerateObject())
        {
            var (architecture, isHttp) = ClientArchitectures.FromCode(ushort.Parse(entry.Name));
            var text = entry.Value.GetString()!;
            Assert.Equal(text.Contains("HTTP"), isHttp);
            var expected = text switch
            {
                _ when text.StartsWith("x86 BIOS") => ClientArchitecture.BiosX86,
                // RFC 4578's own text has 9 as x86-64, and firmware written to it is in the field.
                _ when text.StartsWith("EBC") => ClientArchitecture.EfiX64,
                _ when text.StartsWith("x64") => ClientArchitecture.EfiX64,
                _ when text.StartsWith("IA32") || text.StartsWith("x86 UEFI") => ClientArchitecture.EfiIa32,
                _ when text.StartsWith("ARM32") => ClientArchitecture.EfiArm32,
                _ when text.StartsWith("ARM64") => ClientArchitecture.EfiArm64,
                _ => ClientArchitecture.EfiRiscV64,
            };
            Assert.Equal(expected, architecture);
            seen++;
        }
        Assert.Equal(12, seen);
        Assert.Equal((ClientArchitecture.Unknown, false), ClientArchitectures.FromCode(65535));
    }

    [CaseFact]
    public void Option_82_sent_in_two_pieces_is_joined()
    {
        var packet = Vectors("freeradius/packet.txt", "decode-proto")[^1];
        var message = Read(packet);
        Span<byte> scratch = stackalloc byte[255];
        Assert.True(message.TryGet(DhcpOption.RelayAgentInformation, scratch, out var value));
        var relay = new DhcpSuboptions(value, DhcpSuboptions.Framing.Plain);
        Assert.True(relay.IsWellFormed);
        Assert.True(relay.TryGet(RelaySuboption.CircuitId, out var circuit));
        Assert.True(relay.TryGet(RelaySuboption.RemoteId, out var remote));
        Assert.Equal(("105250", "nonexistent"), (Encoding.ASCII.GetString(circuit), Encoding.ASCII.GetString(remote)));
        Assert.Equal("10.11.19.2", message.RelayAddress.ToString());
        Assert.Equal(253, message.Seconds);
    }

    [CaseFact]
    public void Padding_between_options_does_not_end_them()
    {
        var packet = Vectors("freeradius/packet.txt", "decode-proto")[0];
        var message = Read(packet);
        Assert.Equal("255.255.255.0", message.Address(DhcpOption.SubnetMask).ToString());
        Span<byte> scratch = stackalloc byte[64];
        Assert.True(message.TryGet((DhcpOption)114, scratch, out var portal));
        Assert.Equal("www.example.com", Encoding.ASCII.GetString(portal));
    }

    [CaseFact]
    public void All_whole_packet_vectors_read()
    {
        var packets = Vectors("freeradius/packet.txt", "match").Concat(Vectors("freeradius/packet.txt", "decode-proto")).Concat(Vectors("freeradius/rfc3046.txt", "match"))
            .Append(Convert.FromHexString(File.ReadAllText(SharedCases.DhcpPathOf("kea-discover-example.hex")).Trim())).ToList();
        Assert.Equal(6, packets.Count);
        foreach (var packet in packets)
        {
            var message = Read(packet);
            Assert.True(message.Type is DhcpMessageType.Discover or DhcpMessageType.Ack);
            foreach (var prefix in Mutations.Truncations(packet)) DhcpMessage.TryRead(prefix, out _, out _);
        }
    }

    [CaseFact]
    public void Our_writer_makes_the_golden_octets_of_the_relayed_ack_vector()
    {
        var golden = Vectors("freeradius/rfc3046.txt", "match")[0];
        var buffer = new byte[1024];
        var writer = new DhcpWriter(buffer, DhcpOperation.Reply) { Mac = MacAddress.Parse("00:11:22:33:44:55"), YourAddress = Ipv4Address.Parse("10.10.10.10") };
        writer.Option(DhcpOption.MessageType, (byte)DhcpMessageType.Ack);
        writer.Option(DhcpOption.ServerIdentifier, Ipv4Address.Parse("10.11.12.13"));
        writer.Option((DhcpOption)98, "https://www.example.com"u8);
        writer.Option((DhcpOption)125, Convert.FromHexString("0000000910050661612e74787405066262 2e747874".Replace(" ", "")));
        writer.Option(DhcpOption.RelayAgentInformation, Convert.FromHexString("010512345678900203567890"));
        Assert.Equal(golden, buffer[..writer.Finish()][..golden.Length]);
    }

    [CaseFact]
    public void Classless_routes_match_the_vector_and_the_facts()
    {
        var golden = Vectors("freeradius/rfc3442.txt", "match")[0];
        ReadOnlySpan<byte> value = golden.AsSpan(2);
        var buffer = new byte[32];
        var routes = new List<string>();
        var at = 0;
        while (ClasslessRoute.TryTake(ref value, out var route))
        {
            routes.Add(route.ToString());
            at += route.Write(buffer.AsSpan(at));
        }
        Assert.True(value.IsEmpty);
        Assert.Equal(2, routes.Count);
        Assert.Equal(golden[2..], buffer[..at]);

        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf("dhcp-rfc-facts.json")));
        foreach (var fact in facts.RootElement.GetProperty("rfc3442").EnumerateObject().Where(f => f.Name.Contains('/')))
        {
            var length = new ClasslessRoute(Ipv4Network.Parse(fact.Name), default).Write(buffer);
            Assert.Equal(fact.Value.GetString(), Convert.ToHexStringLower(buffer.AsSpan(0, length - 4)));
            ReadOnlySpan<byte> again = buffer.AsSpan(0, length);
            Assert.True(ClasslessRoute.TryTake(ref again, out var route));
            Assert.Equal(fact.Name, route.Destination.ToString());
        }
        ReadOnlySpan<byte> tooLong = [33, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        Assert.False(ClasslessRoute.TryTake(ref tooLong, out _));
    }

    [CaseFact]
    public void Three_fragments_of_the_search_list_are_joined_in_order()
    {
        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf("dhcp-rfc-facts.json")));
        var wire = Convert.FromHexString(facts.RootElement.GetProperty("rfc3397_example").GetProperty("options_on_wire").GetString()!);
        var packet = Written(b => b.Add(DhcpOption.MessageType, 1));
        byte[] full = [.. packet[..243], .. wire, 255];
        var message = Read(full);
        Span<byte> scratch = stackalloc byte[64];
        Assert.True(message.TryGet(DhcpOption.DomainSearch, scratch, out var value));
        Assert.Equal("\u0003eng\u0005apple\u0003com\0\u0009marketing\u00c0\u0004", Encoding.Latin1.GetString(value));
        Assert.False(message.TryGet(DhcpOption.DomainSearch, scratch[..8], out _));
    }

    [CaseFact]
    public void A_value_of_600_octets_is_split_and_comes_back_whole()
    {
        var value = Enumerable.Range(0, 600).Select(i => (byte)i).ToArray();
        var message = Read(Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.VendorSpecific, value)));
        Span<byte> scratch = new byte[600];
        Assert.True(message.TryGet(DhcpOption.VendorSpecific, scratch, out var joined));
        Assert.Equal(value, joined.ToArray());
        Assert.Equal(606, DhcpWriter.SizeOf(600));
        Assert.Equal(257, DhcpWriter.SizeOf(255));
        Assert.Equal(2, DhcpWriter.SizeOf(0));
    }

    [CaseFact]
    public void Overloaded_fields_follow_the_options_in_the_order_file_then_sname()
    {
        var packet = Written(b => b.Add(DhcpOption.MessageType, 2).Add(DhcpOption.Overload, 3).Add(DhcpOption.Message, (byte)'a'));
        packet.AsSpan(108, 4).Clear();
        new byte[] { 56, 1, (byte)'b', 255 }.CopyTo(packet.AsSpan(108));
        new byte[] { 56, 1, (byte)'c', 255 }.CopyTo(packet.AsSpan(44));
        var message = Read(packet);
        Span<byte> scratch = stackalloc byte[8];
        Assert.True(message.TryGet(DhcpOption.Message, scratch, out var value));
        Assert.Equal("abc", Encoding.ASCII.GetString(value));
        Assert.True(message.ServerName.IsEmpty && message.BootFile.IsEmpty);
    }

    [CaseTheory]
    [InlineData(0, DhcpDefect.BadOverload)]
    [InlineData(4, DhcpDefect.BadOverload)]
    public void A_senseless_overload_is_named(byte overload, DhcpDefect expected)
    {
        var packet = Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.Overload, overload));
        Assert.False(DhcpMessage.TryRead(packet, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [CaseFact]
    public void Each_defect_is_named()
    {
        var good = Written(b => b.Add(DhcpOption.MessageType, 1));
        Assert.Equal(DhcpDefect.None, DefectOf(good));
        Assert.Equal(DhcpDefect.TooShort, DefectOf(good[..239]));
        Assert.Equal(DhcpDefect.BadOperation, DefectOf(With(good, 0, 3)));
        Assert.Equal(DhcpDefect.BadHardwareLength, DefectOf(With(good, 2, 17)));
        Assert.Equal(DhcpDefect.NoCookie, DefectOf(With(good, 236, 0)));
        Assert.Equal(DhcpDefect.OptionOverrun, DefectOf(With(good, 241, 200)));
        Assert.Equal(DhcpDefect.OptionOverrun, DefectOf(good[..241]));
        Assert.Equal(DhcpDefect.NoMessageType, DefectOf(With(good, 240, 12)));
        Assert.Equal(DhcpDefect.BadMessageType, DefectOf(With(good, 242, 0)));
        Assert.Equal(DhcpDefect.BadMessageType, DefectOf(With(good, 242, 14)));
        Assert.Equal(DhcpDefect.BadMessageType, DefectOf(Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.MessageType, 3))));

        static DhcpDefect DefectOf(byte[] packet) { DhcpMessage.TryRead(packet, out _, out var defect); return defect; }
        static byte[] With(byte[] packet, int at, byte value) { var copy = packet.ToArray(); copy[at] = value; return copy; }
    }

    [CaseFact]
    public void A_lease_query_and_its_answer_read()
    {
        var answer = Read(Frame("dhcp-rfc4388.pcap", 10));
        Assert.Equal(DhcpMessageType.LeaseActive, answer.Type);
        Assert.Equal(("10.30.4.4", 13u, "10.50.4.4"), (answer.ClientAddress.ToString(), answer.UInt32(DhcpOption.ClientLastTransactionTime)!.Value, answer.Address(DhcpOption.AssociatedAddress)!.Value.ToString()));
        Assert.Equal(DhcpMessageType.LeaseQuery, Read(Frame("dhcp-rfc4388.pcap", 9)).Type);
    }

    [CaseFact]
    public void A_bios_ipxe_is_recognised_with_its_machine_in_text_order()
    {
        var client = BootClient.Read(Read(Frame("A_bios_ipxe_dnsmasq.pcap", 3)));
        Assert.Equal((FirmwareBoot.Pxe, true, ClientArchitecture.BiosX86), (client.Firmware, client.IsIpxe, client.Architecture));
        Assert.Equal(Guid.Parse("12345678-1234-5678-90ab-cdef00112233"), client.Machine);
        Span<byte> back = stackalloc byte[MachineId.Length];
        MachineId.Write(client.Machine!.Value, back);
        Assert.Equal("0078563412341278569 0abcdef00112233".Replace(" ", ""), Convert.ToHexStringLower(back));
    }

    [CaseFact]
    public void A_bios_rom_without_ipxe_is_told_apart()
    {
        var client = BootClient.Read(Read(Frame("pixiecore-dhcp.pcap", 1)));
        Assert.Equal((FirmwareBoot.Pxe, false, ClientArchitecture.BiosX86), (client.Firmware, client.IsIpxe, client.Architecture));
        Assert.Equal(Guid.Parse("03000200-0400-0500-0006-000700080009"), client.Machine);
    }

    [CaseFact]
    public void Ovmf_asks_by_pxe_and_then_by_http()
    {
        var kinds = PcapFile.Read(SharedCases.DhcpPathOf("B_ovmf_pxe_dnsmasq.pcap")).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>().Where(u => u.DestinationPort == 67)
            .Select(u => BootClient.Read(Read(u.Data))).Select(c => (c.Firmware, c.IsIpxe, c.Architecture, c.ArchitectureCode)).Distinct().ToList();
        Assert.Contains((FirmwareBoot.Pxe, false, ClientArchitecture.EfiX64, (ushort?)7), kinds);
        Assert.Contains((FirmwareBoot.Http, false, ClientArchitecture.EfiX64, (ushort?)16), kinds);
    }

    [CaseFact]
    public void The_architecture_is_taken_from_the_vendor_class_when_option_93_is_missing()
    {
        var client = BootClient.Read(Read(Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.VendorClass, "PXEClient:Arch:00011:UNDI:003000"u8.ToArray()))));
        Assert.Equal((ClientArchitecture.EfiArm64, (ushort?)11), (client.Architecture, client.ArchitectureCode));
        var odd = BootClient.Read(Read(Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.VendorClass, "PXEClient:Arch:+7"u8.ToArray()))));
        Assert.Null(odd.ArchitectureCode);
    }

    [CaseFact]
    public void User_classes_are_found_bare_and_in_a_list()
    {
        var listed = Read(Frame("dhcp-rfc3004.pcap", 1));
        Span<byte> scratch = stackalloc byte[255];
        Assert.True(listed.TryGet(DhcpOption.UserClass, scratch, out var value));
        Assert.True(UserClass.Contains(value, "subopt1"u8));
        Assert.True(UserClass.Contains(value, "subopt2-123456789"u8));
        Assert.True(UserClass.Contains(value, "subopt3-12"u8));
        Assert.False(UserClass.Contains(value, "subopt3-1"u8));
        Assert.True(UserClass.Contains("iPXE"u8, "iPXE"u8));
        Assert.True(UserClass.Contains("\u0004iPXE"u8, "iPXE"u8));
        Assert.False(UserClass.Contains("\u0005iPXE"u8, "iPXE"u8));
    }

    [CaseFact]
    public void Ipxe_tells_its_abilities_in_option_175()
    {
        var message = Read(Frame("A_bios_ipxe_dnsmasq.pcap", 3));
        Span<byte> scratch = stackalloc byte[255];
        Assert.True(message.TryGet(DhcpOption.Ipxe, scratch, out var value));
        var features = new DhcpSuboptions(value, DhcpSuboptions.Framing.PadAndEnd);
        Assert.True(features.IsWellFormed);
        Assert.True(features.TryGet(IpxeSuboption.HttpSupport, out var http));
        Assert.Equal(1, http[0]);
        Assert.True(features.TryGet(IpxeSuboption.BusId, out var bus));
        Assert.Equal("018086100e", Convert.ToHexStringLower(bus));
        Assert.False(features.TryGet(IpxeSuboption.NoProxyDhcp, out _));
    }

    [CaseFact]
    public void The_network_interface_option_matches_its_vector()
    {
        var golden = Vectors("freeradius/rfc4578.txt", "match")[0];
        var message = Read(Written(b => b.Add(DhcpOption.MessageType, 1).Add(DhcpOption.ClientInterface, golden[2..])));
        Assert.Equal((byte)DhcpOption.ClientInterface, golden[0]);
        Assert.Equal((ushort)0x0102, message.UInt16(DhcpOption.ClientInterface));
    }

    [CaseFact]
    public void The_pxe_vendor_options_of_a_capture_read()
    {
        using var facts = JsonDocument.Parse(File.ReadAllText(SharedCases.DhcpPathOf("dhcp-rfc-facts.json")));
        var value = Convert.FromHexString(facts.RootElement.GetProperty("pxe_option43").GetProperty("example_from_capture").GetString()!);
        var pxe = new DhcpSuboptions(value, DhcpSuboptions.Framing.PadAndEnd);
        Assert.True(pxe.TryGet(PxeSuboption.DiscoveryControl, out var control) && control.SequenceEqual((ReadOnlySpan<byte>)[3]));
        Assert.True(pxe.TryGet(PxeSuboption.BootServers, out var servers));
        Assert.Equal("192.168.77.1", Ipv4Address.Read(servers[3..]).ToString());
        Assert.True(pxe.TryGet(PxeSuboption.BootMenu, out var menu) && Encoding.ASCII.GetString(menu[3..]) == "Boot BIOS");
        Assert.True(pxe.TryGet(PxeSuboption.MenuPrompt, out var prompt) && Encoding.ASCII.GetString(prompt[1..]) == "Press F8");
    }

    [CaseFact]
    public void The_writer_refuses_to_run_over_its_buffer()
    {
        Assert.ThrowsAny<ArgumentException>(() => Fill(300));
        Assert.ThrowsAny<ArgumentException>(() => { var w = new DhcpWriter(new byte[300], DhcpOperation.Reply); w.BootFile = new byte[128]; });
        Fill(57);

        static void Fill(int length)
        {
            var writer = new DhcpWriter(new byte[300], DhcpOperation.Reply);
            Assert.Equal(59, writer.Room);
            writer.Option(DhcpOption.Message, new byte[length]);
            Assert.Equal(0, writer.Room);
            Assert.Equal(300, writer.Finish());
        }
    }
}
