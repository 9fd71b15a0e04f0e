using System.Text;
using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Power;

public sealed class BmcCapabilityTests : WithScriptedBmc
{
    public static TheoryData<string, string, bool> Overrides
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var device in Enum.GetValues<BootDevice>().Where(d => d != BootDevice.None))
                foreach (var firmware in Enum.GetValues<BootFirmware>())
                    foreach (var persistent in (bool[])[false, true]) data.Add(device.ToString(), firmware.ToString(), persistent);
            return data;
        }
    }

    [Theory, MemberData(nameof(Overrides))]
    public async Task A_boot_override_reads_back_as_it_was_set(string device, string firmware, bool persistent)
    {
        await using var port = bench.Open(bmc);
        var boot = new BootOverride(Enum.Parse<BootDevice>(device), Enum.Parse<BootFirmware>(firmware), persistent);
        await port.SetBootAsync(boot, Patience);
        Assert.Equal(boot, await port.GetBootAsync(Patience));
    }

    [Fact]
    public async Task No_override_reads_as_none()
    {
        await using var port = bench.Open(bmc);
        Assert.Null(await port.GetBootAsync(Patience));
        await port.SetBootAsync(new(BootDevice.None, BootFirmware.Uefi, false), Patience);
        Assert.Null(await port.GetBootAsync(Patience));
    }

    [Fact]
    public async Task The_light_goes_on_for_a_while_for_good_and_off()
    {
        await using var port = bench.Open(bmc);
        await port.IdentifyAsync(TimeSpan.FromSeconds(30), Patience);
        Assert.Equal(IdentifyLight.Blinking, await port.GetIdentifyAsync(Patience));
        await port.IdentifyAsync(null, Patience);
        Assert.Equal(IdentifyLight.On, await port.GetIdentifyAsync(Patience));
        await port.IdentifyAsync(TimeSpan.Zero, Patience);
        Assert.Equal(IdentifyLight.Off, await port.GetIdentifyAsync(Patience));
    }

    [Theory]
    [InlineData(255, 0)]
    [InlineData(16, 0)]
    [InlineData(16, 2)]
    public async Task Sensors_are_read_whole_in_pieces_and_when_the_reservation_is_lost(int limit, int lost)
    {
        bmc.State.Sdrs.AddRange([SdrBytes.Full(0x30, "CPU Temp", sensorType: 1, unit: 1), SdrBytes.Full(0x41, "Fan 1", sensorType: 4, unit: 18, m: 100), SdrBytes.Full(0x42, "Fan 2", sensorType: 4, unit: 18, m: 100)]);
        bmc.State.Readings[0x30] = [61, 0xC0, 0xC0 | 0b01_1000, 0];
        bmc.State.Readings[0x41] = [45, 0xC0, 0xC0, 0];
        bmc.State.Readings[0x42] = [0, 0xE0, 0xC0, 0];
        (bmc.State.SdrLimit, bmc.State.LoseReservations) = (limit, lost);
        await using var port = bench.Open(bmc);
        var sensors = await port.ReadSensorsAsync(Patience);
        Assert.Equal(
            [("CPU Temp", "Temperature", 61.0, "degrees C", SensorHealth.Critical), ("Fan 1", "Fan", 4500.0, "RPM", SensorHealth.Ok), ("Fan 2", "Fan", (double?)null, "RPM", SensorHealth.Unknown)],
            sensors.Select(s => (s.Name, s.Kind, s.Value, s.Unit, s.Health)));

        var walks = bmc.Count("Storage/23");
        await port.ReadSensorsAsync(Patience);
        Assert.Equal(walks, bmc.Count("Storage/23"));
    }

    [Fact]
    public async Task The_event_log_is_told_in_words_and_cleared()
    {
        bmc.State.Sdrs.Add(SdrBytes.Full(0x30, "CPU Temp", sensorType: 1, unit: 1));
        bmc.State.Events.Add(Convert.FromHexString("0000" + "02" + "80e0a765" + "2000" + "04" + "01" + "30" + "01" + "59" + "6e64"));
        bmc.State.Events.Add(Convert.FromHexString("0100" + "02" + "81e0a765" + "2000" + "04" + "08" + "77" + "ef" + "03" + "ffff"));
        await using var port = bench.Open(bmc);
        Assert.Equal(2, (await port.GetEventLogSizeAsync(Patience)).Entries);
        var events = await port.ReadEventsAsync(Patience);
        Assert.Equal([("CPU Temp", "Upper Critical going high", false), ("Power Supply #77", "Power Supply AC lost", true)], events.Select(e => (e.Source, e.Text, e.IsOver)));
        Assert.Equal(new DateTimeOffset(2024, 1, 17, 14, 13, 21, TimeSpan.Zero), events[1].At);
        await port.ClearEventsAsync(Patience);
        Assert.Empty(await port.ReadEventsAsync(Patience));
    }

    [Fact]
    public async Task Labels_are_read_from_the_inventory()
    {
        bmc.State.Fru = FruBytes.Board("Acme", "Rocket 9", "SN-42", "PN-7");
        await using var port = bench.Open(bmc);
        var part = Assert.Single(await port.ReadPartsAsync(Patience));
        Assert.Equal(("Acme", "Rocket 9", "SN-42", "PN-7", null), (part.Maker, part.Product, part.Serial, part.PartNumber, part.AssetTag));
    }

    [Fact]
    public async Task A_machine_without_inventory_has_no_parts()
    {
        await using var port = bench.Open(bmc);
        Assert.Empty(await port.ReadPartsAsync(Patience));
    }

    [Fact]
    public async Task The_machines_uuid_is_among_those_read()
    {
        await using var port = bench.Open(bmc);
        Assert.Contains(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), await port.ReadSystemUuidAsync(Patience));
    }

    [Fact]
    public async Task Network_settings_are_read_and_written()
    {
        await using var port = bench.Open(bmc);
        var lan = await port.GetLanAsync(Patience);
        Assert.Equal(new() { Origin = AddressOrigin.Static, Address = Ipv4Address.Parse("127.0.0.1"), Mask = Ipv4Address.Parse("255.0.0.0"), Gateway = Ipv4Address.Parse("127.0.0.254"), Mac = MacAddress.Parse("52:54:00:01:02:03"), Vlan = 0 }, lan);
        await port.SetLanAsync(new() { Vlan = 300, Gateway = Ipv4Address.Parse("10.77.0.1") }, Patience);
        Assert.Equal(lan with { Vlan = 300, Gateway = Ipv4Address.Parse("10.77.0.1") }, await port.GetLanAsync(Patience));
    }

    [Fact]
    public async Task An_account_is_made_listed_and_disabled()
    {
        await using var port = bench.Open(bmc);
        await port.SetAccountAsync(3, "appliance", "eighteen octets ok"u8.ToArray(), AccountRole.Administrator, Patience);
        var account = (await port.ListAccountsAsync(Patience))[2];
        Assert.Equal(new() { Id = 3, Name = "appliance", Role = AccountRole.Administrator, IsEnabled = true, MaySignIn = true }, account);
        Assert.Equal("eighteen octets ok", Encoding.ASCII.GetString(bmc.State.Users[3].Password).TrimEnd('\0'));
        await port.DisableAccountAsync(3, Patience);
        Assert.False((await port.ListAccountsAsync(Patience))[2].IsEnabled);
        Assert.NotEqual("eighteen octets ok", Encoding.ASCII.GetString(bmc.State.Users[3].Password).TrimEnd('\0'));
    }

    [Fact]
    public async Task What_the_bmc_does_not_have_is_said_to_be_unsupported()
    {
        bmc.State.Unsupported.Add("Chassis/04");
        await using var port = bench.Open(bmc);
        var e = await Assert.ThrowsAsync<DeviceException>(() => port.IdentifyAsync(null, Patience));
        Assert.Equal((DeviceFault.Unsupported, false), (e.Fault, e.IsTransient));
        // One refusal is not a reason to stop talking.
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
    }
}
