using GridAppliance.Hosting;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Lab;
using GridAppliance.Lab.Appliance;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Tests.Lab;

public sealed class ApplianceConfigurationTests
{
    [Fact]
    public void The_daemon_reads_what_gridlab_writes()
    {
        var plan = LabPlan.For(LabName.Default, LabServers.StandardRack);

        var secret = Path.GetTempFileName();
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(secret, "one passphrase\nanother passphrase\n");

        var text = ApplianceConfiguration.Text(plan, "/home/o'neill/artifacts/image/virtual", secret);
        var (options, problems) = ConfigurationFile.Parse(text, "appliance.yaml", name => new LocalInterface(name, [plan.Appliance.Address]));

        File.Delete(secret);

        Assert.Empty(problems);
        Assert.NotNull(options);
        Assert.Equal("/home/o'neill/artifacts/image/virtual", options.BootFiles);
        Assert.Equal("/run/gridlab/gl/data", options.DataDir);
        Assert.Equal([new ListenAddress.Unix("/run/gridlab/gl/api.sock"), new ListenAddress.Tcp(new(System.Net.IPAddress.Loopback, 8080), false)], options.ManagementListen);
        var network = Assert.Single(options.Networks);
        Assert.Equal((plan.Appliance.Interface, plan.Appliance.Address, plan.Appliance.Range, DhcpMode.Server, true),
            (network.Interface, network.Address, network.Range!.Value, network.DhcpMode, network.Boot));
        var rack = Assert.Single(options.Switches);
        Assert.Equal(("rack", "snmp+qbridge://10.78.0.2/", "user grid (sha256, aes128)", true), (rack.Record.Name, rack.Record.Address.ToString(), rack.Record.Account.ToString(), rack.Record.IsFromFile));
        Assert.Equal(plan.Servers.Select(server => server.Tap), rack.Record.Ours.Ports);
    }

    [Fact]
    public void A_switch_whose_secret_others_may_read_is_refused_with_everything_else_that_is_wrong()
    {
        var secret = Path.GetTempFileName();
        File.WriteAllText(secret, "short\n");
        File.SetUnixFileMode(secret, (UnixFileMode)0b110_100_100);
        var (_, problems) = ConfigurationFile.Parse($$"""
            name: rack12
            networks: [ { name: p, interface: eth1, address: 10.77.0.1/24 } ]
            switches:
              - { name: leaf1, address: "telnet://10.0.0.2", secretFile: {{secret}}, vlans: [ 5000 ] }
              - { name: leaf2, address: "snmp+qbridge://10.0.0.3", user: grid, authentication: md5, secretFile: /nowhere, colour: red }
            """, "appliance.yaml", name => new LocalInterface(name, [GridAppliance.Protocols.Addresses.Ipv4Network.Parse("10.77.0.1/24")]));
        File.Delete(secret);
        string[] expected = ["switches[0].address", "switches[0].secretFile", "switches[0].vlans[0]", "switches[1].authentication", "switches[1].colour", "switches[1].secretFile"];
        Assert.Equal(expected, problems.Select(p => p.Key).Order());
    }
}
