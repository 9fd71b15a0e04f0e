using System.Collections.Concurrent;
using System.Net;
using System.Text;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Power.Nodes;
using GridAppliance.Power.Pdu;
using GridAppliance.Protocols.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Tests.Switches;
using GridAppliance.Tests.Web;
using Microsoft.Extensions.Logging;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>What the daemon writes about an account, at the level that tells most: everything but its secrets.</summary>
public sealed class SecretsInLogsTests
{
    [Fact]
    public async Task No_password_and_no_key_is_in_a_log_whatever_happens_to_the_account()
    {
        const string Wrong = "not-the-password", Key = "key-of-the-bmc";
        var logs = new Lines();
        var password = $"s-{Guid.NewGuid():N}"[..20];
        await using var bmc = new ScriptedBmc { Password = Encoding.ASCII.GetBytes(password) };
        await using (var plane = await ManagementPlaneHost.StartAsync(logs: logs))
        {
            await SampleNodes.DiscoverAsync(plane, 1);
            // Refused, taken, used, with a key that is not the BMC's, listed in an import, and refused as a request.
            await plane.GridctlWith(Wrong + "\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User);
            Assert.Equal(0, (await plane.GridctlWith(password + "\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User)).Status);
            Assert.Equal(0, (await plane.Gridctl("power", "on", "n1")).Status);
            await plane.Get<PowerReconciler>().LookOneAsync(plane.Nodes.Current.Find("n1")!, new CancellationTokenSource(30_000).Token);
            await plane.GridctlWith($"{password}\n{Key}\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User, "--device-key");
            await plane.Gridctl("power", "status", "n1");
            await plane.GridctlWith($"ipmi://127.0.0.1:9,admin,{Wrong}\n", "port", "import", "-");
            await plane.GridctlWith(Wrong + "\n", "port", "set", "n1", "ipmi://nowhere.invalid/%", "--user", bmc.User);
            // Nor in what the daemon keeps: database, timeline, the console's record.
            foreach (var secret in (string[])[password, Wrong, Key])
                Assert.Empty(SecretSearch.FilesBelow(plane.DataDir).Where(place => SecretSearch.Finds(secret, place.Octets)).Select(place => place.Place));
        }
        Assert.Contains(logs.All, line => line.Contains("refuses account", StringComparison.Ordinal));
        logs.AssertSilentOn(password, Wrong, Key);
    }

    [Fact]
    public async Task No_password_or_session_of_redfish_and_no_community_or_passphrase_of_snmp_is_in_a_log()
    {
        const string Wrong = "not-the-passphrase", Community = "community-of-the-pdu", Authentication = "passphrase-that-signs", Privacy = "passphrase-that-hides";
        var logs = new Lines();
        await using var bmc = await RedfishSimulator.StartAsync();
        await using var pdu = SimulatedPdu.Start(Community, new("grid", AgentAccess.ReadWrite, UsmAuthentication.Sha1, Authentication, UsmPrivacy.Aes128, Privacy));
        await using var leaf = new SwitchBench(BridgeModel.Factory(2), "leaf1");
        var outlet = $"snmp+apc://127.0.0.1:{pdu.EndPoint.Port}/{SimulatedPdu.Outlet}";
        var directory = Directory.CreateTempSubdirectory("gridappliance-").FullName;
        string[] secrets;
        await using (var plane = await ManagementPlaneHost.StartAsync(logs: logs))
        {
            for (var i = 1; i <= 3; i++) await SampleNodes.DiscoverAsync(plane, i);
            // Refused, taken, used; then the session is forgotten, and then there are none any more.
            await plane.GridctlWith(Wrong + "\n", "port", "set", "n1", bmc.Address.OriginalString, "--user", RedfishSimulator.User);
            Assert.Equal(0, (await plane.GridctlWith(RedfishSimulator.Password + "\n", "port", "set", "n1", bmc.Address.OriginalString, "--user", RedfishSimulator.User)).Status);
            bmc.ForgetSessions();
            Assert.Equal(0, (await plane.Gridctl("power", "on", "n1")).Status);
            bmc.HasSessions = false;
            bmc.ForgetSessions();
            await plane.Gridctl("power", "status", "n1");

            await plane.GridctlWith($"{Wrong}\n{Wrong}\n", "port", "set", "n2", outlet, "--user", "grid", "--device-key");
            Assert.Equal(0, (await plane.GridctlWith($"{Authentication}\n{Privacy}\n", "port", "set", "n2", outlet, "--user", "grid", "--device-key")).Status);
            Assert.Equal((0, "n2: on\n"), Outcome(await plane.Gridctl("power", "status", "n2")));
            Assert.Equal(0, (await plane.Gridctl("port", "remove", "n2", outlet)).Status);
            Assert.Equal(0, (await plane.GridctlWith(Community + "\n", "port", "set", "n3", outlet, "--password")).Status);
            Assert.Equal((0, "n3: on\n"), Outcome(await plane.Gridctl("power", "status", "n3")));
            await plane.GridctlWith($"snmp+apc://127.0.0.1:9/1,grid,{Wrong}\n", "port", "import", "-");

            var secret = await SwitchBench.WriteSecretAsync(directory);
            var added = await plane.Gridctl("switch", "add", "leaf1", leaf.Address, "--user", SwitchBench.User, "--secret-file", secret);
            Assert.True(added.Status == 0, added.Error);
            await plane.Gridctl("switch", "ports", "leaf1");
            secrets = [RedfishSimulator.Password, $"{RedfishSimulator.User}:{RedfishSimulator.Password}", .. bmc.Tokens, Wrong, Community, Authentication, Privacy, SwitchBench.Authentication, SwitchBench.Privacy];
            // Nor in what the daemon keeps.
            var kept = SecretSearch.FilesBelow(plane.DataDir).ToList();
            foreach (var one in secrets) Assert.Empty(kept.Where(place => SecretSearch.Finds(one, place.Octets)).Select(place => place.Place));
        }
        Directory.Delete(directory, recursive: true);
        Assert.NotEmpty(bmc.Tokens);
        Assert.NotEmpty(logs.All);
        logs.AssertSilentOn(secrets);

        static (int, string) Outcome(ManagementPlaneHost.Ran ran) => (ran.Status, ran.Output);
    }

    sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = [];

        /// <summary>None of them as it is, nor as logs and headers write octets.</summary>
        public void AssertSilentOn(params IEnumerable<string> secrets)
        {
            foreach (var secret in secrets)
                foreach (var form in (string[])[secret, Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), Convert.ToHexString(Encoding.UTF8.GetBytes(secret))])
                    Assert.DoesNotContain(All, line => line.Contains(form, StringComparison.OrdinalIgnoreCase));
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
