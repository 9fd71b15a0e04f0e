using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using GridAppliance.Hosting;
using GridAppliance.Power;
using GridAppliance.Protocols.Ipmi.Commands;
using GridAppliance.Protocols.Ipmi.Events;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Power;

/// <summary>The family's contract against OpenIPMI's simulator.</summary>
public sealed class IpmiSimulatorContractTests : PowerContract
{
    readonly BmcBench bench = new();
    readonly IpmiSimulator simulator = IpmiSimulator.Start();

    private protected override Task<IPrivilegedPort> OpenAsync() => Task.FromResult<IPrivilegedPort>(bench.Open(simulator.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password)));

    private protected override Task<IPrivilegedPort> OpenWithWrongPasswordAsync() => Task.FromResult<IPrivilegedPort>(bench.Open(simulator.EndPoint, IpmiSimulator.User, "wrong"u8.ToArray()));

    // It tells its machine, and answers afterwards that nothing is in force.
    private protected override Task IsSetAsync(IBootOverride boot, BootOverride wanted)
    {
        Assert.Equal(wanted.Device == BootDevice.Network ? "boot pxe" : "boot default", simulator.Log[^1]);
        return Task.CompletedTask;
    }

    public override async Task DisposeAsync()
    {
        await bench.DisposeAsync();
        simulator.Dispose();
    }
}

/// <summary>The same simulator asked by us and by ipmitool: the answers are the same.</summary>
public sealed class IpmitoolComparisonTests : IAsyncLifetime
{
    readonly BmcBench bench = new();
    readonly IpmiSimulator simulator = IpmiSimulator.Start(
        sdrs: [(SdrBytes.Full(0x30, "CPU Temp", sensorType: 1, unit: 1), 61), (SdrBytes.Full(0x41, "Fan 1", sensorType: 4, unit: 18, m: 100), 45)],
        fru: FruBytes.Board("Acme", "Rocket 9", "SN-42", "PN-7"));

    static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await bench.DisposeAsync();
        simulator.Dispose();
    }

    GridAppliance.Power.Ipmi.IpmiBmc Open(byte[]? deviceKey = null) => bench.Open(simulator.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password), deviceKey: deviceKey);

    static string Field(string output, string name) => Regex.Match(output, $"^ *{Regex.Escape(name)}\\s*:\\s*(.*)$", RegexOptions.Multiline).Groups[1].Value.Trim();

    [Fact]
    public async Task Power_status_changes_and_effects_are_the_same()
    {
        await using var port = Open();
        foreach (var (action, expected) in new[] { (PowerAction.On, "on"), (PowerAction.Off, "off"), (PowerAction.Cycle, "on") })
        {
            await port.SetPowerAsync(action, Patience);
            Assert.Equal(expected, Field(simulator.Ipmitool("chassis", "status"), "System Power"));
        }
        simulator.Ipmitool("chassis", "power", "off");
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        simulator.Ipmitool("chassis", "power", "on");
        Assert.Equal(PowerState.On, await port.GetPowerAsync(Patience));

        var before = simulator.Log.Count;
        simulator.Ipmitool("chassis", "power", "reset");
        var theirs = simulator.Log.Skip(before).ToList();
        await port.SetPowerAsync(PowerAction.Reset, Patience);
        Assert.Equal(theirs, simulator.Log.Skip(before + theirs.Count));
        Assert.NotEmpty(theirs);
    }

    /// <summary>What has no state to read back is compared by what the simulator tells its machine.</summary>
    [Fact]
    public async Task A_soft_shut_down_and_the_light_have_the_effects_that_ipmitools_have()
    {
        await using var port = Open();
        await port.SetPowerAsync(PowerAction.On, Patience);
        await SameAsync(["chassis", "power", "soft"], () => port.SetPowerAsync(PowerAction.SoftOff, Patience));
        await SameAsync(["chassis", "identify", "42"], () => port.IdentifyAsync(TimeSpan.FromSeconds(42), Patience));
        await SameAsync(["chassis", "identify", "force"], () => port.IdentifyAsync(null, Patience));
        await SameAsync(["chassis", "identify", "0"], () => port.IdentifyAsync(TimeSpan.Zero, Patience));

        async Task SameAsync(string[] theirs, Func<Task> ours)
        {
            var before = simulator.Log.Count;
            simulator.Ipmitool(theirs);
            var said = simulator.Log.Skip(before).ToList();
            Assert.True(said.Count > 0, $"{string.Join(' ', theirs)}: the simulator told its machine nothing");
            await ours();
            Assert.Equal(said, simulator.Log.Skip(before + said.Count));
        }
    }

    [Theory]
    [InlineData("pxe", nameof(BootDevice.Network))]
    [InlineData("disk", nameof(BootDevice.Disk))]
    [InlineData("cdrom", nameof(BootDevice.Cd))]
    [InlineData("bios", nameof(BootDevice.Setup))]
    public async Task A_boot_device_has_the_effect_that_ipmitools_has(string theirs, string ours)
    {
        simulator.Ipmitool("chassis", "bootdev", theirs);
        var expected = File.ReadAllText(Path.Combine(simulator.Folder, "boot"));
        simulator.Ipmitool("chassis", "bootdev", "none");
        Assert.NotEqual(expected, File.ReadAllText(Path.Combine(simulator.Folder, "boot")));
        await using var port = Open();
        await port.SetBootAsync(new(Enum.Parse<BootDevice>(ours), BootFirmware.Bios, IsPersistent: false), Patience);
        Assert.Equal(expected, File.ReadAllText(Path.Combine(simulator.Folder, "boot")));
    }

    [Fact]
    public async Task The_device_and_its_guid_are_the_same()
    {
        await using var port = Open();
        var device = await port.Owner.AskAsync(new GetDeviceId(), Patience);
        var info = simulator.Ipmitool("mc", "info");
        Assert.Equal(Field(info, "Firmware Revision"), $"{device.FirmwareMajor}.{device.FirmwareMinor:00}");
        Assert.Equal(Field(info, "IPMI Version"), $"{device.IpmiMajor}.{device.IpmiMinor}");
        Assert.Equal(Field(info, "Manufacturer ID"), device.Manufacturer.ToString());
        Assert.StartsWith(device.Product.ToString(), Field(info, "Product ID"), StringComparison.Ordinal);
        var guids = await port.ReadSystemUuidAsync(Patience);
        Assert.Contains(Guid.Parse(Field(simulator.Ipmitool("mc", "guid"), "System GUID")), guids);
    }

    [Fact]
    public async Task Sensors_read_the_same()
    {
        await using var port = Open();
        var theirs = simulator.Ipmitool("sensor", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(f => (f[0], double.Parse(f[1], CultureInfo.InvariantCulture), f[2])).ToList();
        var ours = (await port.ReadSensorsAsync(Patience)).Select(s => (s.Name, s.Value!.Value, s.Unit)).ToList();
        Assert.Equal(2, ours.Count);
        Assert.Equal(theirs, ours);
    }

    [Fact]
    public async Task The_event_log_reads_the_same()
    {
        await using var port = Open();
        await port.Owner.AskAsync(new AddEventLogEntry(new SelEntry { Timestamp = 0x65A7E080, Generator = 0x20, Revision = 4, SensorType = 1, Sensor = 0x30, EventType = 1, Data1 = 0x59, Data2 = 0x6E, Data3 = 0x64 }), Patience);
        await port.Owner.AskAsync(new AddEventLogEntry(new SelEntry { Timestamp = 0x65A7E081, Generator = 0x20, Revision = 4, SensorType = 8, Sensor = 0x77, EventType = 0x6F, IsDeassertion = true, Data1 = 3, Data2 = 0xFF, Data3 = 0xFF }), Patience);
        var theirs = simulator.Ipmitool("sel", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(f => (Text: f[4], IsOver: f[5] == "Deasserted")).ToList();
        var ours = (await port.ReadEventsAsync(Patience)).Select(e => (e.Text, e.IsOver)).ToList();
        Assert.Equal(2, ours.Count);
        Assert.Equal(theirs, ours);
        Assert.Equal(Field(simulator.Ipmitool("sel", "info"), "Entries"), (await port.GetEventLogSizeAsync(Patience)).Entries.ToString());
        await port.ClearEventsAsync(Patience);
        Assert.Equal("0", Field(simulator.Ipmitool("sel", "info"), "Entries"));
    }

    [Fact]
    public async Task The_inventory_reads_the_same()
    {
        await using var port = Open();
        var print = simulator.Ipmitool("fru", "print", "0");
        var part = Assert.Single(await port.ReadPartsAsync(Patience));
        Assert.Equal((Field(print, "Board Mfg"), Field(print, "Board Product"), Field(print, "Board Serial"), Field(print, "Board Part Number")), (part.Maker, part.Product, part.Serial, part.PartNumber));
        Assert.Equal("Acme", part.Maker);
    }

    [Fact]
    public async Task Accounts_are_listed_and_changed_the_same()
    {
        await using var port = Open();
        await port.SetAccountAsync(3, "appliance", "another-passw0rd"u8.ToArray(), AccountRole.Operator, Patience);
        var theirs = simulator.Ipmitool("user", "list", "1").Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(line => (Id: int.Parse(line[..4]), Name: line[4..20].Trim(), Role: line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[^1].Trim())).Where(u => u.Name.Length > 0).ToList();
        var ours = (await port.ListAccountsAsync(Patience)).Where(a => a.Name.Length > 0).Select(a => (a.Id, a.Name, a.Role.ToString().ToUpperInvariant())).ToList();
        Assert.Equal([(2, "ADMIN", "ADMINISTRATOR"), (3, "appliance", "OPERATOR")], ours);
        Assert.Equal(theirs, ours);
        await using var other = new BmcBench();
        await using var signedIn = other.Open(simulator.EndPoint, "appliance", "another-passw0rd"u8.ToArray());
        Assert.Equal(PowerState.Off, await signedIn.GetPowerAsync(Patience));
    }

    [Fact]
    public async Task Network_settings_read_the_same()
    {
        await using var port = Open();
        var print = simulator.Ipmitool("lan", "print", "1");
        var lan = await port.GetLanAsync(Patience);
        Assert.Equal(Field(print, "IP Address"), lan.Address.ToString());
        Assert.Equal(Field(print, "MAC Address"), lan.Mac.ToString());
        Assert.Equal((Field(print, "Subnet Mask"), Field(print, "IP Address Source"), Field(print, "Default Gateway IP")), (lan.Mask.ToString(), lan.Origin == AddressOrigin.Static ? "Static Address" : "another", lan.Gateway.ToString()));
    }

    [Fact]
    public async Task A_simulator_that_takes_suite_0_is_reported_and_signed_in_to_with_suite_3()
    {
        await using var port = Open();
        await port.GetPowerAsync(Patience);
        Assert.Equal(3, port.Owner.Suite!.Id);
        Assert.Contains(await port.AuditAsync(Patience), finding => finding.Weakness == SecurityWeakness.NoAuthentication);
    }

    [Fact]
    public async Task A_key_of_the_simulator_itself_is_used()
    {
        const string key = "sixteen-octets!!";
        using var keyed = IpmiSimulator.Start(deviceKey: key);
        await using var port = bench.Open(keyed.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password), deviceKey: Encoding.ASCII.GetBytes(key));
        Assert.Equal(PowerState.Off, await port.GetPowerAsync(Patience));
        await port.DisposeAsync();
        await using var without = bench.Open(keyed.EndPoint, IpmiSimulator.User, Encoding.ASCII.GetBytes(IpmiSimulator.Password));
        Assert.Equal(DeviceFault.CredentialsRefused, (await Assert.ThrowsAsync<DeviceException>(() => without.GetPowerAsync(Patience))).Fault);
    }
}
