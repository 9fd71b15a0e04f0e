using GridAppliance.Api.Agents;
using GridAppliance.Api.Resources;
using GridAppliance.Operations;
using GridAppliance.Resources;
using GridAppliance.Tests.Operations;

namespace GridAppliance.Tests.Resources;

/// <summary>
/// Whatever is lost, killed or said twice, two owners never hold the same thing. Real ledger, operations, orders and agent's book on real files; chance (with a fixed seed)
/// decides who wants what and who dies when.
/// </summary>
public sealed class NoDoubleHoldTests
{
    const int Moves = 400;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, int.TryParse(Environment.GetEnvironmentVariable("GRID_SOAK"), out var times) ? 10 * times : 10)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Two_owners_never_hold_the_same_thing(int seed)
    {
        await using var world = new World(seed);
        await world.OpenAsync();
        for (var move = 0; move < Moves; move++)
        {
            await world.MoveAsync();
            world.Check();
        }
        await world.CalmDownAsync();
        world.Check();
        Assert.True(world.Granted > 8, $"only {world.Granted} holdings came about: nothing was tried");
    }

    sealed class Killed : Exception;

    sealed class World(int seed) : IAsyncDisposable
    {
        readonly Random random = new(seed);
        readonly ResourceParts parts = new();
        readonly List<string> story = [];
        readonly List<OrderDocument> seen = [];
        Dictionary<Guid, (Operation Operation, List<JournalEntry> Journal)> unfinished = [];
        HashSet<Guid> lostByReboot = [];
        IReadOnlyList<HoldingReport> lastReport = [];

        public int Granted { get; private set; }

        OperationJournal Journal => new(parts.Store.Database, parts.Store.Timeline, parts.Store.Nodes, parts.Store.Clock);

        public Task OpenAsync() => parts.OpenAsync();

        public async Task MoveAsync()
        {
            switch (random.Next(12))
            {
                case 0 or 1: await AskAsync(); break;
                case 2: await AllocateAsync(); break;
                case 3: await FreeAsync(); break;
                case 4 or 5 or 6: for (var turn = 0; turn < 4; turn++) await AdvanceAsync(); break;
                case 7 or 8: await ServeAsync(); break;
                case 9: await RepeatAsync(); break;
                case 10: await PassTimeAsync(TimeSpan.FromSeconds(random.Next(1, 15))); break;
                case 11: await MisfortuneAsync(); break;
                default: throw new InvalidOperationException("no such move");
            }
            await LookAfterLeasesAsync();
        }

        /// <summary>Nobody dies any more and time passes: everything ends, on both sides.</summary>
        public async Task CalmDownAsync()
        {
            for (var round = 0; round < 400 && (unfinished.Count > 0 || parts.Ledger.All.Any() || parts.Book.Holdings.Count > 0); round++)
            {
                while (unfinished.Count > 0 && await AnyAdvancesAsync()) { }
                await parts.ServeAsync();
                await PassTimeAsync(TimeSpan.FromSeconds(11));
                await LookAfterLeasesAsync();
            }
            Assert.True(!parts.Ledger.All.Any() && parts.Book.Holdings.Count == 0 && parts.Groups.InForce.Count == 0, $"not everything ended: {parts.Fingerprint()}\n{Story}");
        }

        public void Check()
        {
            var total = ResourceParts.Machine.Amounts;
            var inForce = parts.Groups.InForce.Values.ToList();
            Require(inForce.SelectMany(group => group.Cpus).GroupBy(cpu => cpu).All(cpu => cpu.Count() == 1), "two groups have one processor");
            Require(inForce.Sum(group => group.Amounts.MemoryMiB) <= total.MemoryMiB, "more memory is in force than there is");
            Require(inForce.All(group => parts.Book.Find(group.Id) is { } held && held.Cpus.SequenceEqual(group.Cpus)), "a group is in force that the book does not know");
            Require(Sum(parts.Book.Holdings.Select(holding => holding.Amounts)).LackIn(total) is null, "the agent's book gives more than there is");
            Require(parts.Book.Holdings.SelectMany(holding => holding.Cpus).GroupBy(cpu => cpu).All(cpu => cpu.Count() == 1), "two holdings have one processor");
            Require(Sum(parts.Ledger.All.Select(holding => holding.Amounts)).LackIn(total) is null, "the ledger promises more than there is");
            Require(parts.Book.Holdings.All(held => parts.Ledger.Find(Guid.Parse(held.Id)) is not null), "the appliance has given up what the agent still holds");
            var now = parts.Store.Clock.GetUtcNow();
            foreach (var holding in parts.Ledger.All.Where(holding => holding.IsSettled && holding.Until > now && !lostByReboot.Contains(holding.Id)))
                Require(parts.Book.Find(holding.Id.ToString()) is { } held && held.Owner == holding.Owner, $"{holding.Owner} was told of a holding that the agent does not have");
        }

        public ValueTask DisposeAsync() => parts.DisposeAsync();

        async Task AskAsync()
        {
            var wanted = parts.Wanted($"owner-{random.Next(4)}", random.Next(1, 4), random.Next(0, 500), random.Next(5, 90));
            var allocate = random.Next(2) == 0;
            Tell($"{wanted.Owner} wants {wanted.Amounts} {(allocate ? "allocated" : "reserved")}");
            await SubmitAsync(HoldResources.For(wanted, HoldPurpose.New, allocate, wanted.Owner));
        }

        async Task AllocateAsync()
        {
            if (parts.Ledger.All.FirstOrDefault(holding => holding.State == HoldingState.Reserved) is not { } reserved) return;
            Tell($"{reserved.Owner} allocates");
            await SubmitAsync(HoldResources.For(reserved, HoldPurpose.Allocate, allocate: true, reserved.Owner));
        }

        async Task FreeAsync()
        {
            if (parts.Ledger.All.FirstOrDefault(holding => holding.State != HoldingState.Planned) is not { } held) return;
            Tell($"{held.Owner} frees");
            await SubmitAsync(FreeResources.For(held, "freed", held.Owner));
        }

        async Task SubmitAsync(NewOperation wanted)
        {
            var (operation, isNew) = await Journal.CreateAsync(wanted, CancellationToken.None);
            if (isNew) unfinished[operation.Id] = (operation, []);
        }

        async Task AdvanceAsync()
        {
            if (unfinished.Count == 0) return;
            var (operation, _) = unfinished.Values.ElementAt(random.Next(unfinished.Count));
            var dieAt = random.Next(6) == 0 ? random.Next(4) : -1;
            try { await AdvanceAsync(operation, dieAt); }
            catch (Killed)
            {
                Tell("the appliance dies");
                await RestartApplianceAsync();
            }
        }

        async Task<bool> AnyAdvancesAsync()
        {
            var any = false;
            foreach (var (operation, _) in unfinished.Values.ToList()) any |= await AdvanceAsync(operation, -1);
            return any;
        }

        /// <summary>Takes an operation as far as it goes; dies before or after a line of its journal where it is told to.</summary>
        async Task<bool> AdvanceAsync(Operation operation, int dieAt)
        {
            var journal = unfinished[operation.Id].Journal;
            var lines = 0;
            var worker = new OperationWorker(new(parts.Kinds), parts.Store.Clock);
            var advance = await worker.AdvanceAsync(operation, () => journal, async (mark, step, detail, end, token) =>
            {
                var mine = lines++ == dieAt;
                if (mine && random.Next(2) == 0) throw new Killed();
                await Journal.AppendAsync(operation, new(mark, step, detail, parts.Store.Clock.GetUtcNow()), end, journal.Add, token);
                if (mine) throw new Killed();
            }, CancellationToken.None, CancellationToken.None);
            if (advance is not Advance.Over over) return lines > 0;
            Tell($"{operation.Title} {over.End}");
            if (operation.Kind == HoldResources.KindName && over.End is OperationEnd.Done) Granted++;
            unfinished.Remove(operation.Id);
            return true;
        }

        /// <summary>The agent comes for its order; it may die over it, or its answer may be lost.</summary>
        async Task ServeAsync()
        {
            await parts.Orders.SweepAsync(CancellationToken.None);
            if (await parts.Orders.TakeAsync(parts.NodeId, CancellationToken.None) is not { } order) return;
            seen.Add(order.Document);
            if (await CarryOutAsync(order.Document) is not { } result) return;
            if (random.Next(4) == 0)
            {
                Tell("an answer is lost");
                return;
            }
            await parts.Orders.ReportAsync(parts.NodeId, order.Id, result, CancellationToken.None);
        }

        async Task<OrderResult?> CarryOutAsync(OrderDocument order)
        {
            var dieAt = random.Next(5) == 0 ? random.Next(1, 4) : 0;
            var at = 0;
            parts.Groups.Before = _ => { if (++at == dieAt) throw new Killed(); };
            try
            {
                var result = await parts.CarryOutAsync(order);
                Tell($"agent: {order.Kind} {order.Holding!.Id[^4..]}: {result.Message}");
                return result;
            }
            catch (Killed)
            {
                parts.Groups.Before = null;
                Tell($"the agent dies over {order.Kind} {order.Holding!.Id[^4..]}");
                parts.OpenAgent();
                await parts.Host.RecoverAsync(CancellationToken.None);
                return null;
            }
            finally
            {
                parts.Groups.Before = null;
            }
        }

        /// <summary>An order of this boot arrives once more.</summary>
        async Task RepeatAsync()
        {
            // What is open is delivered again by itself; what has been answered, the network may repeat.
            if (seen.Count == 0 || parts.Orders.HasOrder(parts.NodeId)) return;
            var order = seen[random.Next(seen.Count)];
            if (order.Kind == OrderKinds.Hold && parts.Ledger.Find(Guid.Parse(order.Holding!.Id)) is { State: HoldingState.Reserved or HoldingState.Allocated }) return;
            Tell("an order comes a second time");
            await CarryOutAsync(order);
        }

        async Task PassTimeAsync(TimeSpan by)
        {
            parts.Store.Clock.Advance(by);
            await parts.Host.EndLeasesAsync(CancellationToken.None);
            // A heartbeat may have been written before what has happened since.
            parts.Ledger.Heard(parts.NodeId, random.Next(3) == 0 ? lastReport : parts.Host.Report());
            lastReport = parts.Host.Report();
        }

        async Task MisfortuneAsync()
        {
            switch (random.Next(3))
            {
                case 0:
                    Tell("the agent is killed");
                    parts.OpenAgent();
                    await parts.Host.RecoverAsync(CancellationToken.None);
                    break;
                case 1:
                    Tell("the appliance is killed");
                    await RestartApplianceAsync();
                    break;
                default:
                    Tell("the node boots again");
                    parts.Reboot();
                    seen.Clear();
                    lastReport = [];
                    lostByReboot = [.. parts.Ledger.All.Select(holding => holding.Id)];
                    break;
            }
        }

        async Task RestartApplianceAsync()
        {
            await parts.Store.ReopenAsync();
            parts.OpenAppliance();
            unfinished = (await Journal.LoadUnfinishedAsync(CancellationToken.None)).ToDictionary(stored => stored.Operation.Id, stored => (stored.Operation, stored.Journal.ToList()));
        }

        async Task LookAfterLeasesAsync()
        {
            foreach (var held in parts.Book.Holdings) lostByReboot.Remove(Guid.Parse(held.Id));
            var due = LeaseWatch.Due(parts.Ledger, parts.Store.Nodes.Current, parts.Store.Clock.GetUtcNow(),
                holding => unfinished.Values.Any(one => one.Operation.Key == HoldResources.KeyOf(holding.Id) || one.Operation.Key == FreeResources.KeyOf(holding.Id))).ToList();
            foreach (var wanted in due) await SubmitAsync(wanted);
        }

        static ResourceAmounts Sum(IEnumerable<ResourceAmounts> amounts) => amounts.Aggregate(new ResourceAmounts(), static (sum, one) => sum + one);

        string Story => string.Join('\n', story.TakeLast(40));

        void Tell(string line) => story.Add(line);

        void Require(bool holds, string otherwise) => Assert.True(holds, $"seed {seed}: {otherwise}\n{parts.Fingerprint()}\n{Story}");
    }
}
