using System.Text;
using System.Text.Json.Nodes;
using GridAppliance.Api.Disks;
using GridAppliance.Disks;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Disks;

/// <summary>What people may ask for, and what cloud-init is told of it.</summary>
public sealed class CloudTests
{
    const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q alice@desk";

    static readonly NetworkOptions Network = new() { Name = "provisioning", Interface = "eth1", Address = Ipv4Network.Parse("10.77.0.1/24"), Range = Ipv4Range.Parse("10.77.0.50-10.77.0.250", null), Reservations = [new(MacAddress.Parse("52:54:00:00:00:09"), Ipv4Address.Parse("10.77.0.30"))] };
    static readonly Node Node = new() { Id = Guid.NewGuid(), Name = "n1", State = NodeState.Active, StateSince = default, FirstSeen = default, BootMac = MacAddress.Parse("52:54:00:00:00:01"), Macs = [MacAddress.Parse("52:54:00:00:00:01")], Network = "provisioning" };

    [Fact]
    public void Without_any_wish_it_has_the_nodes_name_an_address_from_DHCP_and_lets_nobody_in()
    {
        var settings = Read(new() { Range = "n1", Image = "debian", Disk = "vda" });
        Assert.Equal(("n1", null, 0), (settings.HostName, settings.Address, settings.SshKeys.Length));
        Assert.Equal("""{"version":2,"ethernets":{"eth0":{"match":{"macaddress":"52:54:00:00:00:01"},"set-name":"eth0","dhcp4":true}}}""", Text("network-config", settings).Trim());
    }

    [Fact]
    public void Keys_name_and_network_are_in_the_documents_that_are_for_them()
    {
        var settings = Read(new() { Range = "n1", Image = "debian", Disk = "vda", HostName = "db-1", SshKeys = ["# of alice", "", Key], Address = "10.77.0.20/24", Gateway = "10.77.0.254", Dns = ["10.77.0.1"] });
        var meta = JsonNode.Parse(Text("meta-data", settings))!;
        Assert.Equal(("db-1", Key), (meta["local-hostname"]!.GetValue<string>(), meta["public-keys"]![0]!.GetValue<string>()));
        var user = Text("user-data", settings);
        Assert.StartsWith("#cloud-config\n", user, StringComparison.Ordinal);
        var data = JsonNode.Parse(user["#cloud-config\n".Length..])!;
        Assert.Equal(("db-1", Key, false), (data["hostname"]!.GetValue<string>(), data["ssh_authorized_keys"]![0]!.GetValue<string>(), data["ssh_pwauth"]!.GetValue<bool>()));
        Assert.Equal("nameserver 10.77.0.1\n", data["write_files"]![0]!["content"]!.GetValue<string>());
        var nic = JsonNode.Parse(Text("network-config", settings))!["ethernets"]!["eth0"]!;
        Assert.Equal(("10.77.0.20/24", "10.77.0.254", false), (nic["addresses"]![0]!.GetValue<string>(), nic["gateway4"]!.GetValue<string>(), nic["dhcp4"]!.GetValue<bool>()));
        Assert.Empty(Text("vendor-data", settings));
        Assert.Null(CloudSeed.Document("../../etc/shadow", Node, Disk(settings)));
    }

    [Theory]
    [InlineData("a host name", "-x", null, null, null, null)]
    [InlineData("is no host name", "n1;reboot", null, null, null, null)]
    [InlineData("is no SSH public key", null, "command=\"sh\" " + Key, null, null, null)]
    [InlineData("is no SSH public key", null, "ssh-ed25519 AAAA\"}]", null, null, null)]
    [InlineData("is no address with the length", null, null, "10.77.0.20", null, null)]
    [InlineData("DHCP gives to others", null, null, "10.77.0.60/24", null, null)]
    [InlineData("is no address of a node's", null, null, "10.78.0.60/24", null, null)]
    [InlineData("is no address of a node's", null, null, "10.77.0.1/24", null, null)]
    [InlineData("is no address of a node's", null, null, "10.77.0.255/24", null, null)]
    [InlineData("is kept for 52:54:00:00:00:09 by DHCP", null, null, "10.77.0.30/24", null, null)]
    [InlineData("is no neighbour of 10.77.0.20/24", null, null, "10.77.0.20/24", "10.78.0.254", null)]
    [InlineData("a gateway goes with an address", null, null, null, "10.77.0.254", null)]
    [InlineData("is no IPv4 address", null, null, "10.77.0.20/24", "gate", null)]
    [InlineData("is no IPv4 address", null, null, null, null, "dns.example")]
    public void What_could_not_be_written_as_it_stands_is_refused(string because, string? host, string? key, string? address, string? gateway, string? dns)
    {
        Assert.Null(CloudInput.Read(new() { Range = "n1", Image = "debian", Disk = "vda", HostName = host, SshKeys = key is null ? [] : [key], Address = address, Gateway = gateway, Dns = dns is null ? [] : [dns] }, "n1", Network, out var problem));
        Assert.Contains(because.Replace("a host name", "no host name", StringComparison.Ordinal), problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_document_of_the_record_shows_whose_keys_they_are_and_no_word_of_the_address()
    {
        var document = Disk(Read(new() { Range = "n1", Image = "debian", Disk = "vda", SshKeys = [Key] })).ToDocument();
        Assert.Equal(["ssh-ed25519 alice@desk"], document.SshKeys);
        Assert.DoesNotContain("a-word", document.ToString(), StringComparison.Ordinal);
    }

    static CloudSettings Read(NodeInstallRequest request)
    {
        var settings = CloudInput.Read(request, "n1", Network, out var problem);
        Assert.True(settings is not null, problem);
        return settings;
    }

    static string Text(string document, CloudSettings settings) => Encoding.UTF8.GetString(CloudSeed.Document(document, Node, Disk(settings))!);

    static WrittenDisk Disk(CloudSettings settings) => new() { Id = Guid.NewGuid(), Name = "vda", SizeBytes = 1L << 33, Image = "debian", Digest = new('d', 64), Settings = settings, Token = "a-word", Since = default, By = "alice" };
}
