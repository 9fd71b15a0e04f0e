using System.Text;
using System.Text.Json;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Rmcp;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ipmi;

/// <summary>Whole sessions between ipmitool and OpenIPMI's simulator, against what an independent decoder made of them.</summary>
public sealed class RecordedSessionTests
{
    [CaseTheory]
    [InlineData("suite3")]
    [InlineData("solipmitool")]
    public void Every_code_key_and_payload_of_a_recorded_session_comes_out(string name)
    {
        var (datagrams, facts) = Load(name);
        var password = Encoding.ASCII.GetBytes(facts.GetProperty("password").GetString()!);
        using var session = new Replay(password);
        foreach (var (datagram, fact) in datagrams.Zip(facts.GetProperty("packets").EnumerateArray())) session.Check(datagram, fact);
        Assert.True(session.Opened > 10, $"only {session.Opened} packets were opened");
    }

    [CaseFact]
    public void A_wrong_password_shows_in_message_2()
    {
        var (datagrams, facts) = Load("wrongpw");
        using var session = new Replay(Encoding.ASCII.GetBytes(facts.GetProperty("password").GetString()!));
        foreach (var (datagram, fact) in datagrams.Zip(facts.GetProperty("packets").EnumerateArray())) session.Check(datagram, fact);
        Assert.False(session.PasswordProved);
    }

    [CaseFact]
    public void A_bmc_that_takes_suite_0_says_so_in_its_open_session_response()
    {
        var (datagrams, _) = Load("suite0");
        Assert.True(RmcpPlusPacket.TryRead(datagrams[3], out var packet, out _));
        Assert.True(OpenSessionResponse.TryRead(packet.Payload, out var response, out _));
        Assert.Equal(RakpStatus.Ok, response.Status);
        Assert.True(response.Chose(CipherSuite.Zero));
        Assert.False(response.Chose(CipherSuite.Sha1Aes));
    }

    [CaseFact]
    public void A_1_5_session_is_split_down_to_its_messages()
    {
        var (datagrams, facts) = Load("lan15");
        Assert.True(AsfPresence.TryReadPing(datagrams[0], out var tag, out _));
        Assert.True(AsfPresence.TryReadPong(datagrams[1], out var pong, out _));
        Assert.Equal(tag, pong.Tag);
        Assert.True(pong.SupportsIpmi);
        foreach (var (datagram, fact) in datagrams.Zip(facts.GetProperty("packets").EnumerateArray()).Skip(2))
        {
            Assert.True(Session15Packet.TryRead(datagram, out var packet, out var defect), defect.ToString());
            Assert.Equal(fact.GetProperty("authtype").GetInt32(), packet.AuthenticationType);
            Assert.Equal(Number(fact, "session_id"), packet.SessionId);
            Assert.Equal(fact.GetProperty("seq").GetUInt32(), packet.Sequence);
            Assert.Equal(fact.GetProperty("msg").GetString(), Convert.ToHexStringLower(packet.Message));
            Assert.True(IpmbMessage.TryRead(packet.Message, out _, out defect), defect.ToString());
        }
    }

    [CaseFact]
    public void Probes_seen_on_the_internet_are_told_apart()
    {
        var kinds = PcapFile.Read(SharedCases.PathOf("pcap/ipmi/rmcp-asf-ipmb.pcap")).Select(frame => frame.Udp()!.Data).Select(data =>
            AsfPresence.TryReadPing(data, out _, out _) ? "ping" : Session15Packet.TryRead(data, out var packet, out _) && IpmbMessage.TryRead(packet.Message, out var message, out _) ? $"{message.Function} {message.Command:x2}" : "?").ToList();
        Assert.Equal(["ping", "ping"], kinds[1..3]);
        Assert.All(kinds.Where((_, i) => i is not (1 or 2)), kind => Assert.Equal("App 38", kind));
    }

    [CaseFact]
    public void The_suite_17_handshake_of_a_real_bmc_is_read_to_the_end()
    {
        var packets = SharedCases.Json("ipmi/suite17-gigabyte-r163.json").GetProperty("packets").EnumerateArray().Select(p => Convert.FromHexString(p.GetString()!)).ToList();

        Assert.True(Session15Packet.TryRead(packets[1], out var legacy, out _));
        Assert.True(IpmbMessage.TryRead(legacy.Message, out var message, out _));
        Assert.True(new GetChannelAuthenticationCapabilities(IpmiPrivilege.Administrator).TryReadAnswer(message.Data[1..], out var capabilities));
        Assert.True(capabilities.SupportsIpmi20);
        Assert.Equal(AuthenticationTypes.Md5, capabilities.Types);

        // Asked outside a session too, but in the RMCP+ wrapper.
        Assert.True(RmcpPlusPacket.TryRead(packets[3], out var packet, out _));
        Assert.Equal(PayloadType.IpmiMessage, packet.Type);
        Assert.True(IpmbMessage.TryRead(packet.Payload, out message, out _));
        Assert.True(new GetChannelCipherSuites(0).TryReadAnswer(message.Data[1..], out var records));
        Assert.Equal([3, 17], CipherSuiteRecords.ReadIds(records.Octets.Span));

        Assert.True(RmcpPlusPacket.TryRead(packets[4], out packet, out _));
        Assert.True(OpenSessionRequest.TryRead(packet.Payload, out var request, out _));
        Assert.Equal((AuthenticationAlgorithm.HmacSha256, IntegrityAlgorithm.HmacSha256_128, ConfidentialityAlgorithm.AesCbc128), (request.Authentication, request.Integrity, request.Confidentiality));
        Assert.Equal(packets[4], Rewrap(PayloadType.OpenSessionRequest, p => request.Write(p)));

        Assert.True(RmcpPlusPacket.TryRead(packets[5], out packet, out _));
        Assert.True(OpenSessionResponse.TryRead(packet.Payload, out var response, out _));
        Assert.True(response.Chose(CipherSuite.Sha256Aes));
        Assert.Equal(IpmiPrivilege.Administrator, response.Privilege);

        Assert.True(RmcpPlusPacket.TryRead(packets[6], out packet, out _));
        Assert.True(Rakp1.TryRead(packet.Payload, out var rakp1, out _));
        Assert.Equal((byte)(Rakp1.NameOnlyLookup | (byte)IpmiPrivilege.Administrator), rakp1.Role);
        Assert.Equal(10, rakp1.Name.Length);
        Assert.Equal(response.BmcId, rakp1.BmcId);

        Assert.True(RmcpPlusPacket.TryRead(packets[7], out packet, out _));
        Assert.True(Rakp2.TryRead(packet.Payload, CipherSuite.Sha256Aes, out var rakp2, out _));
        Assert.Equal(32, rakp2.AuthenticationCode.Length);
        Assert.StartsWith("d14b8520", Convert.ToHexStringLower(rakp2.AuthenticationCode), StringComparison.Ordinal);

        Assert.True(RmcpPlusPacket.TryRead(packets[9], out packet, out _));
        Assert.True(Rakp4.TryRead(packet.Payload, CipherSuite.Sha256Aes, out var rakp4, out _));
        Assert.Equal(16, rakp4.CheckValue.Length);

        Assert.True(RmcpPlusPacket.TryRead(packets[11], out packet, out _));
        Assert.True(packet is { IsEncrypted: true, IsAuthenticated: true, Sequence: 1 });
        // Pad FF FF, its length, next header, and sixteen octets of auth code.
        Assert.Equal("ffff0207", Convert.ToHexStringLower(packet.Body.Slice(12 + packet.Payload.Length, 4)));
        Assert.Equal(12 + packet.Payload.Length + 4 + 16, packet.Body.Length);
    }

    [CaseFact]
    public void Message_2_codes_of_known_accounts_come_out()
    {
        foreach (var vector in SharedCases.Json("ipmi/rakp2-vectors.json").GetProperty("vectors").EnumerateArray())
        {
            var transcript = new RakpTranscript(CipherSuite.Sha1Aes, LittleEndian(vector, "sidm"), LittleEndian(vector, "sidc"), Hex(vector, "rm"), Hex(vector, "rc"), Hex(vector, "guid"),
                vector.GetProperty("role").GetByte(), Encoding.ASCII.GetBytes(vector.GetProperty("username").GetString()!));
            var code = new byte[RakpTranscript.MaxHash];
            var length = transcript.Rakp2Code(Encoding.ASCII.GetBytes(vector.GetProperty("password").GetString()!), code);
            Assert.Equal(vector.GetProperty("rakp2_hmac").GetString(), Convert.ToHexStringLower(code[..length]));
        }
    }

    static byte[] Rewrap(PayloadType type, Func<byte[], int> write)
    {
        var payload = new byte[128];
        var length = write(payload);
        var datagram = new byte[RmcpPlusPacket.HeaderLength + length];
        payload.AsSpan(0, length).CopyTo(datagram.AsSpan(RmcpPlusPacket.HeaderLength));
        return datagram[..RmcpPlusPacket.Wrap(datagram, type, length)];
    }

    static (List<byte[]>, JsonElement) Load(string name) =>
        (PcapFile.Read(SharedCases.PathOf($"pcap/ipmi/{name}.pcap")).Select(frame => frame.Udp()!.Data).ToList(), SharedCases.Json($"pcap/ipmi/{name}.facts.json"));

    static byte[] Hex(JsonElement fact, string name) => Convert.FromHexString(fact.GetProperty(name).GetString()!);

    static uint LittleEndian(JsonElement fact, string name) => BitConverter.ToUInt32(Hex(fact, name));

    static uint Number(JsonElement fact, string name) => Convert.ToUInt32(fact.GetProperty(name).GetString(), 16);

    /// <summary>Follows a session packet by packet with the password in hand.</summary>
    sealed class Replay(byte[] password) : IDisposable
    {
        OpenSessionResponse response;
        byte[] consoleRandom = [], name = [];
        byte role;
        RakpTranscript? transcript;
        byte[] sessionKey = [];
        SessionCipher? cipher;

        public int Opened { get; private set; }
        public bool PasswordProved { get; private set; }

        public void Check(byte[] datagram, JsonElement fact)
        {
            if (fact.GetProperty("type").GetString() == "ipmi1.5") { Assert.False(RmcpPlusPacket.IsRmcpPlus(datagram)); return; }
            Assert.True(RmcpPlusPacket.IsRmcpPlus(datagram));
            Assert.True(RmcpPlusPacket.TryRead(datagram, out var packet, out var defect), defect.ToString());
            Assert.Equal(Convert.ToInt32(fact.GetProperty("payload_type").GetString(), 16), (int)packet.Type);
            Assert.Equal(fact.GetProperty("encrypted").GetBoolean(), packet.IsEncrypted);
            Assert.Equal(Number(fact, "session_id"), packet.SessionId);
            Assert.Equal(fact.GetProperty("session_seq").GetUInt32(), packet.Sequence);
            switch (packet.Type)
            {
                case PayloadType.OpenSessionResponse:
                    Assert.True(OpenSessionResponse.TryRead(packet.Payload, out response, out _));
                    Assert.Equal(LittleEndian(fact, "bmc_sid"), response.BmcId);
                    Assert.True(response.Chose(CipherSuite.Sha1Aes));
                    Assert.Equal(datagram, Rewrap(packet.Type, p => response.Write(p)));
                    break;
                case PayloadType.Rakp1:
                    Assert.True(Rakp1.TryRead(packet.Payload, out var rakp1, out _));
                    (consoleRandom, name, role) = (rakp1.ConsoleRandom.ToArray(), rakp1.Name.ToArray(), rakp1.Role);
                    Assert.Equal(fact.GetProperty("username").GetString(), Encoding.ASCII.GetString(name));
                    break;
                case PayloadType.Rakp2: CheckRakp2(packet, fact); break;
                case PayloadType.Rakp3:
                    Assert.True(Rakp3.TryRead(packet.Payload, CipherSuite.Sha1Aes, out var rakp3, out _));
                    AssertCode(rakp3.AuthenticationCode, d => transcript!.Rakp3Code(password, d));
                    break;
                case PayloadType.Rakp4:
                    Assert.True(Rakp4.TryRead(packet.Payload, CipherSuite.Sha1Aes, out var rakp4, out _));
                    AssertCode(rakp4.CheckValue, d => transcript!.Rakp4Code(sessionKey, d));
                    break;
                case PayloadType.IpmiMessage or PayloadType.SerialOverLan: CheckSealed(datagram, packet, fact); break;
            }
        }

        void CheckRakp2(in RmcpPlusPacket packet, JsonElement fact)
        {
            Assert.True(Rakp2.TryRead(packet.Payload, CipherSuite.Sha1Aes, out var rakp2, out _));
            transcript = new(CipherSuite.Sha1Aes, response.ConsoleId, response.BmcId, consoleRandom, rakp2.BmcRandom, rakp2.BmcGuid, role, name);
            var code = new byte[RakpTranscript.MaxHash];
            var length = transcript.Rakp2Code(password, code);
            PasswordProved = rakp2.AuthenticationCode.SequenceEqual(code.AsSpan(0, length));
            Assert.Equal(fact.GetProperty("hmac_valid_for_given_password").GetBoolean(), PasswordProved);
            length = transcript.SessionKey(password, code);
            sessionKey = code[..length];
            Assert.Equal(fact.GetProperty("sik").GetString(), Convert.ToHexStringLower(sessionKey));
            cipher = new(CipherSuite.Sha1Aes, sessionKey);
        }

        void CheckSealed(byte[] datagram, in RmcpPlusPacket packet, JsonElement fact)
        {
            var clear = new byte[packet.Payload.Length];
            Assert.True(cipher!.TryOpen(packet, clear, out var length, out var defect), defect.ToString());
            Assert.Equal(fact.GetProperty("payload").GetString(), Convert.ToHexStringLower(clear[..length]));
            // With the same initialisation vector our own sealing gives the peer's octets.
            var again = new byte[datagram.Length + 64];
            var total = cipher.Seal(again, packet.Type, packet.SessionId, packet.Sequence, clear.AsSpan(0, length), packet.Payload[..SessionCipher.BlockLength]);
            Assert.Equal(datagram, again[..total]);
            if (fact.TryGetProperty("ipmi", out var ipmi)) CheckMessage(clear.AsSpan(0, length), ipmi);
            else CheckSol(clear.AsSpan(0, length), fact.GetProperty("sol"));
            Opened++;
        }

        static void CheckMessage(ReadOnlySpan<byte> octets, JsonElement ipmi)
        {
            Assert.True(IpmbMessage.TryRead(octets, out var message, out var defect), defect.ToString());
            Assert.Equal(ipmi.GetProperty("netfn").GetInt32(), (int)message.Function | (message.IsAnswer ? 1 : 0));
            Assert.Equal(Convert.ToInt32(ipmi.GetProperty("cmd").GetString(), 16), message.Command);
            Assert.Equal(ipmi.GetProperty("data").GetString(), Convert.ToHexStringLower(message.Data));
        }

        static void CheckSol(ReadOnlySpan<byte> octets, JsonElement sol)
        {
            Assert.True(SolPacket.TryRead(octets, out var packet, out var defect), defect.ToString());
            Assert.Equal(sol.GetProperty("seq").GetInt32(), packet.Sequence);
            Assert.Equal(sol.GetProperty("ack").GetInt32(), packet.Acknowledged);
            Assert.Equal(sol.GetProperty("accepted").GetInt32(), packet.Accepted);
            Assert.Equal(sol.GetProperty("data").GetString(), Convert.ToHexStringLower(packet.Characters));
            var again = new byte[octets.Length];
            Assert.Equal(octets.Length, packet.Write(again));
            Assert.Equal(octets, again);
        }

        static void AssertCode(ReadOnlySpan<byte> onTheWire, Func<byte[], int> compute)
        {
            var code = new byte[RakpTranscript.MaxHash];
            Assert.Equal(Convert.ToHexStringLower(onTheWire), Convert.ToHexStringLower(code[..compute(code)]));
        }

        public void Dispose() => cipher?.Dispose();
    }
}
