using System.Collections.Immutable;
using System.Net;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Switches.Fleet;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches;

/// <summary>What a switch does now is copied to what it starts with: by CISCO-CONFIG-COPY-MIB, once, after a quiet moment.</summary>
public sealed class StartUpSaveTests : IAsyncLifetime
{
    static readonly ObjectIdentifier SysObjectId = new(1, 3, 6, 1, 2, 1, 1, 2, 0), Copy = new(1, 3, 6, 1, 4, 1, 9, 9, 96, 1, 1, 1, 1);
    static readonly ObjectIdentifier Catalyst = new(1, 3, 6, 1, 4, 1, 9, 1, 1208), ProCurve = new(1, 3, 6, 1, 4, 1, 11, 2, 3, 7, 11, 1);

    readonly TestStore store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await store.DisposeAsync();

    /// <summary>An IOS that copies: a row with source, destination and createAndGo is an order; anything else is refused, as the MIB's text has it.</summary>
    sealed class CopyTree(ObjectIdentifier make, int ends) : IManagedTree
    {
        const uint Source = 3, Destination = 4, State = 10, RowStatus = 14;

        public List<string> Orders { get; } = [];
        uint row;

        public ValueTask RefreshAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public SnmpValue Get(ObjectIdentifier name) => name == SysObjectId ? SnmpValue.Identifier(make) : row != 0 && name == Copy.Append(State, row) ? SnmpValue.Integer(ends) : SnmpValue.NoSuchInstance;

        public Varbind? Next(ObjectIdentifier name) => null;

        public ValueTask<SetVerdict> SetAsync(ImmutableArray<Varbind> varbinds, CancellationToken cancellationToken)
        {
            var cells = varbinds.ToDictionary(v => v.Name.Below(Copy)![0], v => (Row: v.Name.Below(Copy)![1], Value: v.Value.TryGetInt32(out var number) ? number : 0));
            if (cells.Count == 1 && cells[RowStatus] == (row, 6))
            {
                Orders.Add("destroy");
                return ValueTask.FromResult(SetVerdict.Done);
            }
            if (cells.Count != 3 || cells[RowStatus].Value != 4 || cells.Values.Select(c => c.Row).Distinct().Count() != 1) return ValueTask.FromResult(new SetVerdict(SnmpErrorStatus.InconsistentValue, 1));
            row = cells[RowStatus].Row;
            Orders.Add($"{cells[Source].Value} -> {cells[Destination].Value}");
            return ValueTask.FromResult(SetVerdict.Done);
        }
    }

    static async Task<SaveOutcome> SaveAsync(CopyTree tree)
    {
        await using var agent = new SnmpAgent(new(IPAddress.Loopback, 0), new() { EngineId = [0x80, 0, 0, 0, 5, 9], Users = [SwitchBench.Account] }, new Dictionary<string, IManagedTree> { [""] = tree }, TimeProvider.System);
        await using var socket = new SnmpSocket(NullLogger<SnmpSocket>.Instance);
        using var session = new SnmpSession(socket, agent.EndPoint, SwitchBench.Credentials, new(), TimeProvider.System);
        return await new SnmpSystem(session).SaveAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_cisco_copies_its_running_configuration_to_its_start_up_configuration_and_the_row_goes()
    {
        var tree = new CopyTree(Catalyst, ends: 3);
        Assert.Equal(SaveOutcome.Saved, await SaveAsync(tree));
        // runningConfig(4) to startupConfig(3).
        Assert.Equal(["4 -> 3", "destroy"], tree.Orders);
    }

    [Fact]
    public async Task A_copy_that_failed_is_no_save()
    {
        Assert.Equal(SaveOutcome.Failed, await SaveAsync(new CopyTree(Catalyst, ends: 4)));
    }

    [Fact]
    public async Task Another_make_gets_no_order()
    {
        var tree = new CopyTree(ProCurve, ends: 3);
        Assert.Equal(SaveOutcome.NotKnown, await SaveAsync(tree));
        Assert.Empty(tree.Orders);
    }

    /// <summary>A store that says when it is asked.</summary>
    sealed class ScriptedStore : IStartUpStore
    {
        readonly SemaphoreSlim asked = new(0);

        public int Saves { get; private set; }
        public SaveOutcome Answer { get; set; } = SaveOutcome.Saved;

        public Task<SaveOutcome> SaveAsync(CancellationToken cancellationToken)
        {
            Saves++;
            asked.Release();
            return Task.FromResult(Answer);
        }

        public async Task UntilAskedAsync() => Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(60)), "nobody saved within 20 s");
    }

    StartUpSaver Saver(IStartUpStore device, bool hasUnsaved = false) => new("leaf1", device, hasUnsaved, new(store.Database), store.Timeline, store.Clock, NullLogger<StartUpSaver>.Instance);

    // The saver's timer is made on its own thread: until it is there, time stands still for it.
    async Task PassAsync(TimeSpan time, Func<bool> until)
    {
        for (var i = 0; i < 400 && !until(); i++)
        {
            store.Clock.Advance(time);
            await Task.Delay(5);
        }
        Assert.True(until());
    }

    [Fact]
    public async Task Many_writes_are_one_save_after_a_quiet_moment()
    {
        var device = new ScriptedStore();
        await using var saver = Saver(device);
        for (var i = 0; i < 60; i++) await saver.WritingAsync(default);
        Assert.True(saver.HasUnsaved);
        Assert.Equal(0, device.Saves);
        await PassAsync(StartUpSaver.Quiet, () => !saver.HasUnsaved);
        Assert.Equal(1, device.Saves);
        // It is told after it is so.
        await Eventually.UntilAsync(() => store.Timeline.Read(0, 10).Any(e => e is { Kind: "switch.saved", Message: "switch leaf1 saved its configuration" }), "the event");
    }

    [Fact]
    public async Task A_save_that_fails_is_told_and_tried_again()
    {
        var device = new ScriptedStore { Answer = SaveOutcome.Failed };
        await using var saver = Saver(device);
        await saver.WritingAsync(default);
        await PassAsync(StartUpSaver.Quiet, () => saver.Last == SaveOutcome.Failed);
        Assert.True(saver.HasUnsaved);
        device.Answer = SaveOutcome.Saved;
        await PassAsync(TimeSpan.FromMinutes(1), () => !saver.HasUnsaved);
        await Eventually.UntilAsync(() => store.Timeline.Read(0, 10).Any(e => e.Kind == "switch.not-saved"), "the event");
    }

    [Fact]
    public async Task What_was_unsaved_at_a_restart_is_saved_after_it()
    {
        var device = new ScriptedStore();
        await using var saver = Saver(device, hasUnsaved: true);
        await PassAsync(StartUpSaver.Quiet, () => device.Saves == 1);
        await device.UntilAskedAsync();
    }
}
