using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ipmi;

public sealed class SessionTests
{
    public static TheoryData<byte> Suites => [.. CipherSuite.Preferred.Select(s => s.Id)];

    [Fact]
    public void A_presence_ping_is_the_twelve_octets_of_the_specification()
    {
        var ping = new byte[AsfPresence.PingLength];
        Assert.Equal(12, AsfPresence.WritePing(ping, 0x2A));
        Assert.Equal("0600ff06000011be802a0000", Convert.ToHexStringLower(ping));
        Assert.True(AsfPresence.TryReadPing(ping, out var tag, out _));
        Assert.Equal(0x2A, tag);
    }

    [Fact]
    public void A_pong_says_whether_ipmi_is_there()
    {
        var pong = new byte[AsfPresence.PongLength];
        AsfPresence.WritePong(pong, new(7, 4542, SupportsIpmi: true));
        Assert.Equal("0600ff06000011be40070010000011be000000008100000000000000", Convert.ToHexStringLower(pong));
        Assert.True(AsfPresence.TryReadPong(pong, out var read, out _));
        Assert.Equal(new(7, 4542, true), read);
        foreach (var cut in Mutations.Truncations(pong)) Assert.False(AsfPresence.TryReadPong(cut, out _, out _));
    }

    [Fact]
    public void Discovery_asks_outside_a_session()
    {
        var datagram = new byte[64];
        var length = Session15Packet.Wrap(datagram, IpmbMessage.WriteRequest(datagram.AsSpan(Session15Packet.Overhead), new GetChannelAuthenticationCapabilities(IpmiPrivilege.Administrator), 0));
        Assert.Equal("0600ff07000000000000000000092018c88100388e04b5", Convert.ToHexStringLower(datagram[..length]));
    }

    [Fact]
    public void An_answer_with_a_wrong_checksum_is_not_taken()
    {
        var message = Convert.FromHexString("81047b20180100000000c7");
        Assert.True(IpmbMessage.TryRead(message, out var read, out _));
        Assert.True(read is { IsAnswer: true, Function: NetFunction.Chassis, Command: 1, Sequence: 6 });
        for (var i = 0; i < message.Length; i++)
        {
            var damaged = message.ToArray();
            damaged[i] ^= 0x10;
            Assert.False(IpmbMessage.TryRead(damaged, out _, out var defect));
            Assert.Equal(IpmiDefect.Checksum, defect);
        }
        foreach (var cut in Mutations.Truncations(message)) Assert.False(IpmbMessage.TryRead(cut, out _, out _));
    }

    [Theory, MemberData(nameof(Suites))]
    public void What_one_end_seals_the_other_opens_at_every_payload_length(byte suiteId)
    {
        var suite = CipherSuite.Preferred.Single(s => s.Id == suiteId);
        using var cipher = new SessionCipher(suite, Key(suite));
        for (var length = 0; length <= 80; length++)
        {
            var payload = Enumerable.Range(1, length).Select(i => (byte)i).ToArray();
            var datagram = new byte[length + SessionCipher.MaxOverhead];
            var total = cipher.Seal(datagram, PayloadType.SerialOverLan, 0x11223344, 9, payload, new byte[16]);
            Assert.True(RmcpPlusPacket.TryRead(datagram.AsSpan(0, total), out var packet, out var defect), defect.ToString());
            var clear = new byte[packet.Payload.Length];
            Assert.True(cipher.TryOpen(packet, clear, out var written, out defect), defect.ToString());
            Assert.Equal(payload, clear[..written]);
            // From the format octet to the next header: a multiple of four (table 13-8).
            if (packet.IsAuthenticated) Assert.Equal(0, (packet.Body.Length - suite.AuthenticationCodeLength) % 4);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(17)]
    public void A_signed_packet_with_any_octet_changed_is_refused(byte suiteId)
    {
        var suite = CipherSuite.Preferred.Single(s => s.Id == suiteId);
        using var cipher = new SessionCipher(suite, Key(suite));
        var datagram = new byte[256];
        var length = cipher.Seal(datagram, PayloadType.IpmiMessage, 5, 6, "some payload"u8, new byte[16]);
        datagram = datagram[..length];
        var clear = new byte[256];
        for (var i = RmcpHeader.Length; i < length; i++)
        {
            var damaged = datagram.ToArray();
            damaged[i] ^= 1;
            if (RmcpPlusPacket.TryRead(damaged, out var packet, out _)) Assert.False(cipher.TryOpen(packet, clear, out _, out _), $"octet {i}");
        }
    }

    [Fact]
    public void A_clear_packet_in_an_encrypted_session_is_refused()
    {
        using var cipher = new SessionCipher(CipherSuite.Sha256Aes, Key(CipherSuite.Sha256Aes));
        using var weaker = new SessionCipher(CipherSuite.Sha256SignedOnly, Key(CipherSuite.Sha256Aes));
        var datagram = new byte[256];
        var length = weaker.Seal(datagram, PayloadType.IpmiMessage, 5, 6, "some payload"u8, default);
        Assert.True(RmcpPlusPacket.TryRead(datagram.AsSpan(0, length), out var packet, out _));
        Assert.False(cipher.TryOpen(packet, new byte[256], out _, out var defect));
        Assert.Equal(IpmiDefect.Unencrypted, defect);

        RmcpPlusPacket.Wrap(datagram, PayloadType.IpmiMessage, 12);
        Assert.True(RmcpPlusPacket.TryRead(datagram.AsSpan(0, RmcpPlusPacket.HeaderLength + 12), out packet, out _));
        Assert.False(cipher.TryOpen(packet, new byte[256], out _, out defect));
        Assert.Equal(IpmiDefect.Unauthenticated, defect);
    }

    [Fact]
    public void Handshake_messages_survive_a_round_trip_and_no_prefix_is_taken_for_the_whole()
    {
        byte[] random = [.. Enumerable.Range(0, 16).Select(i => (byte)i)], guid = [.. Enumerable.Range(100, 16).Select(i => (byte)i)], code = [.. Enumerable.Range(7, 32).Select(i => (byte)i)];
        var suite = CipherSuite.Sha256Aes;
        var payload = new byte[128];

        var request = new OpenSessionRequest(3, IpmiPrivilege.Highest, 0xA0A1A2A3, suite);
        var length = request.Write(payload);
        Assert.True(OpenSessionRequest.TryRead(payload.AsSpan(0, length), out var readRequest, out _));
        Assert.Equal(request, readRequest);
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(OpenSessionRequest.TryRead(cut, out _, out _)));

        var response = new OpenSessionResponse(3, RakpStatus.Ok, IpmiPrivilege.Administrator, 0xA0A1A2A3) { BmcId = 77, Authentication = suite.Authentication, Integrity = suite.Integrity, Confidentiality = suite.Confidentiality };
        length = response.Write(payload);
        Assert.True(OpenSessionResponse.TryRead(payload.AsSpan(0, length), out var readResponse, out _));
        Assert.Equal(response, readResponse);
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(OpenSessionResponse.TryRead(cut, out _, out _)));

        length = new Rakp1 { Tag = 4, BmcId = 77, ConsoleRandom = random, Role = 0x14, Name = "ADMIN"u8 }.Write(payload);
        Assert.True(Rakp1.TryRead(payload.AsSpan(0, length), out var rakp1, out _));
        Assert.Equal((4, 77u, 0x14, "ADMIN"), (rakp1.Tag, rakp1.BmcId, rakp1.Role, System.Text.Encoding.ASCII.GetString(rakp1.Name)));
        Assert.Equal(random, rakp1.ConsoleRandom.ToArray());
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(Rakp1.TryRead(cut, out _, out _)));

        length = new Rakp2 { Tag = 4, ConsoleId = 1, BmcRandom = random, BmcGuid = guid, AuthenticationCode = code }.Write(payload);
        Assert.True(Rakp2.TryRead(payload.AsSpan(0, length), suite, out var rakp2, out _));
        Assert.Equal((4, RakpStatus.Ok, 1u), (rakp2.Tag, rakp2.Status, rakp2.ConsoleId));
        Assert.Equal([.. random, .. guid, .. code], (byte[])[.. rakp2.BmcRandom, .. rakp2.BmcGuid, .. rakp2.AuthenticationCode]);
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(Rakp2.TryRead(cut, suite, out _, out _)));

        length = new Rakp3 { Tag = 5, BmcId = 77, AuthenticationCode = code }.Write(payload);
        Assert.True(Rakp3.TryRead(payload.AsSpan(0, length), suite, out var rakp3, out _));
        Assert.Equal((5, RakpStatus.Ok, 77u), (rakp3.Tag, rakp3.Status, rakp3.BmcId));
        Assert.Equal(code, rakp3.AuthenticationCode.ToArray());
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(Rakp3.TryRead(cut, suite, out _, out _)));

        length = new Rakp4 { Tag = 5, ConsoleId = 1, CheckValue = code.AsSpan(0, 16) }.Write(payload);
        Assert.True(Rakp4.TryRead(payload.AsSpan(0, length), suite, out var rakp4, out _));
        Assert.Equal((5, RakpStatus.Ok, 1u), (rakp4.Tag, rakp4.Status, rakp4.ConsoleId));
        Assert.Equal(code[..16], rakp4.CheckValue.ToArray());
        Assert.All(Mutations.Truncations(payload[..length]), cut => Assert.False(Rakp4.TryRead(cut, suite, out _, out _)));
    }

    [Fact]
    public void A_refusal_needs_no_more_than_its_status()
    {
        var payload = new byte[64];
        var length = new OpenSessionResponse(1, RakpStatus.NoCipherSuiteMatch, IpmiPrivilege.Highest, 9).Write(payload);
        Assert.True(OpenSessionResponse.TryRead(payload.AsSpan(0, length), out var response, out _));
        Assert.Equal(RakpStatus.NoCipherSuiteMatch, response.Status);
        length = new Rakp2 { Tag = 1, Status = RakpStatus.UnauthorizedName, ConsoleId = 9 }.Write(payload);
        Assert.True(Rakp2.TryRead(payload.AsSpan(0, length), CipherSuite.Sha1Aes, out var rakp2, out _));
        Assert.Equal(RakpStatus.UnauthorizedName, rakp2.Status);
    }

    [Fact]
    public void A_sequence_number_is_taken_once_and_late_ones_within_the_window()
    {
        var window = new SequenceWindow();
        Assert.False(window.TryTake(0));
        Assert.True(window.TryTake(1));
        Assert.False(window.TryTake(1));
        Assert.True(window.TryTake(5));
        Assert.True(window.TryTake(3));
        Assert.False(window.TryTake(3));
        Assert.True(window.TryTake(500));
        Assert.False(window.TryTake(436));
        Assert.True(window.TryTake(437));
        Assert.False(window.TryTake(5));
    }

    [Fact]
    public void No_damaged_datagram_makes_a_reader_throw()
    {
        foreach (var datagram in GoodDatagrams())
        {
            foreach (var damaged in Mutations.Truncations(datagram).Concat(Mutations.Of(datagram, seed: 20, count: 4000))) ReadEverything(damaged);
        }
    }

    static void ReadEverything(byte[] damaged)
    {
        AsfPresence.TryReadPing(damaged, out _, out _);
        AsfPresence.TryReadPong(damaged, out _, out _);
        if (Session15Packet.TryRead(damaged, out var legacy, out _)) IpmbMessage.TryRead(legacy.Message, out _, out _);
        if (!RmcpPlusPacket.TryRead(damaged, out var packet, out _)) return;
        OpenSessionRequest.TryRead(packet.Payload, out _, out _);
        OpenSessionResponse.TryRead(packet.Payload, out _, out _);
        Rakp1.TryRead(packet.Payload, out _, out _);
        foreach (var suite in CipherSuite.Preferred)
        {
            Rakp2.TryRead(packet.Payload, suite, out _, out _);
            Rakp3.TryRead(packet.Payload, suite, out _, out _);
            Rakp4.TryRead(packet.Payload, suite, out _, out _);
            using var cipher = new SessionCipher(suite, Key(suite));
            cipher.TryOpen(packet, new byte[packet.Payload.Length], out _, out _);
        }
    }

    static IEnumerable<byte[]> GoodDatagrams()
    {
        byte[] random = new byte[16], code = new byte[32];
        var suite = CipherSuite.Sha256Aes;
        yield return Wrap(PayloadType.OpenSessionRequest, p => new OpenSessionRequest(1, IpmiPrivilege.Highest, 2, suite).Write(p));
        yield return Wrap(PayloadType.OpenSessionResponse, p => new OpenSessionResponse(1, RakpStatus.Ok, IpmiPrivilege.Administrator, 2)
        { BmcId = 3, Authentication = suite.Authentication, Integrity = suite.Integrity, Confidentiality = suite.Confidentiality }.Write(p));
        yield return Wrap(PayloadType.Rakp1, p => new Rakp1 { BmcId = 1, ConsoleRandom = random, Role = 0x14, Name = "ADMIN"u8 }.Write(p));
        yield return Wrap(PayloadType.Rakp2, p => new Rakp2 { ConsoleId = 1, BmcRandom = random, BmcGuid = random, AuthenticationCode = code }.Write(p));
        yield return Wrap(PayloadType.Rakp3, p => new Rakp3 { BmcId = 1, AuthenticationCode = code }.Write(p));
        yield return Wrap(PayloadType.Rakp4, p => new Rakp4 { ConsoleId = 1, CheckValue = code.AsSpan(0, 16) }.Write(p));
        // Outside a session: presence, and discovery with its answer.
        yield return Convert.FromHexString("0600ff06000011be802a0000");
        yield return Convert.FromHexString("0600ff06000011be40070010000011be000000008100000000000000");
        yield return Convert.FromHexString("0600ff07000000000000000000092018c88100388e04b5");
        using var cipher = new SessionCipher(suite, Key(suite));
        var datagram = new byte[256];
        yield return datagram[..cipher.Seal(datagram, PayloadType.IpmiMessage, 1, 1, Convert.FromHexString("81047b20180100000000c7"), new byte[16])];
    }

    static byte[] Wrap(PayloadType type, Func<byte[], int> write)
    {
        var payload = new byte[128];
        var length = write(payload);
        byte[] datagram = [.. new byte[RmcpPlusPacket.HeaderLength], .. payload[..length]];
        RmcpPlusPacket.Wrap(datagram, type, length);
        return datagram;
    }

    static byte[] Key(CipherSuite suite) => [.. Enumerable.Range(0, suite.HashLength).Select(i => (byte)i)];
}
