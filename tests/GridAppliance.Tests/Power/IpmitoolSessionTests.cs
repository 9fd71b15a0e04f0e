using System.Text;
using GridAppliance.Power;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Power;

/// <summary>
/// The scripted BMC signs and ciphers with our own code, so that it alone would agree with any mistake in it. Here ipmitool signs in to it, with every suite, and its octets are compared with ours.
/// </summary>
public sealed class IpmitoolSessionTests : WithScriptedBmc, IDisposable
{
    readonly string passwordFile = Path.GetTempFileName();

    public void Dispose() => File.Delete(passwordFile);

    (int Status, string Output) Ipmitool(int suite, params ReadOnlySpan<string> arguments)
    {
        File.WriteAllBytes(passwordFile, bmc.Password);
        return Testing.Ipmitool.Run(bmc.EndPoint, suite, bmc.User, passwordFile, arguments);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    public void Ipmitool_and_we_agree_on_every_code_and_cipher_of_a_session(int suite)
    {
        var (status, output) = Ipmitool(suite, "chassis", "power", "on");
        Assert.True(status == 0 && bmc.State.IsOn, output);
        Assert.Equal(1, bmc.Count("Rakp3"));
        Assert.Contains("Chassis Power is on", Ipmitool(suite, "chassis", "power", "status").Output);
        bmc.Password = "another"u8.ToArray();
        File.WriteAllText(passwordFile, "Pa55w0rd");
        Assert.NotEqual(0, Testing.Ipmitool.Run(bmc.EndPoint, suite, bmc.User, passwordFile, "chassis", "power", "off").Status);
        Assert.True(bmc.State.IsOn);
    }

    [Fact]
    public void Ipmitool_and_we_agree_on_the_key_of_a_bmc()
    {
        bmc.DeviceKey = Encoding.ASCII.GetBytes("sixteen-octets!!");
        Assert.NotEqual(0, Ipmitool(17, "chassis", "power", "on").Status);
        Assert.False(bmc.State.IsOn);
        var (status, output) = Ipmitool(17, "-k", "sixteen-octets!!", "chassis", "power", "on");
        Assert.True(status == 0 && bmc.State.IsOn, output);
    }

    [Theory]
    [InlineData("pxe", null, nameof(BootDevice.Network), nameof(BootFirmware.Bios), false)]
    [InlineData("pxe", "options=efiboot", nameof(BootDevice.Network), nameof(BootFirmware.Uefi), false)]
    [InlineData("pxe", "options=efiboot,persistent", nameof(BootDevice.Network), nameof(BootFirmware.Uefi), true)]
    [InlineData("disk", "options=persistent", nameof(BootDevice.Disk), nameof(BootFirmware.Bios), true)]
    [InlineData("disk", "options=efiboot", nameof(BootDevice.Disk), nameof(BootFirmware.Uefi), false)]
    [InlineData("cdrom", null, nameof(BootDevice.Cd), nameof(BootFirmware.Bios), false)]
    [InlineData("bios", null, nameof(BootDevice.Setup), nameof(BootFirmware.Bios), false)]
    [InlineData("diag", null, nameof(BootDevice.Diagnostic), nameof(BootFirmware.Bios), false)]
    [InlineData("floppy", null, nameof(BootDevice.Removable), nameof(BootFirmware.Bios), false)]
    public async Task Boot_flags_are_ipmitools_octet_by_octet(string device, string? options, string ours, string firmware, bool isPersistent)
    {
        var (status, output) = Ipmitool(17, ["chassis", "bootdev", device, .. options is null ? Array.Empty<string>() : [options]]);
        Assert.True(status == 0, output);
        var theirs = bmc.State.BootFlags;
        Assert.NotEqual(new byte[5], theirs);
        bmc.State.BootFlags = new byte[5];
        await using var port = bench.Open(bmc);
        await port.SetBootAsync(new(Enum.Parse<BootDevice>(ours), Enum.Parse<BootFirmware>(firmware), isPersistent), Patience);
        Assert.Equal(Convert.ToHexString(theirs), Convert.ToHexString(bmc.State.BootFlags));
    }

    [Theory]
    [InlineData("on", nameof(PowerAction.On))]
    [InlineData("off", nameof(PowerAction.Off))]
    [InlineData("reset", nameof(PowerAction.Reset))]
    [InlineData("soft", nameof(PowerAction.SoftOff))]
    [InlineData("cycle", nameof(PowerAction.Cycle))]
    [InlineData("diag", nameof(PowerAction.Interrupt))]
    public async Task Chassis_control_is_ipmitools(string theirs, string ours)
    {
        bmc.State.IsOn = true;
        var (status, output) = Ipmitool(17, "chassis", "power", theirs);
        Assert.True(status == 0, output);
        bmc.State.IsOn = true;
        await using var port = bench.Open(bmc);
        await port.SetPowerAsync(Enum.Parse<PowerAction>(ours), Patience);
        Assert.Equal(2, bmc.State.Actions.Count);
        Assert.Equal(bmc.State.Actions[0], bmc.State.Actions[1]);
    }
}
