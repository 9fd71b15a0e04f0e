using System.Net;
using System.Net.Sockets;
using GridAppliance.Fabric.Traps;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Switches.Fleet;
using GridAppliance.Testing;
using GridAppliance.Tests.Boot;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Fabric;

/// <summary>Net-SNMP's own notification senders and a whole daemon.</summary>
public sealed class TrapTests : IAsyncLifetime
{
    const string LinkDown = ".1.3.6.1.6.3.1.1.5.3";

    readonly SwitchBench bench = new(BridgeModel.Factory(12).WithAccess(100, [.. Enumerable.Range(1, 11)]), "leaf1");
    ManagementPlaneHost plane = null!;

    public async Task InitializeAsync()
    {
        plane = await ManagementPlaneHost.StartAsync();
        var secretFile = await SwitchBench.WriteSecretAsync(plane.DataDir);
        var added = await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secretFile);
        Assert.True(added.Status == 0, added.Error);
        await Eventually.UntilAsync(() => plane.Get<SwitchFleet>().Find("leaf1")!.Reading is not null, "a first reading");
    }

    public async Task DisposeAsync()
    {
        await plane.DisposeAsync();
        await bench.DisposeAsync();
    }

    int Port => plane.Get<TrapListener>().EndPoint!.Port;

    Task<RealProgram.Outcome> SendAsync(string program, string passphrase, params string[] more) => RealProgram.RunAsync(Path.GetTempPath(), $"/usr/bin/{program}",
    [
        "-v3", "-l", "authPriv", "-u", SwitchBench.User, "-a", "SHA-256", "-A", passphrase, "-x", "AES", "-X", SwitchBench.Privacy, "-t", "2", "-r", "1", "-m", "", .. more,
        $"127.0.0.1:{Port}", "", LinkDown, ".1.3.6.1.2.1.2.2.1.1", "i", "1003",
    ]);

    void Unplug(int port) => bench.Bridge.Model = bench.Bridge.Model with { Ports = bench.Bridge.Model.Ports.SetItem(port, bench.Bridge.Model.Ports[port] with { HasLink = false }) };

    [Theory]
    [InlineData("snmptrap")]
    [InlineData("snmpinform")]
    public async Task What_a_switch_says_by_itself_has_it_read_at_once(string program)
    {
        Unplug(3);
        var sent = await SendAsync(program, SwitchBench.Authentication, program == "snmptrap" ? ["-e", "0x8000000005090909"] : []);
        // An inform that is not answered ends with an error.
        Assert.True(sent.ExitCode == 0, sent.Output);
        await Eventually.UntilAsync(() => plane.Get<SwitchFleet>().Find("leaf1")!.Reading!.Snapshot.Ports[3].HasLink == false, "a reading");
        await Eventually.UntilAsync(() => plane.Timeline.Read(0, 1000).Any(e => e is { Kind: "switch.link-down", Message: "port Gi0/3 of switch leaf1 has lost its link" }), "an event");
    }

    [Theory]
    [InlineData("snmptrap")]
    [InlineData("snmpinform")]
    public async Task A_switch_of_version_2c_is_heard_by_its_community_and_by_no_other(string program)
    {
        // Behind the same address as the other switch, whose key is none of its own.
        await using var second = new SwitchBench(BridgeModel.Factory(4), "leaf2");
        var secretFile = Path.Combine(plane.DataDir, "community");
        await File.WriteAllTextAsync(secretFile, SwitchBench.Community);
        var added = await plane.Gridctl("switch", "add", "leaf2", second.Address, "--secret-file", secretFile);
        Assert.True(added.Status == 0, added.Error);
        await Eventually.UntilAsync(() => plane.Get<SwitchFleet>().Find("leaf2")!.Reading is not null, "a first reading");
        var (first, before) = (plane.Get<SwitchFleet>().Find("leaf1")!.Reading!.At, plane.Get<SwitchFleet>().Find("leaf2")!.Reading!.At);

        var wrong = await SendPlainAsync("public");
        // A trap is not answered; an inform with another's community is not either.
        Assert.Equal(program == "snmptrap", wrong.ExitCode == 0);
        second.Bridge.Model = second.Bridge.Model with { Ports = second.Bridge.Model.Ports.SetItem(3, second.Bridge.Model.Ports[3] with { HasLink = false }) };
        Assert.Equal(before, plane.Get<SwitchFleet>().Find("leaf2")!.Reading!.At);
        var sent = await SendPlainAsync(SwitchBench.Community);
        Assert.True(sent.ExitCode == 0, sent.Output);
        await Eventually.UntilAsync(() => plane.Timeline.Read(0, 1000).Any(e => e is { Kind: "switch.link-down", Message: "port Gi0/3 of switch leaf2 has lost its link" }), "an event");
        Assert.Equal(first, plane.Get<SwitchFleet>().Find("leaf1")!.Reading!.At);

        Task<RealProgram.Outcome> SendPlainAsync(string community) =>
            RealProgram.RunAsync(Path.GetTempPath(), $"/usr/bin/{program}", ["-v2c", "-c", community, "-t", "1", "-r", "0", "-m", "", $"127.0.0.1:{Port}", "", LinkDown]);
    }

    [Fact]
    public async Task What_is_not_signed_with_the_switchs_key_has_nobody_do_anything()
    {
        var before = plane.Get<SwitchFleet>().Find("leaf1")!.Reading!.At;
        Assert.NotEqual(0, (await SendAsync("snmpinform", "another passphrase")).ExitCode);
        var plain = await RealProgram.RunAsync(Path.GetTempPath(), "/usr/bin/snmpinform", ["-v2c", "-c", "public", "-t", "1", "-r", "0", "-m", "", $"127.0.0.1:{Port}", "", LinkDown]);
        Assert.NotEqual(0, plain.ExitCode);
        // One that is signed comes after them: what they had set off would have come before it.
        Assert.Equal(0, (await SendAsync("snmpinform", SwitchBench.Authentication)).ExitCode);
        await Eventually.UntilAsync(() => plane.Get<SwitchFleet>().Find("leaf1")!.Reading!.At > before, "a reading");
    }

    [Fact]
    public async Task Rubbish_on_the_port_does_no_harm()
    {
        using var socket = new UdpClient();
        var random = new Random(20261121);
        for (var i = 0; i < 2000; i++)
        {
            var datagram = new byte[random.Next(1, 200)];
            random.NextBytes(datagram);
            if (i % 2 == 0) datagram[0] = 0x30;
            await socket.SendAsync(datagram, new IPEndPoint(IPAddress.Loopback, Port));
        }
        Assert.Equal(0, (await SendAsync("snmpinform", SwitchBench.Authentication)).ExitCode);
    }
}
