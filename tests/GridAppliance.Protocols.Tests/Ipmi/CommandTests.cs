using GridAppliance.Protocols.Addresses;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Events;
using GridAppliance.Protocols.Ipmi.Fru;
using GridAppliance.Protocols.Ipmi.Sensors;
using GridAppliance.Protocols.Ipmi.Session;
using GridAppliance.Protocols.Ipmi.Sol;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Ipmi;

public sealed class CommandTests
{
    [Theory]
    [InlineData(BootDeviceSelector.Pxe, false, false, "058004000000")]
    [InlineData(BootDeviceSelector.Pxe, true, true, "05e004000000")]
    [InlineData(BootDeviceSelector.HardDisk, true, false, "05c008000000")]
    [InlineData(BootDeviceSelector.Setup, false, true, "05a018000000")]
    public void Boot_flags_are_laid_out_as_parameter_5(BootDeviceSelector device, bool persistent, bool uefi, string hex)
    {
        Assert.Equal(hex, Data(new SetBootFlags(new() { IsValid = true, IsPersistent = persistent, IsUefi = uefi, Device = device })));
        // The answer: parameter version 1, then what was set.
        Assert.True(new GetBootFlags().TryReadAnswer(Convert.FromHexString("01" + hex), out var flags));
        Assert.Equal(new() { IsValid = true, IsPersistent = persistent, IsUefi = uefi, Device = device }, flags);
    }

    [Fact]
    public void Requests_carry_the_octets_that_the_specification_names()
    {
        Assert.Equal("02", Data(new ChassisControl(ChassisAction.PowerCycle)));
        Assert.Equal("0f", Data(new ChassisIdentify(15, false)));
        Assert.Equal("0001", Data(new ChassisIdentify(0, true)));
        Assert.Equal("0101c6000000", Data(new ActivateSol(1, true, true)));
        Assert.Equal("010100000000", Data(new DeactivateSol(1)));
        Assert.Equal("0102034c", Data(new ReadFruData(1, 0x0302, 0x4C)));
        Assert.Equal("0e0081", Data(new GetChannelCipherSuites(1)));
        Assert.Equal("01436f6e736f6c65000000000000000000", Data(new SetUserName(1, "Console")));
        Assert.Equal("0202" + Convert.ToHexStringLower("secret"u8) + "00000000000000000000", Data(new SetUserPassword(2, PasswordOperation.Set, "secret"u8.ToArray())));
        Assert.Equal("8202" + Convert.ToHexStringLower("seventeen octets!"u8) + "000000", Data(new SetUserPassword(2, PasswordOperation.Set, "seventeen octets!"u8.ToArray())));
        Assert.Equal("b10204", Data(new SetUserAccess(1, 2, IpmiPrivilege.Administrator, true)));
        Assert.Equal("01030a4d0001", Data(SetLanParameter.Address(1, LanParameter.IpAddress, Ipv4Address.Parse("10.77.0.1"))));
        Assert.Equal("01142c81", Data(SetLanParameter.Vlan(1, 300)));
        Assert.Equal("01140000", Data(SetLanParameter.Vlan(1, 0)));
        Assert.Equal("0200434c52aa", Data(new ClearEventLog(new(2), Start: true)));
    }

    [Fact]
    public void A_password_never_shows_in_a_request_printed() =>
        Assert.DoesNotContain("secret", new SetUserPassword(2, PasswordOperation.Set, "secret"u8.ToArray()).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Only_a_cycle_a_reset_and_an_interrupt_are_not_repeated() =>
        Assert.Equal([ChassisAction.PowerCycle, ChassisAction.HardReset, ChassisAction.Diagnostic], Enum.GetValues<ChassisAction>().Where(action => !new ChassisControl(action).IsRepeatable));

    [Fact]
    public void A_device_says_who_made_it()
    {
        Assert.True(new GetDeviceId().TryReadAnswer(Convert.FromHexString("00830908029f911200020f00000000"), out var device));
        Assert.Equal(new()
        {
            Id = 0, Revision = 3, ProvidesSdrs = true, FirmwareMajor = 9, FirmwareMinor = 8, IpmiMajor = 2, IpmiMinor = 0, Support = (DeviceSupport)0x9F, Manufacturer = 0x1291, Product = 0x0F02,
        }, device);
    }

    [Fact]
    public void The_same_uuid_is_recognised_in_each_order_that_makers_send()
    {
        var uuid = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        foreach (var wire in new[] { "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100", "33221100554477668899aabbccddeeff" })
        {
            Assert.True(new GetSystemGuid().TryReadAnswer(Convert.FromHexString(wire), out var guid));
            Assert.True(guid.Matches(uuid), wire);
        }
    }

    [Fact]
    public void Cipher_suites_are_found_among_oem_records_and_over_the_seam_of_two_pieces()
    {
        Assert.Equal([3, 17], CipherSuiteRecords.ReadIds(Convert.FromHexString("c003014181c011034481")));
        Assert.Equal([0, 3], CipherSuiteRecords.ReadIds(Convert.FromHexString("c0000000" + "c180a2b2c20141" + "c003014181")));
        Assert.Empty(CipherSuiteRecords.ReadIds(Convert.FromHexString("0102")));
        Assert.Equal([3], CipherSuiteRecords.ReadIds(Convert.FromHexString("c003014181c0")));
    }

    [Fact]
    public void Algorithms_tell_which_suites_there_can_be()
    {
        // OpenIPMI's simulator: everything but SHA-256.
        Assert.True(new GetChannelAlgorithms().TryReadAnswer(Convert.FromHexString("0100010240414243818283"), out var algorithms));
        Assert.Equal([3], CipherSuite.Preferred.Where(algorithms.Allow).Select(s => (int)s.Id));
        Assert.True(new GetChannelAlgorithms().TryReadAnswer(Convert.FromHexString("01010341448081"), out algorithms));
        Assert.Equal([17, 3, 16], CipherSuite.Preferred.Where(algorithms.Allow).Select(s => (int)s.Id));
        Assert.False(new GetChannelAlgorithms().TryReadAnswer(Convert.FromHexString("01c003014181"), out _));
        Assert.False(new GetChannelAlgorithms().TryReadAnswer([1], out _));
    }

    [Fact]
    public void A_tagged_lan_is_told_from_an_untagged_one()
    {
        Assert.Equal((ushort)300, new LanValue(new byte[] { 0x2C, 0x81 }).Vlan);
        Assert.Equal((ushort)0, new LanValue(new byte[] { 0x2C, 0x01 }).Vlan);
        Assert.Null(new LanValue(new byte[] { 0x2C }).Vlan);
    }

    /// <summary>A temperature sensor as section 43.1 lays one out, with M = 2, B = -10, K1 = 1, K2 = -1.</summary>
    static byte[] TemperatureRecord(string name)
    {
        var record = new byte[48 + name.Length];
        (record[0], record[2], record[3], record[4]) = (0x34, 0x51, 0x01, (byte)(record.Length - 5));
        (record[5], record[7], record[8], record[9]) = (0x20, 0x42, 0x03, 0x01);
        (record[12], record[13]) = (0x01, 0x01);
        record[18] = 0b0001_1000;
        (record[20], record[21]) = (0x80, 0x01);
        (record[24], record[26], record[27], record[29]) = (2, unchecked((byte)-10), 0xC0, 0xF1);
        (record[37], record[38]) = (100, 90);
        record[47] = (byte)(0xC0 | name.Length);
        System.Text.Encoding.ASCII.GetBytes(name, record.AsSpan(48));
        return record;
    }

    [Fact]
    public void A_full_sensor_record_gives_values_thresholds_and_name()
    {
        var record = TemperatureRecord("CPU 1 Temp");
        Assert.True(SensorRecord.TryRead(record, out var sensor));
        Assert.Equal(("CPU 1 Temp", (byte)0x42, "degrees C", true), (sensor.Name, sensor.Number, sensor.Unit.ToString(), sensor.IsThreshold));
        // (2·30 - 10·10)·0.1
        Assert.Equal(-4.0, sensor.Conversion!.ToValue(30)!.Value, 9);
        Assert.Equal(-12.0, sensor.Conversion.ToValue(unchecked((byte)-10))!.Value, 9);
        Assert.Equal((10.0, 8.0, null), (sensor.Thresholds.UpperCritical!.Value, sensor.Thresholds.UpperNonCritical!.Value, sensor.Thresholds.LowerCritical));
        Assert.All(Mutations.Truncations(record), cut => Assert.False(SensorRecord.TryRead(cut, out _)));
        foreach (var damaged in Mutations.Of(record, 3, 5000)) if (SensorRecord.TryRead(damaged, out var any)) any.Conversion?.ToValue(damaged[0]);
    }

    [Fact]
    public void A_compact_record_and_a_locator_are_read_to_their_names_and_no_damage_makes_the_readers_throw()
    {
        // A power supply's status as section 43.2 lays it out, and the inventory of a board behind the BMC as section 43.8 does.
        var compact = Convert.FromHexString("1200" + "51" + "02" + "20" + "2000" + "c8" + "0a01" + "6740" + "086f" + "0b00" + "0b00" + "0b00" + "c00000" + "0100" + "00000000" + "00" + "00" + "c5" + "5053312053");
        Assert.True(SensorRecord.TryRead(compact, out var sensor));
        Assert.Equal(("PS1 S", (byte)0xC8, (byte)0x0A, (byte)0x08, (byte)0x6F, false), (sensor.Name, sensor.Number, sensor.Entity, sensor.SensorType, sensor.EventType, sensor.IsThreshold));
        var locator = Convert.FromHexString("2100" + "51" + "11" + "0f" + "20" + "01" + "80" + "00" + "00" + "1000" + "0701" + "00" + "c4" + "4d423031");
        Assert.True(FruLocator.TryRead(locator, out var read));
        Assert.Equal(new(0x20, 1, true, 7, 1, "MB01"), read);
        Assert.True(read.IsReadThroughBmc);
        foreach (var record in (byte[][])[compact, locator])
        {
            foreach (var cut in Mutations.Truncations(record)) Assert.False(SensorRecord.TryRead(cut, out _) || FruLocator.TryRead(cut, out _));
            foreach (var damaged in Mutations.Of(record, 43, 5000)) _ = (SensorRecord.TryRead(damaged, out _), FruLocator.TryRead(damaged, out _));
        }
    }

    [Theory]
    [InlineData(Linearisation.Ln, 2.302585093)]
    [InlineData(Linearisation.Log10, 1)]
    [InlineData(Linearisation.Log2, 3.321928095)]
    [InlineData(Linearisation.Exp10, 1e10)]
    [InlineData(Linearisation.Exp2, 1024)]
    [InlineData(Linearisation.Reciprocal, 0.1)]
    [InlineData(Linearisation.Square, 100)]
    [InlineData(Linearisation.Cube, 1000)]
    [InlineData(Linearisation.SquareRoot, 3.16227766)]
    [InlineData(Linearisation.CubeRoot, 2.15443469)]
    public void Linearisations_do_what_they_are_called(Linearisation linearisation, double expected) =>
        Assert.Equal(expected, new SensorConversion(AnalogFormat.Unsigned, linearisation, 1, 0, 0, 0).ToValue(10)!.Value, 6);

    [Fact]
    public void A_value_outside_the_domain_is_no_value()
    {
        Assert.Null(new SensorConversion(AnalogFormat.Unsigned, Linearisation.Ln, 1, 0, 0, 0).ToValue(0));
        Assert.Null(new SensorConversion(AnalogFormat.Unsigned, Linearisation.Reciprocal, 1, 0, 0, 0).ToValue(0));
        Assert.Equal(0, new SensorConversion(AnalogFormat.OnesComplement, Linearisation.Linear, 1, 0, 0, 0).ToValue(0xFF));
    }

    [Fact]
    public void Units_read_as_people_write_them()
    {
        Assert.Equal("RPM", new SensorUnit(0, 18, 0).ToString());
        Assert.Equal("percent", new SensorUnit(1, 0, 0).ToString());
        Assert.Equal("CFM per minute", new SensorUnit(4 << 3, 17, 0).ToString());
        Assert.Equal("Watts*hour", new SensorUnit(2 << 1, 6, 24).ToString());
        Assert.Equal("unit 250", new SensorUnit(0, 250, 0).ToString());
    }

    [Fact]
    public void An_event_is_told_in_words()
    {
        var octets = Convert.FromHexString("0100" + "02" + "80e0a765" + "2000" + "04" + "01" + "30" + "01" + "59" + "6e64");
        Assert.True(SelEntry.TryRead(octets, out var entry));
        Assert.Equal(new DateTimeOffset(2024, 1, 17, 14, 13, 20, TimeSpan.Zero), entry.Time);
        Assert.Equal("Temperature", EventText.SensorType(entry.SensorType));
        Assert.Equal("Upper Critical going high", EventText.Describe(entry));
        Assert.False(entry.IsDeassertion);
        var again = new byte[SelEntry.Length];
        entry.Write(again);
        Assert.Equal(octets, again);
        Assert.All(Mutations.Truncations(octets), cut => Assert.False(SelEntry.TryRead(cut, out _)));
        foreach (var damaged in Mutations.Of(octets, 5, 5000)) if (SelEntry.TryRead(damaged, out var any)) Assert.NotEmpty(EventText.Describe(any));
    }

    [Fact]
    public void A_bmc_that_does_not_know_the_date_gives_no_time()
    {
        Assert.True(SelEntry.TryRead(Convert.FromHexString("0100" + "02" + "05000000" + "2000" + "04" + "14" + "30" + "6f" + "02" + "ffff"), out var entry));
        Assert.Null(entry.Time);
        Assert.Equal("Reset Button pressed", EventText.Describe(entry));
    }

    [Fact]
    public void Sol_numbers_go_round_without_zero()
    {
        Assert.Equal(1, SolPacket.Next(0));
        Assert.Equal(15, SolPacket.Next(14));
        Assert.Equal(1, SolPacket.Next(15));
        foreach (var damaged in Mutations.Of(Convert.FromHexString("0100000068656c6c6f20736f6c0d"), 9, 5000)) SolPacket.TryRead(damaged, out _, out _);
        Assert.All(Mutations.Truncations([1, 0, 0, 0]), cut => Assert.False(SolPacket.TryRead(cut, out _, out _)));
    }

    [Fact]
    public void Field_texts_come_in_four_encodings()
    {
        Assert.Equal("IPMI", Field("83" + "29dca6"));
        Assert.Equal("12-34", Field("43" + "12b34a"));
        Assert.Equal("0aff", Field("02" + "0aff"));
        Assert.Equal("Grid", Field("c5" + "4772696400"));
        Assert.False(FruField.TryRead([0xC5, 1, 2], out _, out _));

        static string Field(string hex)
        {
            Assert.True(FruField.TryRead(Convert.FromHexString(hex), out var text, out var length));
            Assert.Equal(hex.Length / 2, length);
            return text;
        }
    }

    [CaseTheory]
    [InlineData("fru_supermicro_x11scz-f")]
    [InlineData("kontron_am4010")]
    public void Inventories_of_real_boards_are_read(string name)
    {
        var facts = SharedCases.Json($"ipmi/fru/{name}.facts.json");
        var image = SharedCases.Bytes($"ipmi/fru/{name}.bin");
        Assert.True(FruInventory.TryRead(image, out var fru, out var defect), defect.ToString());
        Assert.Equal(FruDefects.None, fru.Defects);
        Assert.Equal(Fields("board"), [fru.Board!.Maker, fru.Board.Product, fru.Board.Serial, fru.Board.PartNumber, fru.Board.FileId, .. fru.Board.Custom]);
        Assert.Equal(facts.GetProperty("board").GetProperty("mfg_minutes_since_1996").GetInt32(), (fru.Board.Made!.Value - new DateTimeOffset(1996, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalMinutes);
        var product = fru.Product!;
        Assert.Equal(Fields("product"), [product.Maker, product.Name, product.PartNumber, product.Version, product.Serial, product.AssetTag, product.FileId, .. product.Custom]);
        var records = facts.TryGetProperty("multirecords", out var multi) ? multi.EnumerateArray().Select(r => (Convert.ToByte(r.GetProperty("type").GetString(), 16), r.GetProperty("len").GetInt32())) : [];
        Assert.Equal(records, fru.MultiRecords.Select(r => (r.Type, r.Octets.Length)));

        foreach (var cut in Mutations.Truncations(image)) if (FruInventory.TryRead(cut, out var part, out _)) Assert.True(part.Board is null || cut.Length >= 64);
        foreach (var damaged in Mutations.Of(image[..Math.Min(image.Length, 600)], 11, 3000)) FruInventory.TryRead(damaged, out _, out _);

        List<string> Fields(string area) => facts.GetProperty(area).GetProperty("fields").EnumerateArray().Select(f => f.GetString()!.TrimEnd()).ToList();
    }

    [Fact]
    public void A_broken_area_does_not_hide_a_good_one()
    {
        byte[] board = [1, 2, 25, 0, 0, 0, 0xC2, (byte)'M', (byte)'B', 0xC1, 0, 0, 0, 0, 0, 0];
        board[^1] = unchecked((byte)-board.Sum(b => b));
        byte[] image = [1, 0, 0, 1, 3, 0, 0, 0, .. board, 1, 1, 0, 0xC0, 0, 0, 0, 0];
        image[7] = unchecked((byte)-image[..8].Sum(b => b));
        Assert.True(FruInventory.TryRead(image, out var fru, out _));
        Assert.Equal("MB", fru.Board?.Maker);
        Assert.Null(fru.Product);
        Assert.Equal(FruDefects.ProductArea, fru.Defects);
    }

    [Fact]
    public void No_answer_of_any_length_makes_a_reader_throw()
    {
        var random = new Random(31);
        for (var length = 0; length < 40; length++)
        {
            var data = new byte[length];
            for (var round = 0; round < 200; round++)
            {
                random.NextBytes(data);
                Read(new GetDeviceId(), data);
                Read(new GetSystemGuid(), data);
                Read(new GetChannelAuthenticationCapabilities(IpmiPrivilege.Administrator), data);
                if (new GetChannelCipherSuites(0).TryReadAnswer(data, out var suites)) CipherSuiteRecords.ReadIds(suites.Octets.Span);
                Read(new GetChannelAlgorithms(), data);
                Read(new SetSessionPrivilege(IpmiPrivilege.Administrator), data);
                Read(new GetChassisStatus(), data);
                Read(new GetBootFlags(), data);
                Read(new GetSensorReading(1, 0), data);
                Read(new GetSdrRepositoryInfo(), data);
                Read(new ReserveSdrRepository(), data);
                Read(new GetSdr(new(1), 0, 0, 5), data);
                Read(new GetEventLogInfo(), data);
                Read(new GetEventLogEntry(0), data);
                Read(new ClearEventLog(new(1), false), data);
                Read(new GetFruArea(0), data);
                Read(new ReadFruData(0, 0, 8), data);
                if (new GetLanParameter(1, LanParameter.VlanId).TryReadAnswer(data, out var value)) _ = (value.Address, value.Mac, value.Source, value.Vlan, value.First);
                Read(new GetUserAccess(1, 1), data);
                Read(new GetUserName(1), data);
                Read(new ActivateSol(1, true, true), data);
                Read(new GetSolInstance(1), data);
                Read(new GetSolActivation(1), data);
                FruLocator.TryRead(data, out _);
            }
        }

        static void Read<T>(IpmiRequest<T> request, byte[] data) => request.TryReadAnswer(data, out _);
    }

    static string Data(IpmiRequest request)
    {
        var data = new byte[IpmiRequest.MaxData];
        return Convert.ToHexStringLower(data.AsSpan(0, request.WriteData(data)));
    }
}
