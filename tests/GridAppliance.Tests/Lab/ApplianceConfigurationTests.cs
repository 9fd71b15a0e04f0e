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

        var text = ApplianceConfiguration.Text(plan, "/home/o'neill/artifacts/image/virtual");
        var (options, problems) = ConfigurationFile.Parse(text, "appliance.yaml", name => new LocalInterface(name, [plan.Appliance.Address]));

        Assert.Empty(problems);
        Assert.NotNull(options);
        Assert.Equal("/home/o'neill/artifacts/image/virtual", options.BootFiles);
        Assert.Equal("/run/gridlab/gl/data", options.DataDir);
        Assert.Equal([new ListenAddress.Unix("/run/gridlab/gl/api.sock"), new ListenAddress.Tcp(new(System.Net.IPAddress.Loopback, 8080), false)], options.ManagementListen);
        var network = Assert.Single(options.Networks);
        Assert.Equal((plan.Appliance.Interface, plan.Appliance.Address, plan.Appliance.Range, DhcpMode.Server, true),
            (network.Interface, network.Address, network.Range!.Value, network.DhcpMode, network.Boot));
    }
}
