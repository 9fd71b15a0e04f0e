using GridAppliance.Hosting;
using GridAppliance.Hosting.Configuration;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Hosting.Configuration;

public sealed class ConfigurationFileTests
{
    const string Good = """
        name: rack12
        dataDir: /var/lib/gridappliance
        store: sqlite
        management:
          listen: [ "unix:/run/gridappliance/api.sock", "http://127.0.0.1:8080" ]
        networks:
          - name: provisioning
            interface: eth1
            address: 10.77.0.1/24
            dhcp:
              mode: server
              range: 10.77.0.50-10.77.0.250
              leaseTime: 1h30m
              reservations:
                - { mac: "52:54:00:00:00:01", address: 10.77.0.20 }
            boot: true
        policy:
          enroll: approve
        """;

    static LocalInterface? Interfaces(string name) => name switch
    {
        "eth1" => new(name, [Ipv4Network.Parse("10.77.0.1/24"), Ipv4Network.Parse("10.99.0.1/24")]),
        "eth2" => new(name, [Ipv4Network.Parse("10.77.0.2/25")]),
        _ => null,
    };

    static IReadOnlyList<ConfigurationProblem> ProblemsOf(string yaml) => ConfigurationFile.Parse(yaml, "a.yaml", Interfaces).Problems;

    [Fact]
    public void A_good_file_gives_options_and_no_problem()
    {
        var (options, problems) = ConfigurationFile.Parse(Good, "a.yaml", Interfaces);

        Assert.Empty(problems);
        Assert.NotNull(options);
        Assert.Equal("rack12", options.Name);
        Assert.Equal(EnrollPolicy.Approve, options.Enroll);
        Assert.Equal(2, options.ManagementListen.Count);
        var network = Assert.Single(options.Networks);
        Assert.Equal(DhcpMode.Server, network.DhcpMode);
        Assert.Equal(TimeSpan.FromMinutes(90), network.LeaseTime);
        Assert.Equal(Ipv4Address.Parse("10.77.0.20"), Assert.Single(network.Reservations).Address);
    }

    [Fact]
    public void Where_the_appliance_gives_the_addresses_it_guards_them_unless_the_file_says_otherwise()
    {
        GuardMode Of(string yaml) => ConfigurationFile.Parse(yaml, "a.yaml", Interfaces).Options!.Networks.Single().Guard;
        Assert.Equal(GuardMode.On, Of(Good));
        Assert.Equal(GuardMode.Off, Of(Good.Replace("    boot: true", "    boot: true\n    guard: { mode: \"off\" }", StringComparison.Ordinal)));
        Assert.Equal(GuardMode.Off, Of(Good.Replace("mode: server", "mode: proxy", StringComparison.Ordinal).Replace("      range: 10.77.0.50-10.77.0.250\n", "", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("https://10.77.0.1:8443", "is on the provisioning network 'provisioning'")]
    // A second address of that interface, and one that only its network has, are as near to the nodes.
    [InlineData("https://10.99.0.1:8443", "is on the provisioning network 'provisioning'")]
    [InlineData("https://10.77.0.9:8443", "is on the provisioning network 'provisioning'")]
    [InlineData("unix:/run/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789/api.sock", "is too long: the path of a socket has at most 107 octets")]
    public void The_management_plane_is_not_put_where_it_may_or_can_not_be(string listen, string problem) =>
        Assert.Contains(problem, Assert.Single(ProblemsOf(Good.Replace("http://127.0.0.1:8080", listen, StringComparison.Ordinal))).ToString());

    [Fact]
    public void Every_problem_is_told_at_once_with_its_line_and_key()
    {
        var problems = ProblemsOf("""
            name: "bad name!"
            stor: sqlite
            management:
              listen: [ "http://10.77.0.1:8080", "ftp://x" ]
            networks:
              - name: a
                interface: eth1
                address: 10.77.0.1/24
                dhcp: { mode: server, range: 10.77.0.1-10.77.0.250, leaseTime: 10 }
              - name: a
                interface: eth9
                address: 10.77.0.129/25
                dhcp: { mode: sever }
                bot: true
            policy: { enroll: maybe }
            """);

        Assert.Contains(problems, p => p is { Line: 1, Key: "name" });
        Assert.Contains(problems, p => p is { Line: 2, Key: "stor" } && p.Message.Contains("did you mean 'store'", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 4, Key: "management.listen[0]" } && p.Message.Contains("https", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 4, Key: "management.listen[0]" } && p.Message.Contains("provisioning network", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 4, Key: "management.listen[1]" });
        Assert.Contains(problems, p => p is { Line: 9, Key: "networks[0].dhcp.range" } && p.Message.Contains("our own address", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 9, Key: "networks[0].dhcp.leaseTime" });
        Assert.Contains(problems, p => p is { Line: 10, Key: "networks[1].name" });
        Assert.Contains(problems, p => p is { Line: 11, Key: "networks[1].interface" } && p.Message.Contains("there is no interface 'eth9'", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 12, Key: "networks[1].address" } && p.Message.Contains("overlaps", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 13, Key: "networks[1].dhcp.mode" });
        Assert.Contains(problems, p => p is { Line: 14, Key: "networks[1].bot" } && p.Message.Contains("did you mean 'boot'", StringComparison.Ordinal));
        Assert.Contains(problems, p => p is { Line: 15, Key: "policy.enroll" });
    }

    const string BehindRelay = """
          - name: rack7
            via: provisioning
            address: 10.78.0.0/24
            dhcp: { mode: server, range: 10.78.0.60-10.78.0.90, router: 10.78.0.1 }
            boot: true
        policy:
        """;

    [Fact]
    public void A_network_behind_a_relay_has_the_interface_and_the_address_of_the_network_that_leads_to_it()
    {
        var (options, problems) = ConfigurationFile.Parse(Good.Replace("policy:", BehindRelay, StringComparison.Ordinal), "a.yaml", Interfaces);

        Assert.Empty(problems);
        var (attached, behind) = (options!.Networks[0], options.Networks[1]);
        Assert.Equal((null, "provisioning"), (attached.Via, behind.Via));
        Assert.Equal(("eth1", Ipv4Address.Parse("10.77.0.1")), (behind.Interface, behind.Server));
        Assert.Equal("rack7", Assert.Single(attached.Behind).Name);
        Assert.Empty(behind.Behind);
    }

    [Theory]
    [InlineData("via: provisioning", "via: nosuch", "via", "there is no network 'nosuch'")]
    [InlineData("via: provisioning", "via: rack7", "via", "there is no network 'rack7' with an interface")]
    [InlineData("via: provisioning", "via: provisioning\n    interface: eth1", "interface", "not both")]
    [InlineData("10.78.0.0/24", "10.78.0.1/24", "address", "write its number, 10.78.0.0/24")]
    [InlineData(", router: 10.78.0.1", "", "dhcp.router", "name it")]
    [InlineData("router: 10.78.0.1", "router: 10.78.0.61", "dhcp.router", "inside the range")]
    [InlineData("mode: server, range: 10.78", "mode: proxy, range: 10.78", "dhcp.mode", "only 'server'")]
    [InlineData("boot: true\npolicy", "boot: true\n    guard: { mode: on }\npolicy", "guard.mode", "nothing to compare")]
    [InlineData("    boot: true\n  - name: rack7", "  - name: rack7", "boot", "has no 'boot: true'")]
    public void A_network_behind_a_relay_is_told_what_it_lacks(string instead, string of, string key, string problem)
    {
        var yaml = Good.Replace("policy:", BehindRelay, StringComparison.Ordinal).ReplaceLineEndings("\n");
        Assert.Contains(instead, yaml, StringComparison.Ordinal);

        Assert.Contains(ProblemsOf(yaml.Replace(instead, of, StringComparison.Ordinal)), p => p.Key == $"networks[1].{key}" && p.Message.Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void An_interface_without_the_address_says_what_it_has_and_how_to_mend_it()
    {
        var problem = Assert.Single(ProblemsOf(Good.Replace("interface: eth1", "interface: eth2", StringComparison.Ordinal)));

        Assert.Equal("networks[0].address", problem.Key);
        Assert.Contains("10.77.0.2/25", problem.Message, StringComparison.Ordinal);
        Assert.Contains("ip address add 10.77.0.1/24 dev eth2", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: [a")]
    [InlineData("- 1")]
    [InlineData("")]
    [InlineData("a: b\n---\nc: d")]
    public void A_file_that_is_not_one_mapping_is_one_clear_problem(string yaml)
    {
        var problem = Assert.Single(ProblemsOf(yaml));

        Assert.Equal("a.yaml", problem.File);
    }

    [Fact]
    public void A_file_that_is_not_there_is_one_problem_without_a_line()
    {
        var problem = Assert.Single(ConfigurationFile.Read("/nowhere/a.yaml", Interfaces).Problems);
        Assert.StartsWith("/nowhere/a.yaml: cannot be read: ", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_prefix_of_a_good_file_is_read_or_refused_without_a_throw()
    {
        for (var length = 0; length <= Good.Length; length++)
        {
            var (options, problems) = ConfigurationFile.Parse(Good[..length], "a.yaml", Interfaces);
            Assert.True(options is null == problems.Count > 0);
        }
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("7d", 604800)]
    public void Durations_are_read_and_written_alike(string text, int seconds)
    {
        Assert.True(DurationText.TryParse(text, out var value));
        Assert.Equal(TimeSpan.FromSeconds(seconds), value);
        Assert.True(DurationText.TryParse(DurationText.Format(value), out var again));
        Assert.Equal(value, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("m")]
    [InlineData("10x")]
    [InlineData("-5m")]
    [InlineData("9999999d")]
    public void A_duration_without_a_unit_or_sense_is_refused(string text) => Assert.False(DurationText.TryParse(text, out _));
}
