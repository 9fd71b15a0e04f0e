using GridAppliance.Boot;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Store;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Boot;

public sealed class BootAttemptsTests : IAsyncLifetime, IDisposable
{
    static readonly Ipv4Address Ip = Ipv4Address.Parse("127.0.0.50");
    static readonly byte[] Key = [1, 2, 3], OtherKey = [4, 5, 6];

    readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("attempts");
    readonly ManualClock clock = new();
    Database database;
    BootAttempts attempts;

    public BootAttemptsTests() => Open();

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(database), nameof(attempts))]
    void Open()
    {
        database = Database.Open(Path.Combine(directory.FullName, "test.db"), Schema.All);
        attempts = new(database, clock, NullLogger<BootAttempts>.Instance);
    }

    /// <summary>What a start after <c>kill -9</c> finds: the file, and nothing of the process.</summary>
    async Task RestartAsync()
    {
        await database.DisposeAsync();
        Open();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await database.DisposeAsync();

    public void Dispose() => directory.Delete(recursive: true);

    Task<IssuedAttempt> IssueAsync(MacAddress? mac = null) => attempts.IssueAsync(mac ?? BootBench.Mac, Ip, "bench", Guid.Parse("12345678-1234-5678-90ab-cdef00112233"), CancellationToken.None);

    Task<SpendResult> SpendAsync(string token, byte[]? key = null, Ipv4Address? ip = null, MacAddress? mac = null, string network = "bench") =>
        attempts.SpendAsync(token, key ?? Key, new BootRequester(BootBench.Loopback with { Name = network }, ip ?? Ip, mac), CancellationToken.None);

    [Fact]
    public async Task A_token_names_the_machine_that_got_the_script()
    {
        var issued = await IssueAsync();
        Assert.Matches("^[A-Za-z0-9_-]{22}$", issued.Token);
        var (attempt, refusal) = await SpendAsync(issued.Token);
        Assert.Equal(AttemptRefusal.None, refusal);
        Assert.Equal((issued.Id, BootBench.Mac, Ip, "bench"), (attempt!.Id, attempt.Mac, attempt.Ip, attempt.Network));
        Assert.Equal(Guid.Parse("12345678-1234-5678-90ab-cdef00112233"), attempt.Uuid);
    }

    [Fact]
    public async Task A_token_is_spent_once_and_the_same_key_hears_the_same_answer_again()
    {
        var issued = await IssueAsync();
        var first = await SpendAsync(issued.Token);
        clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(first, await SpendAsync(issued.Token));
        Assert.Equal(AttemptRefusal.Spent, (await SpendAsync(issued.Token, OtherKey)).Refusal);
    }

    [Fact]
    public async Task Two_keys_at_once_get_one_token_between_them()
    {
        var issued = await IssueAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(() => SpendAsync(issued.Token, [(byte)i]))));
        Assert.Single(results, r => r.Attempt is not null);
        Assert.Equal(31, results.Count(r => r.Refusal == AttemptRefusal.Spent));
    }

    [Fact]
    public async Task Another_address_cannot_spend_it_unless_it_is_the_same_nic()
    {
        var issued = await IssueAsync();
        var other = Ipv4Address.Parse("127.0.0.51");
        Assert.Equal(AttemptRefusal.OtherClient, (await SpendAsync(issued.Token, ip: other)).Refusal);
        Assert.Equal(AttemptRefusal.OtherClient, (await SpendAsync(issued.Token, ip: other, mac: MacAddress.Parse("52:54:00:00:00:02"))).Refusal);
        Assert.Equal(AttemptRefusal.OtherClient, (await SpendAsync(issued.Token, network: "other")).Refusal);
        Assert.Equal(AttemptRefusal.None, (await SpendAsync(issued.Token, ip: other, mac: BootBench.Mac)).Refusal);
    }

    [Fact]
    public async Task A_token_runs_out()
    {
        var issued = await IssueAsync();
        clock.Advance(BootAttempts.Lifetime);
        var late = await IssueAsync();
        Assert.Equal(AttemptRefusal.None, (await SpendAsync(issued.Token)).Refusal);
        clock.Advance(BootAttempts.Lifetime + TimeSpan.FromMilliseconds(1));
        Assert.Equal(AttemptRefusal.Expired, (await SpendAsync(late.Token)).Refusal);
        Assert.Equal(AttemptRefusal.Unknown, (await SpendAsync("AAAAAAAAAAAAAAAAAAAAAA")).Refusal);
    }

    [Fact]
    public async Task Attempts_and_their_spending_survive_a_restart()
    {
        var spent = await IssueAsync();
        var waiting = await IssueAsync();
        var result = await SpendAsync(spent.Token);
        await RestartAsync();
        Assert.Equal(result.Attempt, (await SpendAsync(spent.Token)).Attempt);
        Assert.Equal(AttemptRefusal.Spent, (await SpendAsync(spent.Token, OtherKey)).Refusal);
        Assert.Equal(waiting.Id, (await SpendAsync(waiting.Token)).Attempt!.Id);
        Assert.Equal(BootBench.Mac, attempts.Find(waiting.Id)!.Mac);
    }

    [Fact]
    public async Task A_token_is_nowhere_on_the_disk()
    {
        var issued = await IssueAsync();
        await database.DisposeAsync();
        foreach (var file in directory.EnumerateFiles())
            Assert.DoesNotContain(issued.Token, System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file.FullName)));
        Open();
    }

    [Fact]
    public async Task A_machine_that_reboots_over_and_over_keeps_its_last_few_attempts()
    {
        var issued = new List<IssuedAttempt>();
        for (var i = 0; i < 10; i++)
        {
            issued.Add(await IssueAsync());
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        var other = await IssueAsync(MacAddress.Parse("52:54:00:00:00:02"));
        await RestartAsync();
        Assert.Equal(issued.TakeLast(BootAttempts.MaxPerMac).Append(other).Select(i => i.Id), issued.Append(other).Select(i => i.Id).Where(id => attempts.Find(id) is not null));
    }

    [Fact]
    public async Task Old_attempts_are_forgotten_on_the_disk_too()
    {
        var unspent = await IssueAsync();
        var spent = await IssueAsync();
        await SpendAsync(spent.Token);
        clock.Advance(BootAttempts.Lifetime * 2 + TimeSpan.FromSeconds(1));
        await IssueAsync(MacAddress.Parse("52:54:00:00:00:02"));
        await RestartAsync();
        Assert.Null(attempts.Find(unspent.Id));
        Assert.NotNull(attempts.Find(spent.Id));
        clock.Advance(BootAttempts.Memory);
        await IssueAsync(MacAddress.Parse("52:54:00:00:00:02"));
        await RestartAsync();
        Assert.Null(attempts.Find(spent.Id));
    }
}
