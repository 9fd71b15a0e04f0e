using System.Collections.Immutable;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.San;
using GridAppliance.San.Mds;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using GridAppliance.Tests.Switches;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.San;

/// <summary>A daemon that is killed after each of the orders of a change to a zoning switch in turn, and its next life, which looks at the switch before anybody asks for anything.</summary>
public sealed class JournaledFabricTests : IAsyncLifetime
{
    const uint Vsan = 20;
    const string Host = "10:00:00:00:c9:00:00:01", Other = "10:00:00:00:c9:00:00:02", Disk = "50:06:01:60:00:00:00:01", Name = "grid-n1";

    readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);
    readonly ZoneTree tree = new(Vsan);
    readonly TestStore store = new();
    SnmpAgent agent = null!;

    public Task InitializeAsync()
    {
        agent = new(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 7, 7, 8], Users = [SwitchBench.Account] }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await socket.DisposeAsync();
        await store.DisposeAsync();
    }

    static ZoneModel Theirs { get; } = new ZoneModel
    {
        Zones = ImmutableSortedDictionary<uint, AgentZone>.Empty.Add(1, new("backup", ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Wwn.Parse("21:00:00:00:00:00:00:09").ToOctets()))),
        Sets = ImmutableSortedDictionary<uint, AgentZoneSet>.Empty.Add(3, new("production", PortList.Of([1]))),
    }.Activated(3);

    static SanZone Zone(string initiator) => new(Name, [initiator], [Disk]);

    /// <summary>As a daemon that was just started has it. Its clock stands still: what is not answered is waited for until the daemon is killed.</summary>
    JournaledFabric Open() => new("mds", new MdsFabric(new($"snmp+mds://127.0.0.1/{Vsan}"), new(socket, agent.EndPoint, SwitchBench.Credentials, new(), new ManualClock())), new(store.Database));

    [Theory]
    [InlineData("made", 6)]
    [InlineData("other", 4)]
    [InlineData("gone", 4)]
    public async Task Cut_off_anywhere_in_a_change_a_zone_is_as_it_was_when_the_fabric_is_looked_at_again(string change, int least)
    {
        var cut = 0;
        for (var isWhole = false; !isWhole; cut++)
        {
            tree.Model = Theirs;
            using (var before = Open())
            {
                if (change != "made") Assert.Equal(SanOutcome.Done, await Soon(before.ConnectAsync(Zone(Host), default)));
            }
            var was = tree.Model;
            var dead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sets = 0;
            agent.Tamper = (request, response) =>
            {
                if (request.Type == SnmpPduType.Set && sets++ == cut) dead.TrySetResult();
                return dead.Task.IsCompleted ? null : response;
            };
            // Not disposed of: whoever is killed tidies nothing up.
            var killed = Open();
            var changing = change == "gone" ? killed.DisconnectAsync(Name, default) : killed.ConnectAsync(Zone(Other), default);
            isWhole = await Eventually.ComesAsync(Task.WhenAny(changing, dead.Task), "the end of a change, or of the daemon") == changing;
            agent.Tamper = null;
            if (isWhole) break;
            await store.ReopenAsync();

            using var next = Open();
            await Soon(next.RestoreAsync(default));
            AssertZone(was, cut);
            Assert.Empty(new ZoneStore(store.Database).Load("mds"));
            Assert.Empty((await Soon(next.RestoreAsync(default))).Made);
        }
        Assert.True(cut >= least, $"only {cut} moments were tried");
    }

    [Fact]
    public async Task A_change_that_came_to_its_end_is_left_as_it_is()
    {
        tree.Model = Theirs;
        using var fabric = Open();
        Assert.Equal(SanOutcome.Done, await Soon(fabric.ConnectAsync(Zone(Host), default)));
        Assert.Equal(SanEnding.Refused, (await Soon(fabric.ConnectAsync(new("theirs", [Host], [Disk]), default))).Ending);
        var left = tree.Model;
        Assert.Empty((await Soon(fabric.RestoreAsync(default))).Made);
        Assert.Same(left, tree.Model);
    }

    static Task<T> Soon<T>(Task<T> task) => Eventually.ComesAsync(task, "an answer of the fabric");

    void AssertZone(ZoneModel was, int cut)
    {
        var moment = $"cut off after order {cut + 1}";
        Assert.True(InForce(was) == InForce(tree.Model), $"{moment}: in force were {InForce(was)}, and are {InForce(tree.Model)}");
        Assert.True(Written(was) == Written(tree.Model), $"{moment}: written down was {Written(was)}, and is {Written(tree.Model)}");
    }

    static string InForce(ZoneModel model) => string.Join("; ", model.InForce!.Value.Zones.Select(z => $"{z.Key}: {string.Join(' ', z.Value)}"));

    // Of a zone's members the order is nobody's business.
    static string Written(ZoneModel model) =>
        string.Join("; ", model.Zones.Values.OrderBy(z => z.Name, StringComparer.Ordinal).Select(z => $"{z.Name}: {string.Join(' ', z.Members.Values.Select(Convert.ToHexStringLower).Order(StringComparer.Ordinal))}"))
        + string.Join("; ", model.Sets.Values.Select(s => $" in {s.Name}: {string.Join(' ', s.Zones.Ports.Select(i => model.Zones[(uint)i].Name).Order(StringComparer.Ordinal))}"));
}
