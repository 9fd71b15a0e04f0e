using System.Collections.Immutable;
using System.Text;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Snmp;

public sealed class MessageTests
{
    static readonly ObjectIdentifier SysName = ObjectIdentifier.Parse("1.3.6.1.2.1.1.5.0");

    // RFC 1157's GetRequest for sysName.0, community "public", request id 1, spelt out by hand from the rules.
    const string GetSysName = "302602010004067075626c6963a019020101020100020100300e300c06082b060102010105000500";

    [Fact]
    public void A_message_is_written_octet_by_octet_as_the_rules_say()
    {
        var buffer = new byte[100];
        var length = CommunityMessage.Write(buffer, SnmpVersion.V1, "public"u8, new() { Type = SnmpPduType.Get, RequestId = 1, Varbinds = [new(SysName)] });
        Assert.Equal(GetSysName, Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Assert.True(CommunityMessage.TryRead(buffer.AsSpan(0, length), out var message, out _));
        Assert.Equal(SnmpPduType.Get, message.Pdu!.Type);
        Assert.Equal("public", Encoding.ASCII.GetString(message.Community));
    }

    public static ImmutableArray<Varbind> AllSyntaxes =>
    [
        new(SysName, SnmpValue.Text("grid")),
        new(SysName, SnmpValue.Octets([])),
        new(SysName, SnmpValue.Octets(new byte[300])),
        new(SysName, SnmpValue.Integer(0)), new(SysName, SnmpValue.Integer(127)), new(SysName, SnmpValue.Integer(128)), new(SysName, SnmpValue.Integer(-128)),
        new(SysName, SnmpValue.Integer(-129)), new(SysName, SnmpValue.Integer(int.MinValue)), new(SysName, SnmpValue.Integer(int.MaxValue)),
        new(SysName, SnmpValue.Gauge(uint.MaxValue)), new(SysName, SnmpValue.Counter(0x80000000)), new(SysName, SnmpValue.TimeTicks(255)),
        new(SysName, SnmpValue.Counter64(ulong.MaxValue)), new(SysName, SnmpValue.Counter64(0)),
        new(SysName, SnmpValue.Address(Ipv4Address.Parse("10.77.0.1"))),
        new(SysName, SnmpValue.Identifier(ObjectIdentifier.Parse("1.3.6.1.4.1.318"))), new(SysName, SnmpValue.Identifier(ObjectIdentifier.Parse("0.0"))),
        new(SysName, SnmpValue.Opaque([1, 2, 3])),
        new(SysName), new(SysName, SnmpValue.NoSuchObject), new(SysName, SnmpValue.NoSuchInstance), new(SysName, SnmpValue.EndOfMibView),
    ];

    [Fact]
    public void Values_of_every_syntax_survive_the_way_and_take_the_octets_that_they_say()
    {
        var pdu = new SnmpPdu { Type = SnmpPduType.Response, RequestId = -5, ErrorStatus = SnmpErrorStatus.CommitFailed, ErrorIndex = 3, Varbinds = AllSyntaxes };
        var buffer = new byte[2000];
        var length = CommunityMessage.Write(buffer, SnmpVersion.V2c, "c"u8, pdu);
        Assert.True(CommunityMessage.TryRead(buffer.AsSpan(0, length), out var message, out var defect), defect.ToString());
        Assert.Equal(pdu.Varbinds.AsEnumerable(), message.Pdu!.Varbinds);
        Assert.Equal((-5, SnmpErrorStatus.CommitFailed, 3), (message.Pdu.RequestId, message.Pdu.ErrorStatus, message.Pdu.ErrorIndex));
        Assert.True(length <= pdu.EncodedLength + CommunityMessage.Overhead(1));
        foreach (var varbind in AllSyntaxes)
        {
            var alone = new SnmpPdu { Type = SnmpPduType.Response, RequestId = 1, Varbinds = [varbind] };
            var twice = alone with { Varbinds = [varbind, varbind] };
            var difference = CommunityMessage.Write(buffer, SnmpVersion.V2c, "c"u8, twice) - CommunityMessage.Write(buffer, SnmpVersion.V2c, "c"u8, alone);
            Assert.InRange(difference - varbind.EncodedLength, 0, 8); // length fields around it may grow
        }
    }

    [Fact]
    public void A_bulk_requests_counts_travel_in_the_error_fields_and_negative_ones_are_none()
    {
        var buffer = new byte[100];
        var length = CommunityMessage.Write(buffer, SnmpVersion.V2c, "c"u8, new() { Type = SnmpPduType.GetBulk, RequestId = 9, NonRepeaters = 1, MaxRepetitions = 50, Varbinds = [new(SysName)] });
        Assert.True(CommunityMessage.TryRead(buffer.AsSpan(0, length), out var message, out _));
        Assert.Equal((1, 50), (message.Pdu!.NonRepeaters, message.Pdu.MaxRepetitions));
        length = CommunityMessage.Write(buffer, SnmpVersion.V2c, "c"u8, new() { Type = SnmpPduType.GetBulk, RequestId = 9, NonRepeaters = -1, MaxRepetitions = -50, Varbinds = [new(SysName)] });
        Assert.True(CommunityMessage.TryRead(buffer.AsSpan(0, length), out message, out _));
        Assert.Equal((0, 0), (message.Pdu!.NonRepeaters, message.Pdu.MaxRepetitions));
    }

    [Theory]
    [InlineData("4104ffffffff", 4294967295)] // an agent that forgot the zero in front
    [InlineData("410500ffffffff", 4294967295)]
    [InlineData("420100", 0)]
    [InlineData("02020001", 1)]
    public void Sloppy_numbers_are_read_as_they_are_meant(string value, long expected)
    {
        Assert.True(Read(value, out var read, out var defect), defect.ToString());
        Assert.True(read.TryGetNumber(out var number));
        Assert.Equal(expected, number);
    }

    [Theory]
    [InlineData("0200", SnmpDefect.BadInteger)]
    [InlineData("02050100000000", SnmpDefect.BadInteger)]
    [InlineData("41050100000000", SnmpDefect.BadInteger)]
    [InlineData("4101ff", SnmpDefect.BadInteger)]
    [InlineData("4003010203", SnmpDefect.BadValue)]
    [InlineData("050100", SnmpDefect.BadValue)]
    [InlineData("0480", SnmpDefect.BadLength)]
    [InlineData("0485010000000000", SnmpDefect.BadLength)]
    [InlineData("0484ffffffff", SnmpDefect.BadLength)]
    [InlineData("04847fffffff", SnmpDefect.Truncated)]
    [InlineData("0601ff", SnmpDefect.BadObjectIdentifier)]
    [InlineData("9f00", SnmpDefect.UnknownSyntax)]
    [InlineData("05000500", SnmpDefect.TrailingOctets)]
    public void Broken_values_are_named(string value, SnmpDefect expected)
    {
        Assert.False(Read(value, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    static bool Read(string valueHex, out SnmpValue value, out SnmpDefect defect)
    {
        var field = Convert.FromHexString(valueHex);
        byte[] pair = [0x30, (byte)(field.Length + 4), 6, 2, 0x2b, 6, .. field];
        byte[] pdu = [0xA2, (byte)(pair.Length + 11), 2, 1, 1, 2, 1, 0, 2, 1, 0, 0x30, (byte)pair.Length, .. pair];
        byte[] datagram = [0x30, (byte)(pdu.Length + 6), 2, 1, 1, 4, 1, (byte)'c', .. pdu];
        var good = CommunityMessage.TryRead(datagram, out var message, out defect);
        value = good ? message.Pdu!.Varbinds[0].Value : default;
        return good;
    }

    [Fact]
    public void No_damage_makes_the_reader_throw()
    {
        var buffer = new byte[2000];
        var length = CommunityMessage.Write(buffer, SnmpVersion.V2c, "public"u8, new() { Type = SnmpPduType.Response, RequestId = 5, Varbinds = AllSyntaxes });
        var datagram = buffer[..length];
        foreach (var damaged in Mutations.Truncations(datagram))
        {
            Assert.False(CommunityMessage.TryRead(damaged, out _, out var defect));
            Assert.NotEqual(SnmpDefect.None, defect);
        }
        foreach (var damaged in Mutations.Of(datagram, seed: 3416, count: 50_000))
        {
            if (CommunityMessage.TryRead(damaged, out var message, out _)) _ = message.Pdu?.ToString() + message.Pdu?.Varbinds.Length;
            CommunityMessage.TryPeekRequestId(damaged, out _);
            CommunityMessage.TryPeekVersion(damaged, out _);
        }
    }

    [CaseTheory]
    [InlineData("snmpv1_trap")]
    [InlineData("snmpv1_get_short")]
    [InlineData("snmpv2_get_bulk")]
    [InlineData("v2c_mix")]
    public void No_damage_to_what_was_recorded_makes_the_reader_throw(string capture)
    {
        foreach (var datagram in Datagrams(capture).Take(40))
        {
            foreach (var cut in Mutations.Truncations(datagram)) Assert.False(CommunityMessage.TryRead(cut, out _, out _));
            foreach (var damaged in Mutations.Of(datagram, seed: datagram.Length, count: 2000))
                if (CommunityMessage.TryRead(damaged, out var message, out _)) _ = $"{message.Pdu} {message.Trap} {message.Trap?.Name}";
        }
    }

    [Fact]
    public void An_endless_list_of_variables_is_cut_off()
    {
        byte[] varbinds = [.. Enumerable.Repeat<byte[]>([0x30, 4, 6, 0, 5, 0], SnmpPdu.MaximumVarbinds + 1).SelectMany(v => v)];
        var list = Wrap(0x30, varbinds);
        byte[] datagram = Wrap(0x30, [2, 1, 1, 4, 1, (byte)'c', .. Wrap(0xA2, [2, 1, 1, 2, 1, 0, 2, 1, 0, .. list])]);
        Assert.False(CommunityMessage.TryRead(datagram, out _, out var defect));
        Assert.Equal(SnmpDefect.TooManyVarbinds, defect);

        static byte[] Wrap(byte tag, byte[] contents) => [tag, 0x83, (byte)(contents.Length >> 16), (byte)(contents.Length >> 8), (byte)contents.Length, .. contents];
    }

    [CaseTheory]
    [InlineData("snmpv1_get_short", SnmpVersion.V1)]
    [InlineData("snmpv2_get_bulk", SnmpVersion.V2c)]
    [InlineData("snmpwalk-short", SnmpVersion.V2c)]
    [InlineData("v2c_mix", null)]
    public void Recorded_messages_are_read_and_written_again_to_the_octet(string capture, SnmpVersion? version)
    {
        var count = 0;
        foreach (var datagram in Datagrams(capture))
        {
            Assert.True(CommunityMessage.TryRead(datagram, out var message, out var defect), $"{count}: {defect}");
            if (version is not null) Assert.Equal(version, message.Version);
            Assert.True(CommunityMessage.TryPeekRequestId(datagram, out var id));
            Assert.Equal(message.Pdu!.RequestId, id);
            var buffer = new byte[datagram.Length + 100];
            var again = buffer[..CommunityMessage.Write(buffer, message.Version, message.Community, message.Pdu)];
            // Others use longer length fields than they must; the contents are what counts.
            Assert.True(CommunityMessage.TryRead(again, out var second, out _));
            Assert.Equal(message.Pdu.Varbinds.AsEnumerable(), second.Pdu!.Varbinds);
            Assert.True(again.Length <= datagram.Length);
            count++;
        }
        Assert.True(count > 0);
    }

    [CaseFact]
    public void A_recorded_walk_goes_forward()
    {
        var responses = Datagrams("snmpwalk-short").Select(d => Pdu(d)).Where(p => p.Type == SnmpPduType.Response).ToList();
        Assert.Equal(200, responses.Count);
        Assert.All(responses.Zip(responses.Skip(1)), pair => Assert.True(pair.First.Varbinds[0].Name < pair.Second.Varbinds[0].Name));
    }

    [CaseFact]
    public void Net_snmps_exceptions_and_error_statuses_are_told_apart()
    {
        var responses = Datagrams("v2c_mix").Select(d => Pdu(d)).Where(p => p.Type == SnmpPduType.Response).ToList();
        Assert.Contains(responses, r => r.Varbinds.Any(v => v.Value.Syntax == SnmpSyntax.NoSuchObject));
        Assert.Contains(responses, r => r.Varbinds.Any(v => v.Value.Syntax == SnmpSyntax.NoSuchInstance));
        Assert.Contains(responses, r => r.Varbinds.Any(v => v.Value.Syntax == SnmpSyntax.EndOfMibView));
        var statuses = responses.Select(r => r.ErrorStatus).ToHashSet();
        Assert.Superset(new HashSet<SnmpErrorStatus> { SnmpErrorStatus.NoSuchName, SnmpErrorStatus.NoAccess, SnmpErrorStatus.NotWritable, SnmpErrorStatus.WrongType }, statuses);
    }

    [CaseFact]
    public void A_version_1_trap_is_read()
    {
        Assert.True(CommunityMessage.TryRead(Datagrams("snmpv1_trap").Single(), out var message, out var defect), defect.ToString());
        Assert.Null(message.Pdu);
        Assert.Equal("1.3.6.1.4.1.31337.0", message.Trap!.Enterprise.ToString());
        Assert.Equal((0, 0, 0u), (message.Trap.Generic, message.Trap.Specific, message.Trap.Uptime));
        Assert.Equal("1.3.6.1.6.3.1.1.5.1", message.Trap.Name.ToString()); // coldStart
        Assert.Equal("1.3.6.1.4.1.31337.0.0.2", (message.Trap with { Generic = 6, Specific = 2 }).Name.ToString());
    }

    [CaseFact]
    public void A_sub_identifier_of_more_than_32_bits_is_refused_and_not_wrapped()
    {
        Assert.False(CommunityMessage.TryRead(Datagrams("snmp-oid-subidentifier-too-long").Single(), out _, out var defect));
        Assert.Equal(SnmpDefect.BadObjectIdentifier, defect);
    }

    [CaseFact]
    public void A_discovery_may_be_answered_with_any_report_that_has_an_engine_id()
    {
        var datagrams = Datagrams("snmpv3_get_next").ToList();
        Assert.True(V3Message.TryRead(datagrams[0], out var question, out _));
        Assert.True(question.EngineId.IsEmpty);
        Assert.True(V3Message.TryRead(datagrams[1], out var answer, out _));
        using var nobody = UsmUser.Discoverer();
        Assert.True(answer.TryOpen(nobody, out var scoped, out var defect), defect.ToString());
        Assert.Equal(SnmpPduType.Report, scoped!.Pdu.Type);
        Assert.Equal(UsmReport.Unknown, UsmReports.Of(scoped.Pdu)); // its counter has a name that no RFC has
        Assert.Equal("80001f8880a9498e5e3a2c3043", Convert.ToHexStringLower(answer.EngineId));
    }

    [CaseTheory]
    [InlineData("trapv3", UsmAuthentication.None, UsmPrivacy.None)]
    [InlineData("trapv3auth", UsmAuthentication.Md5, UsmPrivacy.None)]
    [InlineData("trapv3authpriv", UsmAuthentication.Md5, UsmPrivacy.Des)]
    public void Version_3_traps_are_opened(string name, UsmAuthentication authentication, UsmPrivacy privacy)
    {
        Assert.True(V3Message.TryRead(SharedCases.Bytes($"pcap/snmp/sharpsnmp-{name}.bin"), out var message, out var defect), defect.ToString());
        var key = authentication == UsmAuthentication.None ? [] : UsmKey.Localize(authentication, UsmKey.FromPassphrase(authentication, "authentication"u8), message.EngineId);
        var secret = privacy == UsmPrivacy.None ? [] : UsmKey.Localize(authentication, UsmKey.FromPassphrase(authentication, "privacyphrase"u8), message.EngineId);
        using var user = new UsmUser(message.UserName, authentication, key, privacy, secret);
        Assert.True(message.TryOpen(user, out var scoped, out defect), defect.ToString());
        Assert.Equal(SnmpPduType.Trap, scoped!.Pdu.Type);
    }

    static IEnumerable<byte[]> Datagrams(string capture) =>
        PcapFile.Read(SharedCases.PathOf($"pcap/snmp/{capture}.pcap")).Select(f => f.Udp()).OfType<PcapFile.UdpPayload>().Select(u => u.Data);

    static SnmpPdu Pdu(byte[] datagram) => CommunityMessage.TryRead(datagram, out var message, out _) ? message.Pdu! : throw new InvalidDataException();
}
