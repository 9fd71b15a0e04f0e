using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using GridAppliance.Power.Ports;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Power.Nodes;

/// <summary>gridctl bmc lan and users, through a management plane to OpenIPMI's simulator; what came of it is read with ipmitool.</summary>
public sealed class BmcSettingsTests : IAsyncLifetime
{
    readonly IpmiSimulator simulator = IpmiSimulator.Start();
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.GridctlWith(IpmiSimulator.Password + "\n", "port", "set", "n1", Address, "--user", IpmiSimulator.User)).Status);
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        simulator.Dispose();
    }

    string Address => $"ipmi://{simulator.EndPoint}";

    NodePort Port => Assert.Single(plane.Get<NodePorts>().Current.Of(plane.Nodes.Current.Find("n1")!.Id));

    string Lan(string field) => Regex.Match(simulator.Ipmitool("lan", "print", "1"), $"^{Regex.Escape(field)}\\s*:\\s*(.*)$", RegexOptions.Multiline).Groups[1].Value.Trim();

    [Fact]
    public async Task Network_settings_are_shown_and_changed_as_ipmitool_has_them()
    {
        var shown = await plane.Gridctl("bmc", "lan", "n1");
        Assert.Equal((0, $"n1: {Lan("IP Address")} mask {Lan("Subnet Mask")} gateway {Lan("Default Gateway IP")} MAC {Lan("MAC Address")} (static)\n"), (shown.Status, shown.Output));
        Assert.Equal("52:54:00:01:02:03", Lan("MAC Address"));

        var dry = await plane.Gridctl("bmc", "lan", "n1", "--gateway", "127.0.0.254", "--dry-run");
        Assert.Equal((0, "n1: would be changed: gateway 0.0.0.0 -> 127.0.0.254\n"), (dry.Status, dry.Output));
        Assert.Equal("0.0.0.0", Lan("Default Gateway IP"));

        Assert.Equal(0, (await plane.Gridctl("bmc", "lan", "n1", "--gateway", "127.0.0.254")).Status);
        Assert.Equal("127.0.0.254", Lan("Default Gateway IP"));
        Assert.Contains(plane.Timeline.ReadNode(plane.Nodes.Current.Find("n1")!.Id, 100), e => e.Kind == "port.lan" && e.Message.Contains("gateway 0.0.0.0 -> 127.0.0.254", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_could_cut_the_way_to_the_bmc_wants_force_and_then_the_appliance_goes_along()
    {
        foreach (var options in (string[][])[["--address", "127.0.0.77"], ["--vlan", "7"], ["--dhcp"]])
        {
            var refused = await plane.Gridctl(["bmc", "lan", "n1", .. options]);
            Assert.Equal(1, refused.Status);
            Assert.Contains("--force", refused.Error);
        }
        Assert.Equal(("127.0.0.1", "Disabled", "Static Address", "255.0.0.0"), (Lan("IP Address"), Lan("802.1q VLAN ID"), Lan("IP Address Source"), Lan("Subnet Mask")));

        var moved = await plane.Gridctl("bmc", "lan", "n1", "--address", "127.0.0.77", "--vlan", "7", "--force");
        Assert.Equal(0, moved.Status);
        Assert.Equal(("127.0.0.77", "7"), (Lan("IP Address"), Lan("802.1q VLAN ID")));
        Assert.Equal($"ipmi://127.0.0.77:{simulator.EndPoint.Port}", Port.Address.OriginalString);
        Assert.Equal(IpmiSimulator.Password, Encoding.ASCII.GetString(plane.Get<NodePorts>().CredentialsOf(Port).Password.Span));
    }

    [Fact]
    public async Task Accounts_are_listed_made_and_disabled_as_ipmitool_has_them()
    {
        Assert.Equal("n1: 2 ADMIN, administrator\n", (await plane.Gridctl("bmc", "users", "n1")).Output);
        var without = await plane.Gridctl("bmc", "users", "n1", "--set", "ops", "--role", "operator");
        Assert.Equal(1, without.Status);
        Assert.Contains("needs a password", without.Error);
        Assert.Equal(0, (await plane.GridctlWith("another-passw0rd\n", "bmc", "users", "n1", "--set", "ops", "--role", "operator", "--password", "--dry-run")).Status);
        Assert.DoesNotContain("ops", simulator.Ipmitool("user", "list", "1"));

        var made = await plane.GridctlWith("another-passw0rd\n", "bmc", "users", "n1", "--set", "ops", "--role", "operator", "--password");
        Assert.Equal((0, "n1: set: account ops in slot 3, operator, with a password\n"), (made.Status, made.Output));
        Assert.Matches(@"3 +ops .*OPERATOR", simulator.Ipmitool("user", "list", "1"));
        await File.WriteAllTextAsync(simulator.PasswordFile, "another-passw0rd");
        Assert.Contains("is off", simulator.IpmitoolAs("ops", "-L", "OPERATOR", "chassis", "power", "status"));

        // Its role alone: the password stays.
        Assert.Equal(0, (await plane.Gridctl("bmc", "users", "n1", "--set", "ops", "--role", "user")).Status);
        Assert.Contains("is off", simulator.IpmitoolAs("ops", "-L", "USER", "chassis", "power", "status"));
        Assert.Equal(0, (await plane.Gridctl("bmc", "users", "n1", "--disable", "ops")).Status);
        Assert.DoesNotContain("is off", simulator.IpmitoolAs("ops", "-L", "USER", "chassis", "power", "status"));
    }

    [Fact]
    public async Task The_appliances_own_account_wants_force_and_then_the_appliance_knows_the_new_password()
    {
        foreach (var options in (string[][])[["--set", "ADMIN", "--role", "operator"], ["--disable", "ADMIN"], ["--set", "ADMIN", "--role", "administrator", "--password"]])
        {
            var refused = await plane.GridctlWith("new-passw0rd-1234\n", ["bmc", "users", "n1", .. options]);
            Assert.Equal(1, refused.Status);
            Assert.Contains("--force", refused.Error);
        }
        Assert.Contains("is off", simulator.Ipmitool("chassis", "power", "status"));

        Assert.Equal(0, (await plane.GridctlWith("new-passw0rd-12\n", "bmc", "users", "n1", "--set", "ADMIN", "--role", "administrator", "--password", "--force")).Status);
        await File.WriteAllTextAsync(simulator.PasswordFile, "new-passw0rd-12");
        Assert.Contains("is off", simulator.Ipmitool("chassis", "power", "status"));
        Assert.Equal("n1: off\n", (await plane.Gridctl("power", "status", "n1")).Output);
    }

    [Theory]
    [InlineData("lan", "n1", "--address", "10.0.0")]
    [InlineData("lan", "n1", "--mask", "255.0.255.0")]
    [InlineData("lan", "n1", "--vlan", "4095")]
    [InlineData("lan", "n1", "--dhcp", "--address", "10.0.0.1")]
    [InlineData("users", "n1", "--set", "seventeen-letters", "--role", "user")]
    [InlineData("users", "n1", "--set", "ops", "--role", "root")]
    [InlineData("users", "n1", "--set", "ops", "--disable", "ops")]
    [InlineData("users", "n1", "--disable", "nobody")]
    public async Task Nonsense_changes_nothing(params string[] words) => Assert.Equal(1, (await plane.Gridctl(["bmc", .. words])).Status);
}
