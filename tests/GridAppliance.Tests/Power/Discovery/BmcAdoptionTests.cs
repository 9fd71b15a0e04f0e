using System.Net;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Agent.Bmc;
using GridAppliance.Api.Agents;
using GridAppliance.Power.Discovery;
using GridAppliance.Power.Ports;
using GridAppliance.Protocols.Ipmi;
using GridAppliance.Tests.Agents;

namespace GridAppliance.Tests.Power.Discovery;

/// <summary>How a machine's BMC becomes the appliance's without anybody typing a password: the agent's half, the appliance's, and both together.</summary>
public sealed class BmcAdoptionTests : IAsyncLifetime
{
    readonly ScriptedBmc bmc = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await bmc.DisposeAsync();

    /// <summary>The machine's own way to the BMC, which asks for no account.</summary>
    sealed class Door(ScriptedBmc bmc) : IBmcDoor
    {
        public bool IsThere { get; set; } = true;

        public byte[] Ask(byte netFn, byte command, ReadOnlySpan<byte> data) => bmc.State.Answer((NetFunction)netFn, command, data, outside: false);
    }

    static OrderDocument Order(ECDiffieHellman key, string account = BmcAdopter.Account) => new()
    {
        Id = "bmc-1", NodeId = "node-1", Kind = OrderKinds.AdoptBmc, Bmc = new() { Account = account, SealTo = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()) },
    };

    [Fact]
    public void The_agent_makes_an_account_and_nobody_on_the_way_can_read_its_password()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var order = Order(key);
        var (handover, message) = new BmcAdoption(new Door(bmc)).Adopt(order, order.Bmc!);
        Assert.NotNull(handover);
        var made = bmc.State.Users[3];
        Assert.Equal((BmcAdopter.Account, true), (made.Name, made.Enabled));
        Assert.Equal(4, made.Access & 0x0F);
        // The account that was there is as it was.
        Assert.Equal(("ADMIN", 0), (bmc.State.Users[2].Name, bmc.State.Users[2].Password.Length));

        var password = Encoding.ASCII.GetString(made.Password).TrimEnd('\0');
        Assert.Equal(16, password.Length);
        Assert.DoesNotContain(password, handover.Box + message);
        Assert.Equal(password, Encoding.ASCII.GetString(SealedHandover.Open(key, handover.Key, handover.Box, "bmc-1", "node-1")!));
        Assert.Null(SealedHandover.Open(key, handover.Key, handover.Box, "bmc-2", "node-1"));
        Assert.Null(SealedHandover.Open(key, handover.Key, handover.Box, "bmc-1", "node-2"));
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(SealedHandover.Open(other, handover.Key, handover.Box, "bmc-1", "node-1"));
    }

    [Fact]
    public void Done_again_the_same_account_gets_another_password()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var order = Order(key);
        var adoption = new BmcAdoption(new Door(bmc));
        adoption.Adopt(order, order.Bmc!);
        var first = bmc.State.Users[3].Password;
        adoption.Adopt(order, order.Bmc!);
        Assert.NotEqual(first, bmc.State.Users[3].Password);
        Assert.DoesNotContain(bmc.State.Users, user => user.Key > 3 && user.Value.Name == BmcAdopter.Account);
    }

    [Fact]
    public void What_cannot_be_is_said_and_nothing_is_half_done()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.Contains("no BMC", new BmcAdoption(new Door(bmc) { IsThere = false }).Adopt(Order(key), Order(key).Bmc!).Message);
        Assert.Null(new BmcAdoption(new Door(bmc)).Adopt(Order(key), Order(key, "root; reboot").Bmc!).Handover);
        Assert.Contains("no key", new BmcAdoption(new Door(bmc)).Adopt(Order(key), new BmcOrder { Account = BmcAdopter.Account, SealTo = "AAAA" }).Message);
        foreach (var user in new byte[] { 2, 3, 4 }) bmc.State.Users[user] = ($"user{user}", [1], 0x34, true);
        Assert.Contains("no account to spare", new BmcAdoption(new Door(bmc)).Adopt(Order(key), Order(key).Bmc!).Message);
        bmc.State.Lan.Remove(3);
        Assert.Contains("no address", new BmcAdoption(new Door(bmc)).Adopt(Order(key), Order(key).Bmc!).Message);
        Assert.Equal(3, bmc.State.Users.Values.Count(user => user.Enabled));
    }

    [Fact]
    public void A_changed_box_opens_for_nobody()
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var box = SealedHandover.Seal("secret"u8, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), "o", "n")!.Value;
        var octets = Convert.FromBase64String(box.Box);
        for (var i = 0; i < octets.Length; i++)
        {
            octets[i] ^= 1;
            Assert.Null(SealedHandover.Open(key, box.Key, Convert.ToBase64String(octets), "o", "n"));
            octets[i] ^= 1;
        }
        for (var length = 0; length < octets.Length; length++) Assert.Null(SealedHandover.Open(key, box.Key, Convert.ToBase64String(octets.AsSpan(0, length)), "o", "n"));
        Assert.Null(SealedHandover.Open(key, "not a key", box.Box, "o", "n"));
        Assert.Null(SealedHandover.Open(key, box.Key, new string('A', 4000), "o", "n"));
    }

    [Fact]
    public async Task A_node_with_a_bmc_gets_a_port_that_nobody_typed_a_password_for()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync(inventory: agent.Inventory with { Bmc = new() { Kind = "ipmi", Address = "127.0.0.1" } });
        var order = await agent.NextOrderAsync();
        Assert.Equal((OrderKinds.AdoptBmc, BmcAdopter.Account), (order!.Kind, order.Bmc!.Account));

        var (handover, message) = new BmcAdoption(new Door(bmc)).Adopt(order, order.Bmc);
        var result = new OrderResult { Succeeded = true, Message = message, Bmc = handover };
        Assert.Equal(HttpStatusCode.NoContent, (await agent.ReportAsync(order.Id, result)).Status);
        var ports = appliance.Get<NodePorts>();
        var port = Assert.Single(ports.Current.Of(appliance.Nodes.Current.Find(agent.Node)!.Id));
        Assert.Equal(("ipmi://127.0.0.1", "appliance"), (port.Address.OriginalString, port.SetBy));
        Assert.Equal((BmcAdopter.Account, Encoding.ASCII.GetString(bmc.State.Users[3].Password).TrimEnd('\0')), (ports.CredentialsOf(port).User, Encoding.ASCII.GetString(ports.CredentialsOf(port).Password.Span)));
        Assert.Equal("127.0.0.1", appliance.Nodes.Current.Find(agent.Node)!.ToDocument().Bmc!.Address);
        // A report that comes twice changes nothing, and nobody is asked again.
        Assert.Equal(HttpStatusCode.NoContent, (await agent.ReportAsync(order.Id, result)).Status);
        Assert.Null(await agent.NextOrderAsync(1));
    }

    [Fact]
    public async Task An_agent_that_names_another_place_than_its_inventory_hands_over_nothing()
    {
        await using var appliance = await TestAppliance.StartAsync();
        var agent = await appliance.IdleAgentAsync(1);
        await agent.HeartbeatAsync(inventory: agent.Inventory with { Bmc = new() { Kind = "ipmi", Address = "127.0.0.9" } });
        var order = await agent.NextOrderAsync();
        var (handover, message) = new BmcAdoption(new Door(bmc)).Adopt(order!, order!.Bmc!);
        await agent.ReportAsync(order.Id, new OrderResult { Succeeded = true, Message = message, Bmc = handover });
        Assert.Empty(appliance.Get<NodePorts>().Current.ByAddress);
        Assert.Contains("port.not-adopted", appliance.EventsOf(agent.Node));
    }
}
