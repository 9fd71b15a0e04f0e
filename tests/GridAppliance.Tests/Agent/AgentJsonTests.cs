using System.Text;
using System.Text.Json;
using GridAppliance.Agent;
using GridAppliance.Api;
using GridAppliance.Api.Agents;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Tests.Agent;

/// <summary>The agent has JSON contexts of its own; on the wire they must be the contract's.</summary>
public sealed class AgentJsonTests
{
    static readonly InventoryDocument inventory = new()
    {
        Cpus = 2, MemoryMiB = 512, Firmware = "bios", Vendor = "Überall & Co \"x\"",
        Disks = [new DiskDocument { Name = "vda", SizeBytes = 1L << 40, Rotational = true }],
        Nics = [new NicDocument { Name = "eth0", Mac = "52:54:00:00:00:01", Link = true, Neighbours = [new LldpNeighbourDocument { ChassisId = "sw1", PortVlan = 7 }] }],
        Bmc = new BmcDocument { Kind = "ipmi" },
    };

    [Fact]
    public void What_the_agent_writes_is_octet_by_octet_what_the_contract_writes()
    {
        var enrol = new EnrollRequest { Token = "t", PublicKey = "k", Proof = "p", AgentVersion = "1", Inventory = inventory };
        Assert.Equal(Text(JsonSerializer.SerializeToUtf8Bytes(enrol, ApiJson.Default.EnrollRequest)), Text(JsonSerializer.SerializeToUtf8Bytes(enrol, WrittenJson.Default.EnrollRequest)));
        var heartbeat = new HeartbeatRequest { AgentVersion = "1", UptimeSeconds = 1.5, Modules = [new InstalledModuleDocument { Name = "m", Version = "1", State = "running" }] };
        Assert.Equal(Text(JsonSerializer.SerializeToUtf8Bytes(heartbeat, ApiJson.Default.HeartbeatRequest)),
            Text(JsonSerializer.SerializeToUtf8Bytes(heartbeat, WrittenJson.Default.HeartbeatRequest)));
        var result = new OrderResult { Succeeded = true, Message = "done" };
        Assert.Equal(Text(JsonSerializer.SerializeToUtf8Bytes(result, ApiJson.Default.OrderResult)), Text(JsonSerializer.SerializeToUtf8Bytes(result, WrittenJson.Default.OrderResult)));
    }

    [Fact]
    public void What_the_appliance_writes_the_agent_reads()
    {
        var order = new OrderDocument { Id = "o", NodeId = "n", Kind = "module.install", Module = new ModuleOrder { Name = "m", Version = "1", Digest = "d", SizeBytes = 5 } };
        Assert.Equal(order, JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(order, ApiJson.Default.OrderDocument), ReadJson.Default.OrderDocument));
        var response = new EnrollResponse { NodeId = "n", Node = "n1", ApplianceKey = "k", HeartbeatSeconds = 10 };
        Assert.Equal(response, JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(response, ApiJson.Default.EnrollResponse), ReadJson.Default.EnrollResponse));
    }

    static string Text(byte[] json) => Encoding.UTF8.GetString(json);
}
