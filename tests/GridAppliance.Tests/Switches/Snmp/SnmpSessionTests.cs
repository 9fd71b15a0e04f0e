using GridAppliance.Hosting;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Switches.Snmp;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Switches.Snmp;

/// <summary>Our client and Net-SNMP's agent.</summary>
public sealed class SnmpSessionTests : IAsyncLifetime
{
    static readonly ObjectIdentifier SysDescr = new(1, 3, 6, 1, 2, 1, 1, 1, 0);
    static readonly ObjectIdentifier SysContact = new(1, 3, 6, 1, 2, 1, 1, 4, 0);
    static readonly ObjectIdentifier SysName = new(1, 3, 6, 1, 2, 1, 1, 5, 0);
    static readonly ObjectIdentifier System = new(1, 3, 6, 1, 2, 1, 1);

    readonly SnmpSocket socket = new(NullLogger<SnmpSocket>.Instance);
    RealAgent agent = null!;

    public async Task InitializeAsync() => agent = await RealAgent.StartAsync();

    public async Task DisposeAsync()
    {
        await agent.DisposeAsync();
        await socket.DisposeAsync();
    }

    static SnmpCredentials Sha256 => new SnmpCredentials.User("uSha256", UsmAuthentication.Sha256, "authpass-sha256", UsmPrivacy.Aes128, "privpass-aes");

    SnmpSession Open(SnmpCredentials credentials, TimeProvider? clock = null, SnmpTimings? timings = null) =>
        new(socket, agent.EndPoint, credentials, timings ?? new(), clock ?? TimeProvider.System);

    [Theory]
    [InlineData("uSha", UsmAuthentication.Sha1, "authpass-sha", UsmPrivacy.Aes128, "privpass-aes")]
    [InlineData("uSha224", UsmAuthentication.Sha224, "authpass-sha224", UsmPrivacy.Aes128, "privpass-aes")]
    [InlineData("uSha256", UsmAuthentication.Sha256, "authpass-sha256", UsmPrivacy.Aes128, "privpass-aes")]
    [InlineData("uSha384", UsmAuthentication.Sha384, "authpass-sha384", UsmPrivacy.Aes192, "privpass-aes192")]
    [InlineData("uSha512", UsmAuthentication.Sha512, "authpass-sha512", UsmPrivacy.Aes256, "privpass-aes256")]
    public async Task Every_operation_works_with_every_algorithm(string name, UsmAuthentication authentication, string passphrase, UsmPrivacy privacy, string privacyPassphrase)
    {
        using var session = Open(new SnmpCredentials.User(name, authentication, passphrase, privacy, privacyPassphrase));
        await TryEverythingAsync(session);
    }

    [Fact]
    public async Task Every_operation_works_with_a_community()
    {
        using var session = Open(new SnmpCredentials.Community("private"));
        await TryEverythingAsync(session);
    }

    static async Task TryEverythingAsync(SnmpSession session)
    {
        Assert.True((await session.SetAsync([new(SysName, SnmpValue.Text("grid-switch")), new(SysContact, SnmpValue.Text("someone"))], default)).IsDone);
        var values = await session.GetAsync([SysName, SysContact, SysName.Append(7), new(1, 3, 6, 1, 2, 1, 1, 99, 0)], default);
        Assert.Equal("grid-switch", values[0].Value.AsText);
        Assert.Equal("someone", values[1].Value.AsText);
        Assert.Equal([SnmpSyntax.NoSuchInstance, SnmpSyntax.NoSuchObject], values[2..].Select(v => v.Value.Syntax));
        var next = await session.GetNextAsync(System, default);
        Assert.Equal(SysDescr, next.Name);

        var walked = await session.WalkAsync(System, default);
        Assert.Equal(walked.Select(v => v.Name).Order().Distinct(), walked.Select(v => v.Name));
        Assert.Equal(SysDescr, walked[0].Name);
        Assert.All(walked, v => Assert.True(v.Name.StartsWith(System)));
        Assert.Contains(walked, v => v.Name == SysName && v.Value.AsText == "grid-switch");
        Assert.Equal(SnmpSyntax.EndOfMibView, (await session.GetNextAsync(new(2, 99), default)).Value.Syntax);
        Assert.Empty(await session.WalkAsync(new(1, 3, 6, 1, 4, 1, 99999), default));
    }

    [Fact]
    public async Task A_walk_by_bulk_finds_what_a_walk_step_by_step_finds()
    {
        var root = new ObjectIdentifier(1, 3, 6, 1, 6);
        using var session = Open(Sha256);
        var expected = new List<ObjectIdentifier>();
        for (var next = await session.GetNextAsync(root, default); !next.Value.IsException && next.Name.StartsWith(root); next = await session.GetNextAsync(next.Name, default)) expected.Add(next.Name);
        Assert.True(expected.Count > 100);
        Assert.Equal(expected, (await session.WalkAsync(root, default)).Select(v => v.Name));
    }

    [Fact]
    public async Task A_get_of_more_than_one_datagram_holds_is_split()
    {
        using var session = Open(Sha256);
        var values = await session.GetAsync([.. Enumerable.Repeat(SysDescr, 300)], default);
        Assert.Equal(300, values.Length);
        Assert.All(values, v => Assert.Equal(values[0], v));
    }

    [Fact]
    public async Task Refusals_of_a_set_are_told_with_the_culprit()
    {
        using var session = Open(new SnmpCredentials.Community("private"));
        Assert.Equal(new(SnmpErrorStatus.NotWritable, SysDescr), await session.SetAsync([new(SysDescr, SnmpValue.Text("x"))], default));
        Assert.Equal(new(SnmpErrorStatus.WrongType, SysName), await session.SetAsync([new(SysContact, SnmpValue.Text("y")), new(SysName, SnmpValue.Integer(1))], default));
        Assert.Equal(SnmpErrorStatus.WrongLength, (await session.SetAsync([new(SysName, SnmpValue.Text(new string('x', 300)))], default)).Status);
        using var reader = Open(new SnmpCredentials.Community("public"));
        Assert.Equal(SnmpErrorStatus.NoAccess, (await reader.SetAsync([new(SysName, SnmpValue.Text("x"))], default)).Status);
        using var signed = Open(new SnmpCredentials.User("uRead", UsmAuthentication.Sha256, "authpass-sha256", UsmPrivacy.Aes128, "privpass-aes"));
        Assert.Equal(SnmpErrorStatus.NoAccess, (await signed.SetAsync([new(SysName, SnmpValue.Text("x"))], default)).Status);
    }

    [Theory]
    [InlineData("uSha256", "authpass-wrong", "privpass-aes", "does not accept the authentication passphrase")]
    [InlineData("uNobody", "authpass-sha256", "privpass-aes", "does not know the user")]
    [InlineData("uSign", "authpass-sha256", "privpass-aes", "does not let the user sign and encrypt")]
    public async Task Wrong_credentials_are_told_at_once_and_not_tried_again(string name, string passphrase, string privacyPassphrase, string reason)
    {
        // The clock stands still: nothing is ever sent twice.
        using var session = Open(new SnmpCredentials.User(name, UsmAuthentication.Sha256, passphrase, UsmPrivacy.Aes128, privacyPassphrase), new ManualClock());
        var refusal = await Assert.ThrowsAsync<DeviceException>(() => session.GetAsync([SysName], default));
        Assert.Equal((DeviceFault.CredentialsRefused, false), (refusal.Fault, refusal.IsTransient));
        Assert.Contains(reason, refusal.Message);
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_unreachable_after_all_attempts()
    {
        var gone = await RealAgent.StartAsync();
        var endPoint = gone.EndPoint;
        await gone.DisposeAsync();
        using var session = new SnmpSession(socket, endPoint, new SnmpCredentials.Community("public"), new() { FirstWait = TimeSpan.FromMilliseconds(5), Attempts = 3 }, TimeProvider.System);
        var fault = await Assert.ThrowsAsync<DeviceException>(() => session.GetAsync([SysName], default));
        Assert.Equal((DeviceFault.Unreachable, true), (fault.Fault, fault.IsTransient));
    }

    [Fact]
    public async Task An_agent_that_rebooted_is_followed()
    {
        using var session = Open(Sha256);
        await session.GetAsync([SysName], default);
        await agent.BootAsync();
        Assert.False((await session.GetAsync([SysName], default))[0].Value.IsException);
    }

    [Fact]
    public async Task An_agent_that_lost_its_engine_id_is_discovered_again()
    {
        using var session = Open(Sha256);
        await session.GetAsync([SysName], default);
        await agent.BootAsync(forgetEngine: true);
        Assert.False((await session.GetAsync([SysName], default))[0].Value.IsException);
    }

    [Fact]
    public async Task A_clock_that_ran_away_is_set_again()
    {
        var clock = new ManualClock();
        using var session = Open(Sha256, clock);
        await session.GetAsync([SysName], default);
        clock.Advance(TimeSpan.FromHours(1)); // ours; the agent's goes on as it was
        Assert.False((await session.GetAsync([SysName], default))[0].Value.IsException);
        clock.Advance(TimeSpan.FromSeconds(100)); // within the window
        Assert.False((await session.GetAsync([SysName], default))[0].Value.IsException);
    }

    [Fact]
    public async Task Many_questions_at_once_each_get_their_own_answer()
    {
        using var session = Open(Sha256);
        var names = (await session.WalkAsync(System, default)).Select(v => v.Name).ToList();
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => session.GetAsync([names[i % names.Count]], default)));
        for (var i = 0; i < answers.Length; i++) Assert.Equal(names[i % names.Count], answers[i][0].Name);
    }

    [Fact]
    public void What_no_longer_protects_is_not_used()
    {
        Assert.Throws<ArgumentException>(() => new SnmpCredentials.User("u", UsmAuthentication.Md5, "long enough", UsmPrivacy.Aes128, "long enough"));
        Assert.Throws<ArgumentException>(() => new SnmpCredentials.User("u", UsmAuthentication.Sha256, "long enough", UsmPrivacy.Des, "long enough"));
        Assert.Throws<ArgumentException>(() => new SnmpCredentials.User("u", UsmAuthentication.Sha256, "short", UsmPrivacy.Aes128, "long enough"));
        Assert.DoesNotContain("secret", $"{new SnmpCredentials.Community("secret")} {new SnmpCredentials.User("u", UsmAuthentication.Sha256, "secret word", UsmPrivacy.Aes128, "secret word")}");
    }
}
