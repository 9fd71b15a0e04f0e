using GridAppliance.Power.Ports;

namespace GridAppliance.Tests.Power.Ports;

public sealed class PortSchemeTests
{
    [Theory]
    [InlineData("ipmi://10.0.0.5", "ipmi://10.0.0.5")]
    [InlineData("IPMI://10.0.0.5:623/", "ipmi://10.0.0.5")]
    [InlineData("ipmi://10.0.0.5:1623", "ipmi://10.0.0.5:1623")]
    [InlineData("snmp+apc://10.0.0.9:161/7", "snmp+apc://10.0.0.9/7")]
    [InlineData("snmp+raritan://10.0.0.9/12/", "snmp+raritan://10.0.0.9/12")]
    [InlineData("snmp+apc://[2001:DB8::9]:161/7", "snmp+apc://[2001:db8::9]/7")]
    [InlineData("snmp+raritan://PDU.example/3", "snmp+raritan://pdu.example/3")]
    [InlineData("tcp://10.0.0.9:7001", "tcp://10.0.0.9:7001")]
    [InlineData("ipmi://BMC7.Example", "ipmi://bmc7.example")]
    [InlineData("ipmi://[2001:DB8:0:0::5]:623", "ipmi://[2001:db8::5]")]
    [InlineData("redfish+https://bmc7", "redfish+https://bmc7")]
    [InlineData("redfish+https://[2001:db8::5]:8443/redfish/v1/Systems/2", "redfish+https://[2001:db8::5]:8443/redfish/v1/Systems/2")]
    [InlineData("tcp://[::1]:7001", "tcp://[::1]:7001")]
    [InlineData("telnet+rfc2217://ser2net.example:7001?speed=9600", "telnet+rfc2217://ser2net.example:7001?speed=9600")]
    public void An_address_is_kept_in_one_form(string text, string kept)
    {
        Assert.True(PortScheme.TryRead(text, out var address, out var defect), defect);
        Assert.Equal(kept, address.OriginalString);
        Assert.True(PortScheme.TryRead(kept, out var again, out _));
        Assert.Equal(kept, again.OriginalString);
    }

    [Theory]
    [InlineData("10.0.0.5")]
    [InlineData("ftp://10.0.0.5")]
    [InlineData("ipmi://root:calvin@10.0.0.5")]
    [InlineData("ipmi://bmc 7.example")]
    [InlineData("ipmi://10.0.0")]
    [InlineData("ipmi://10.0.0.256")]
    [InlineData("ipmi://bmc_7.example")]
    [InlineData("ipmi://bücher.example")]
    [InlineData("ipmi://")]
    [InlineData("tcp://console.example")]
    [InlineData("snmp+apc://pdu_9/7")]
    [InlineData("ipmi://10.0.0.5/1")]
    [InlineData("ipmi://10.0.0.5?suite=0")]
    [InlineData("ipmi://[::1]/1")]
    [InlineData("ipmi://[::g]")]
    [InlineData("snmp+apc://10.0.0.9")]
    [InlineData("snmp+apc://10.0.0.9/0")]
    [InlineData("snmp+apc://10.0.0.9/-7")]
    [InlineData("snmp+apc://10.0.0.9/7/8")]
    [InlineData("tcp://10.0.0.9")]
    [InlineData("")]
    public void What_is_no_address_is_refused_with_a_sentence(string text)
    {
        Assert.False(PortScheme.TryRead(text, out _, out var defect));
        Assert.NotEqual("", defect);
        Assert.DoesNotContain("calvin", defect);
    }

    [Fact]
    public void What_a_port_can_do_follows_from_its_driver()
    {
        Assert.Equal(["power", "boot", "console", "identify", "sensors", "events", "inventory", "lan", "accounts", "audit"], PortScheme.Of(new("ipmi://10.0.0.5")).Capabilities);
        Assert.Equal(["power"], PortScheme.Of(new("snmp+apc://10.0.0.9/7")).Capabilities);
        Assert.Equal(["console"], PortScheme.Of(new("tcp://10.0.0.9:7001")).Capabilities);
    }
}
