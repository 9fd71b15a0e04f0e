using System.Collections.Concurrent;
using System.Text;
using GridAppliance.Power.Nodes;
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
        await using var bmc = new ScriptedBmc();
        var password = Encoding.ASCII.GetString(bmc.Password);
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
        }
        Assert.Contains(logs.All, line => line.Contains("refuses account", StringComparison.Ordinal));
        foreach (var secret in (string[])[password, Wrong, Key])
            foreach (var form in (string[])[secret, Convert.ToBase64String(Encoding.ASCII.GetBytes(secret)), Convert.ToHexString(Encoding.ASCII.GetBytes(secret))])
                Assert.DoesNotContain(logs.All, line => line.Contains(form, StringComparison.OrdinalIgnoreCase));
        // And none of them was ever an argument or in the environment of this process, which has run gridctl too.
        var environment = await File.ReadAllTextAsync("/proc/self/environ") + await File.ReadAllTextAsync("/proc/self/cmdline");
        Assert.DoesNotContain(password, environment, StringComparison.Ordinal);
    }

    sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
