using System.Net;
using GridAppliance.Agent;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Agent;

public sealed class BootParametersTests
{
    const string Key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void The_boot_script_s_words_are_read_among_the_kernel_s_own()
    {
        Assert.True(BootParameters.TryParse($"console=ttyS0 panic=5 grid.url=http://10.77.0.1:8067 grid.token=t0k grid.key={Key.ToUpperInvariant()} grid.mac=52:54:00:00:00:01 quiet\n", out var boot, out _));
        Assert.Equal(IPEndPoint.Parse("10.77.0.1:8067"), boot.Appliance);
        Assert.Equal(("t0k", Key, MacAddress.Parse("52:54:00:00:00:01"), false), (boot.Token, boot.ApplianceFingerprint, boot.Mac!.Value, boot.RebootWhenUnknown));
    }

    [Theory]
    [InlineData("quiet", "grid.url")]
    [InlineData("grid.url=ftp://10.77.0.1/ grid.key=" + Key, "grid.url")]
    [InlineData("grid.url=nonsense grid.key=" + Key, "grid.url")]
    [InlineData("grid.url=http://appliance:8067 grid.key=" + Key, "grid.url")]
    [InlineData("grid.url=http://10.77.0.1:8067", "grid.key")]
    [InlineData("grid.url=http://10.77.0.1:8067 grid.key=abc", "grid.key")]
    [InlineData("grid.url=http://10.77.0.1:8067 grid.key=zz" + Key, "grid.key")]
    public void What_is_missing_is_named(string commandLine, string named)
    {
        Assert.False(BootParameters.TryParse(commandLine, out _, out var problem));
        Assert.Contains(named, problem);
    }

    [Fact]
    public void The_last_of_two_counts_and_a_missing_token_is_no_error()
    {
        Assert.True(BootParameters.TryParse($"grid.url=http://10.0.0.1:1 grid.url=http://10.0.0.2/ grid.key={Key} grid.token= grid.lost=reboot", out var boot, out _));
        Assert.Equal(("10.0.0.2:80", (string?)null, true), (boot.Appliance.ToString(), boot.Token, boot.RebootWhenUnknown));
    }
}
