using System.Text;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Snmp;

public sealed class UsmTests
{
    static readonly byte[] Engine = Convert.FromHexString("80001f8880a9498e5e3a2c3043");

    // RFC 3414, appendices A.3.1 and A.3.2: password "maplesyrup", engine 00 00 00 00 00 00 00 00 00 00 00 02.
    [Theory]
    [InlineData(UsmAuthentication.Md5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b")]
    [InlineData(UsmAuthentication.Sha1, "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f")]
    public void Keys_are_those_of_rfc_3414(UsmAuthentication authentication, string key, string localized)
    {
        var ku = UsmKey.FromPassphrase(authentication, "maplesyrup"u8);
        Assert.Equal(key, Convert.ToHexStringLower(ku));
        Assert.Equal(localized, Convert.ToHexStringLower(UsmKey.Localize(authentication, ku, Convert.FromHexString("000000000000000000000002"))));
    }

    // FIPS 180-2, change notice 1: "abc", two blocks, and a million times "a".
    [Theory]
    [InlineData("abc", 1, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525")]
    [InlineData("a", 1_000_000, "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67")]
    public void Sha_224_is_that_of_the_standard(string text, int times, string digest)
    {
        using var hash = new Sha224();
        var result = new byte[Sha224.Length];
        for (var round = 0; round < 2; round++) // and again, after a reset
        {
            for (var i = 0; i < times; i++) hash.Append(Encoding.ASCII.GetBytes(text));
            hash.Finish(result);
            Assert.Equal(digest, Convert.ToHexStringLower(result));
        }
    }

    // RFC 4231, test cases 1 and 6 (a key longer than a block).
    [Theory]
    [InlineData("0b", 20, "Hi There", "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22")]
    [InlineData("aa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e")]
    public void Hmac_sha_224_is_that_of_rfc_4231(string octet, int count, string text, string expected)
    {
        using var hmac = new Hmac224(Enumerable.Repeat(Convert.FromHexString(octet)[0], count).ToArray());
        var result = new byte[Sha224.Length];
        for (var round = 0; round < 2; round++)
        {
            hmac.Append(Encoding.ASCII.GetBytes(text));
            hmac.Finish(result);
            Assert.Equal(expected, Convert.ToHexStringLower(result));
        }
    }

    [CaseFact]
    public void Keys_are_those_of_the_collected_vectors()
    {
        foreach (var vector in SharedCases.Json("vectors/rfc3414-usm-keys.json").GetProperty("vectors").EnumerateArray())
        {
            var authentication = Enum.Parse<UsmAuthentication>(vector.GetProperty("hash").GetString()!, ignoreCase: true);
            var ku = UsmKey.FromPassphrase(authentication, Encoding.ASCII.GetBytes(vector.GetProperty("password").GetString()!));
            Assert.Equal(vector.GetProperty("Ku").GetString(), Convert.ToHexStringLower(ku));
            var kul = UsmKey.Localize(authentication, ku, Convert.FromHexString(vector.GetProperty("engineID").GetString()!));
            Assert.Equal(vector.GetProperty("Kul").GetString(), Convert.ToHexStringLower(kul));
        }
    }

    [CaseFact]
    public void Published_messages_are_signed_as_others_sign_them()
    {
        foreach (var vector in SharedCases.Json("vectors/snmpv3-auth-messages.json").EnumerateArray())
        {
            var authentication = Enum.Parse<UsmAuthentication>(vector.GetProperty("auth").GetString()!, ignoreCase: true);
            var engine = Convert.FromHexString(vector.GetProperty("engine_id").GetString()!);
            var ku = UsmKey.FromPassphrase(authentication, Encoding.ASCII.GetBytes(vector.GetProperty("password").GetString()!));
            using var user = new UsmUser(Encoding.ASCII.GetBytes(vector.GetProperty("user").GetString()!), authentication, UsmKey.Localize(authentication, ku, engine), UsmPrivacy.None, default);
            var blank = vector.GetProperty("message_with_zeroed_auth").GetString()!;
            var zeros = new string('0', authentication.SignatureLength() * 2);
            var signed = Convert.FromHexString(blank.Replace($"04{authentication.SignatureLength():x2}{zeros}", $"04{authentication.SignatureLength():x2}{vector.GetProperty("expected_digest").GetString()}"));

            Assert.True(V3Message.TryRead(signed, out var message, out var defect), defect.ToString());
            Assert.Equal(vector.GetProperty("boots").GetInt32(), message.Boots);
            Assert.Equal(vector.GetProperty("time").GetInt32(), message.Time);
            Assert.Equal(engine, message.EngineId);
            Assert.Equal(vector.GetProperty("flags").GetInt32(), (int)message.Flags);
            Assert.True(message.IsSignedBy(user));

            signed[^1] ^= 1;
            Assert.True(V3Message.TryRead(signed, out message, out _));
            Assert.False(message.IsSignedBy(user));
        }
    }

    [CaseFact]
    public void Every_algorithm_of_net_snmp_is_verified_and_decrypted()
    {
        var frames = PcapFile.Read(SharedCases.PathOf("pcap/snmp/v3_allalgs.pcap"));
        var opened = 0;
        foreach (var fact in SharedCases.Json("pcap/snmp/v3_allalgs.facts.json").EnumerateArray())
        {
            var datagram = frames[fact.GetProperty("packet").GetInt32() - 1].Udp()!.Data;
            Assert.True(V3Message.TryRead(datagram, out var message, out var defect), defect.ToString());
            Assert.Equal(fact.GetProperty("msgID").GetInt32(), message.MessageId);
            Assert.Equal(fact.GetProperty("engine_id").GetString(), Convert.ToHexStringLower(message.EngineId));
            var name = fact.GetProperty("user").GetString()!;
            using var user = RecordedUser(name, message.EngineId);
            if (fact.TryGetProperty("auth_key", out var key))
            {
                var passphrase = Encoding.ASCII.GetBytes($"authpass-{AuthenticationOf(name).ToString().ToLowerInvariant().Replace("sha1", "sha")}");
                Assert.Equal(key.GetString(), Convert.ToHexStringLower(UsmKey.Localize(user.Authentication, UsmKey.FromPassphrase(user.Authentication, passphrase), message.EngineId)));
                opened++;
            }
            Assert.True(message.TryOpen(user, out var scoped, out defect), $"{name}: {defect}");

            var expected = Convert.FromHexString(fact.GetProperty("scoped_pdu").GetString()!);
            Span<byte> again = new byte[expected.Length];
            var writer = new BerWriter(again);
            scoped!.Write(ref writer);
            Assert.Equal(expected, writer.Written.ToArray());
        }
        Assert.Equal(16, opened);
    }

    static UsmAuthentication AuthenticationOf(string name) => name switch
    {
        "uMd5" or "uMd5Des" => UsmAuthentication.Md5,
        "uShaAes" or "uShaDes" => UsmAuthentication.Sha1,
        "uSha224Aes" => UsmAuthentication.Sha224,
        "uSha256Aes" => UsmAuthentication.Sha256,
        "uSha384Aes192" => UsmAuthentication.Sha384,
        "uSha512Aes256" => UsmAuthentication.Sha512,
        _ => UsmAuthentication.None,
    };

    static UsmUser RecordedUser(string name, ReadOnlySpan<byte> engine)
    {
        var authentication = AuthenticationOf(name);
        if (authentication == UsmAuthentication.None) return new(Encoding.ASCII.GetBytes(name), authentication, default, UsmPrivacy.None, default);
        var privacy = name switch
        {
            "uMd5" => UsmPrivacy.None,
            _ when name.EndsWith("Des") => UsmPrivacy.Des,
            _ when name.EndsWith("Aes192") => UsmPrivacy.Aes192,
            _ when name.EndsWith("Aes256") => UsmPrivacy.Aes256,
            _ => UsmPrivacy.Aes128,
        };
        var digest = authentication.ToString().ToLowerInvariant().Replace("sha1", "sha");
        return MakeUser(name, authentication, $"authpass-{digest}", privacy, $"privpass-{privacy.ToString().ToLowerInvariant().Replace("128", "")}", engine);
    }

    static UsmUser MakeUser(string name, UsmAuthentication authentication, string passphrase, UsmPrivacy privacy, string privacyPassphrase, ReadOnlySpan<byte> engine, UsmKeyExtension extension = UsmKeyExtension.Blumenthal)
    {
        var key = UsmKey.Localize(authentication, UsmKey.FromPassphrase(authentication, Encoding.ASCII.GetBytes(passphrase)), engine);
        var localized = UsmKey.Localize(authentication, UsmKey.FromPassphrase(authentication, Encoding.ASCII.GetBytes(privacyPassphrase)), engine);
        return new(Encoding.ASCII.GetBytes(name), authentication, key, privacy, UsmKey.ForPrivacy(authentication, privacy, extension, localized, engine));
    }

    [Theory]
    [InlineData(UsmAuthentication.Sha1, UsmPrivacy.Aes128, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha224, UsmPrivacy.Aes128, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha256, UsmPrivacy.None, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha384, UsmPrivacy.Aes192, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha512, UsmPrivacy.Aes256, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha1, UsmPrivacy.Aes256, UsmKeyExtension.Blumenthal)]
    [InlineData(UsmAuthentication.Sha1, UsmPrivacy.Aes256, UsmKeyExtension.Reeder)]
    public void What_is_written_is_read_by_the_same_user_and_by_no_other(UsmAuthentication authentication, UsmPrivacy privacy, UsmKeyExtension extension)
    {
        using var user = MakeUser("grid", authentication, "first passphrase", privacy, "second passphrase", Engine, extension);
        using var other = MakeUser("grid", authentication, "wrong passphrase", privacy, "second passphrase", Engine, extension);
        var scoped = SampleScoped();
        var datagram = Write(user, scoped);

        Assert.True(V3Message.TryRead(datagram, out var message, out var defect), defect.ToString());
        Assert.Equal(user.Level, message.Level);
        Assert.True(message.TryOpen(user, out var read, out defect), defect.ToString());
        Assert.Equal(scoped.Pdu.Varbinds.AsEnumerable(), read!.Pdu.Varbinds);
        Assert.Equal("vlan-7", read.ContextName);
        Assert.False(message.TryOpen(other, out _, out defect));
        Assert.Equal(SnmpDefect.WrongDigest, defect);
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_signed_message_is_noticed()
    {
        using var user = MakeUser("grid", UsmAuthentication.Sha256, "first passphrase", UsmPrivacy.Aes128, "second passphrase", Engine);
        var datagram = Write(user, SampleScoped());
        for (var bit = 0; bit < datagram.Length * 8; bit++)
        {
            var damaged = datagram.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit & 7));
            if (!V3Message.TryRead(damaged, out var message, out _)) continue;
            Assert.False(message.Level == user.Level && message.TryOpen(user, out _, out _), $"bit {bit}");
        }
    }

    [Fact]
    public void No_damage_makes_the_reader_throw()
    {
        using var user = MakeUser("grid", UsmAuthentication.Sha256, "first passphrase", UsmPrivacy.Aes128, "second passphrase", Engine);
        using var plain = new UsmUser("grid"u8, UsmAuthentication.None, default, UsmPrivacy.None, default);
        foreach (var writer in new[] { user, plain })
        {
            var datagram = Write(writer, SampleScoped());
            foreach (var damaged in Mutations.Truncations(datagram))
            {
                Assert.False(V3Message.TryRead(damaged, out _, out var defect));
                Assert.NotEqual(SnmpDefect.None, defect);
            }
            foreach (var damaged in Mutations.Of(datagram, seed: 3414, count: 20_000))
            {
                if (V3Message.TryRead(damaged, out var message, out _)) message.TryOpen(writer, out _, out _);
                V3Message.TryPeekMessageId(damaged, out _);
            }
        }
    }

    [Fact]
    public void Privacy_without_authentication_is_no_message()
    {
        using var plain = new UsmUser("grid"u8, UsmAuthentication.None, default, UsmPrivacy.None, default);
        var datagram = Write(plain, SampleScoped());
        var flags = datagram.AsSpan().IndexOf([(byte)4, (byte)1, (byte)4]) + 2;
        datagram[flags] = 6;
        Assert.False(V3Message.TryRead(datagram, out _, out var defect));
        Assert.Equal(SnmpDefect.BadFlags, defect);
        Assert.Throws<ArgumentException>(() => new UsmUser("x"u8, UsmAuthentication.None, default, UsmPrivacy.Aes128, new byte[16]));
    }

    [Fact]
    public void Nothing_is_written_with_DES()
    {
        using var user = MakeUser("grid", UsmAuthentication.Sha1, "first passphrase", UsmPrivacy.Des, "second passphrase", Engine);
        Assert.Throws<NotSupportedException>(() => Write(user, SampleScoped()));
    }

    [Fact]
    public void An_engines_clock_only_moves_forward_and_old_messages_are_refused()
    {
        var clock = new EngineClock(Boots: 5, Time: 1000, HeardAt: 100);
        Assert.Equal(1010, clock.TimeAt(110));
        Assert.True(clock.TryAdvance(5, 1020, 110, out var next));
        Assert.Equal(new(5, 1020, 110), next);
        Assert.True(clock.TryAdvance(5, 1000 - 150, 100, out next));
        Assert.Equal(clock, next);
        Assert.False(clock.TryAdvance(5, 1000 - 151, 100, out _));
        Assert.False(clock.TryAdvance(4, 5000, 100, out _));
        Assert.True(clock.TryAdvance(6, 1, 100, out next)); // it rebooted
        Assert.Equal(new(6, 1, 100), next);
        Assert.False(clock.TryAdvance(EngineClock.Latched, 1, 100, out _));
        Assert.True(EngineClock.IsTimely(5, 1150, 5, 1000));
        Assert.False(EngineClock.IsTimely(5, 1151, 5, 1000));
        Assert.False(EngineClock.IsTimely(4, 1000, 5, 1000));
        Assert.False(EngineClock.IsTimely(EngineClock.Latched, 1, EngineClock.Latched, 1));
    }

    [Fact]
    public void Every_report_is_known_again()
    {
        foreach (var report in Enum.GetValues<UsmReport>().Where(r => r != UsmReport.Unknown)) Assert.Equal(report, UsmReports.Of(UsmReports.Create(report, 1, 7)));
        Assert.Equal(UsmReport.Unknown, UsmReports.Of(new() { Type = SnmpPduType.Report, RequestId = 1 }));
    }

    static ScopedPdu SampleScoped() => new()
    {
        ContextEngineId = Engine,
        ContextName = "vlan-7",
        Pdu = new() { Type = SnmpPduType.Set, RequestId = 77, Varbinds = [new(ObjectIdentifier.Parse("1.3.6.1.2.1.1.5.0"), SnmpValue.Text("a name"))] },
    };

    static byte[] Write(UsmUser user, ScopedPdu scoped)
    {
        var buffer = new byte[1500];
        var envelope = new V3Envelope { MessageId = 42, MaximumSize = 65507, IsReportable = true, EngineId = Engine, Boots = 3, Time = 77, Salt = 0x0123456789abcdef };
        return buffer[..envelope.Write(buffer, user, scoped)];
    }
}
