using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;
using GridAppliance.Lab.Switches;

namespace GridAppliance.Tests.Lab;

public sealed class LabPlanTests
{
    static readonly LabPlan Plan = LabPlan.For(LabName.Default, LabServers.StandardRack);

    [Theory]
    [InlineData("gl")]
    [InlineData("a")]
    [InlineData("e2e1234")]
    public void A_short_plain_name_names_a_lab(string text)
    {
        Assert.True(LabName.TryParse(text, out var name));
        Assert.Equal(text, name.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("eightchr")]
    [InlineData("1lab")]
    [InlineData("Lab")]
    [InlineData("a-b")]
    [InlineData("../etc")]
    [InlineData("a b")]
    [InlineData("läb")]
    public void Any_other_name_is_refused_before_it_reaches_a_path_or_an_argument(string? text) => Assert.False(LabName.TryParse(text, out _));

    [Fact]
    public void Every_interface_of_a_lab_with_the_longest_name_fits_the_kernels_15_characters()
    {
        var plan = LabPlan.For(LabName.Parse("abcdefg"), Enumerable.Repeat(ServerFirmware.Bios, 48));

        Assert.All(LabState.Of(plan, default).Interfaces, name => Assert.InRange(name.Length, 1, 15));
        Assert.All(LabState.Of(plan, default).Interfaces, name => Assert.StartsWith("abcdefg-", name, StringComparison.Ordinal));
        Assert.All(plan.Namespaces, name => Assert.StartsWith("abcdefg-", name, StringComparison.Ordinal));
    }

    [Fact]
    public void One_server_of_the_standard_rack_has_a_bmc_that_speaks_redfish_and_each_bmc_a_nic_of_its_own()
    {
        Assert.Equal(["n4"], Plan.Servers.Where(server => server.Bmc.SpeaksRedfish).Select(server => server.Name));
        Assert.Equal(8, Plan.Servers.SelectMany(server => new[] { server.Mac, server.Bmc.Mac }).Distinct().Count());
    }

    [Fact]
    public void The_same_lab_is_the_same_hardware_every_time_and_two_labs_share_none()
    {
        var other = LabPlan.For(LabName.Parse("other"), LabServers.StandardRack);

        Assert.Equal(Plan.Servers, LabPlan.For(LabName.Default, LabServers.StandardRack).Servers);
        Assert.Equal(8, Plan.Servers.Concat(other.Servers).Select(s => s.Mac).Distinct().Count());
        Assert.Equal(8, Plan.Servers.Concat(other.Servers).Select(s => s.Uuid).Distinct().Count());
        Assert.Equal(8, Plan.Servers.Concat(other.Servers).Select(s => s.Serial).Distinct().Count());
        Assert.Equal(8, Plan.Servers.Concat(other.Servers).Select(s => s.Directory).Distinct().Count());
    }

    [Fact]
    public void The_standard_rack_is_two_bios_machines_one_uefi_by_pxe_and_one_by_http() =>
        Assert.Equal([ServerFirmware.Bios, ServerFirmware.Bios, ServerFirmware.UefiPxe, ServerFirmware.UefiHttp], Plan.Servers.Select(s => s.Firmware));

    [Fact]
    public void Servers_have_qemus_address_prefix_and_their_number_last() =>
        Assert.All(Plan.Servers, server =>
        {
            Assert.StartsWith("52:54:00:", server.Mac.ToString(), StringComparison.Ordinal);
            Assert.EndsWith($":0{server.Name[1]}", server.Mac.ToString(), StringComparison.Ordinal);
        });

    [Fact]
    public void The_switch_is_one_transaction_with_a_vlan_and_lldp_on_every_port()
    {
        var arguments = OpenVswitch.Build(Plan.Paths, Plan.Switch, Plan.Servers.Select(s => s.Tap));
        var ports = (string[])["gl-uplink", "gl-n1", "gl-n2", "gl-n3", "gl-n4"];

        Assert.Contains("datapath_type=netdev", arguments);
        Assert.Equal("--db=unix:/run/gridlab/gl/switch/db.sock", arguments[1]);
        var text = string.Join(' ', arguments);
        Assert.All(ports, port => Assert.Contains($"-- add-port rack {port} tag=100 -- set interface {port} lldp:enable=true", text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_program_starts_inside_its_namespace_with_the_labs_mark_and_a_log()
    {
        var arguments = LabProcesses.StartArguments(Plan.Paths, "n1", "gl-sw", ["/usr/bin/thing", "two words"]);

        Assert.Equal(["/usr/bin/env", "GRIDLAB_INSTANCE=gl", "/usr/sbin/start-stop-daemon"], arguments.Take(3));
        Assert.Equal(["--startas", "/usr/sbin/ip", "--", "netns", "exec", "gl-sw", "/usr/bin/thing", "two words"], arguments.TakeLast(8));
        Assert.Contains("/run/gridlab/gl/logs/n1.log", arguments);
        Assert.Contains("/run/gridlab/gl/pids/n1.pid", arguments);
    }

    [Fact]
    public void A_programs_own_variables_go_into_its_environment_and_not_to_the_namespace_tool()
    {
        var arguments = LabProcesses.StartArguments(Plan.Paths, "appliance", "gl-srv", ["NOTIFY_SOCKET=/run/x", "/opt/thing", "a=b"]);

        Assert.Equal(["/usr/bin/env", "GRIDLAB_INSTANCE=gl", "NOTIFY_SOCKET=/run/x", "/usr/sbin/start-stop-daemon"], arguments.Take(4));
        Assert.Equal(["netns", "exec", "gl-srv", "/opt/thing", "a=b"], arguments.TakeLast(5));
    }

    [Fact]
    public void Programs_are_found_beside_gridlab_in_the_same_tree_and_configuration()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "GridAppliance.sln"))) root = root.Parent!;

        var programs = LabPrograms.BuiltBeside(Path.Combine(root.FullName, "src/GridAppliance.Lab/bin/Release/net10.0/"));

        Assert.Equal(Path.Combine(root.FullName, "src/GridAppliance/bin/Release/net10.0/gridappliance"), programs.Gridappliance);
        Assert.Equal(Path.Combine(root.FullName, "src/GridAppliance.Cli/bin/Release/net10.0/gridctl"), programs.Gridctl);
        Assert.Throws<LabException>(() => LabPrograms.BuiltBeside("/usr/bin"));
    }
}
