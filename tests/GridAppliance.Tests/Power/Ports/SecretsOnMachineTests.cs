using System.Diagnostics;
using System.Text;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers.Redfish;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Protocols.Snmp.Usm;
using GridAppliance.Testing;

namespace GridAppliance.Tests.Power.Ports;

/// <summary>The daemon and gridctl as they are shipped, while they handle a BMC's password, and everything that they leave where others could look.</summary>
public sealed class SecretsOnMachineTests : IDisposable
{
    static readonly LabPrograms Programs = LabPrograms.Built();

    readonly string folder = Directory.CreateTempSubdirectory("ga-secrets-").FullName;
    /// <summary>Of this run alone: whatever is found with them in it is ours.</summary>
    readonly string password = NewSecret(), wrong = NewSecret();
    readonly StringBuilder said = new();
    readonly List<Process> processes = [];

    static string NewSecret() => $"s-{Guid.NewGuid():N}"[..20];

    string Socket => Path.Combine(folder, "api.sock");

    public void Dispose()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_password_is_in_no_start_of_any_process_in_no_file_and_in_nothing_that_is_said()
    {
        await using var bmc = new ScriptedBmc { Password = Encoding.ASCII.GetBytes(password) };
        await StartDaemonAsync();

        // Taken in and refused, then right, used, and shown.
        Assert.Equal(0, await GridctlAsync($"{bmc.Uri},{bmc.User},{wrong}\n", "port", "import", "-"));
        Assert.Equal(3, await GridctlAsync("", "discover", "boot", bmc.Uri.OriginalString, "--force"));
        Assert.Equal(0, await GridctlAsync($"{bmc.Uri},{bmc.User},{password}\n", "port", "import", "-"));
        Assert.Equal(0, await GridctlAsync("", "discover", "boot", bmc.Uri.OriginalString, "--force"));
        Assert.Equal(0, await GridctlAsync("", "port", "list", "-o", "json"));
        // IPMI 2.0, section 28.3: the machine was off, so it was switched on.
        Assert.Equal([1], bmc.State.Actions);

        var places = Places();
        AssertNowhere(places, password, wrong);
        // The address is no secret, and stands wherever one would be found: in what gridctl was started with, in what it said, and in the database.
        var found = places.Where(place => SecretSearch.Finds(bmc.Uri.OriginalString, place.Octets)).Select(place => Path.GetFileName(place.Place)).ToList();
        Assert.Superset(new HashSet<string> { "what was said", "gridctl-2.trace" }, found.ToHashSet());
        Assert.Contains(found, place => place.StartsWith("gridappliance.db", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nor_is_a_password_or_session_of_redfish_or_a_passphrase_or_community_of_snmp()
    {
        string community = NewSecret(), passphrase = NewSecret();
        await using var bmc = await RedfishSimulator.StartAsync(new() { Password = password });
        await using var pdu = SimulatedPdu.Start(community, new("grid", AgentAccess.ReadWrite, UsmAuthentication.Sha1, passphrase, UsmPrivacy.Aes128, passphrase));
        var outlet = $"snmp+apc://127.0.0.1:{pdu.EndPoint.Port}/{SimulatedPdu.Outlet}";
        await StartDaemonAsync();

        Assert.Equal(0, await GridctlAsync($"{bmc.Address.OriginalString},{RedfishSimulator.User},{wrong}\n", "port", "import", "-"));
        Assert.Equal(3, await GridctlAsync("", "discover", "boot", bmc.Address.OriginalString, "--force"));
        Assert.Equal(0, await GridctlAsync($"{bmc.Address.OriginalString},{RedfishSimulator.User},{password}\n", "port", "import", "-"));
        Assert.Equal(0, await GridctlAsync("", "discover", "boot", bmc.Address.OriginalString, "--force"));
        Assert.NotEmpty(bmc.Tokens);
        // Version 2c, then 3 with the wrong passphrase and the right one.
        foreach (var (account, status) in ((string, int)[])[($",{community}", 0), ($"grid,{wrong}", 3), ($"grid,{passphrase}", 0)])
        {
            Assert.Equal(0, await GridctlAsync($"{outlet},{account}\n", "port", "import", "-"));
            Assert.True(status == await GridctlAsync("", "discover", "boot", outlet, "--dry-run", "--force"), Said);
        }
        AssertNowhere(Places(), [password, wrong, passphrase, community, .. bmc.Tokens]);
    }

    async Task StartDaemonAsync()
    {
        var config = Path.Combine(folder, "appliance.yaml");
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        await File.WriteAllTextAsync(config, $$"""
            name: secrets
            dataDir: {{data}}
            management:
              listen: [ "unix:{{Socket}}" ]
            networks:
              - { name: here, interface: lo, address: 127.0.0.1/8, dhcp: { mode: "off" }, boot: false }
            """);
        Start("daemon", "", Programs.Gridappliance, "serve", "--config", config);
        await Eventually.UntilAsync(() => File.Exists(Socket), $"the daemon's socket; it says: {Said}");
    }

    /// <summary>What was said, how every process was started, what the daemon holds open, and every file of this run.</summary>
    List<(string Place, byte[] Octets)> Places() =>
    [
        ("what was said", Encoding.UTF8.GetBytes(Said)), .. SecretSearch.Processes(), .. SecretSearch.FilesOf(int.Parse(File.ReadAllText(TraceOf("daemon")).Split(' ')[0])), .. SecretSearch.FilesBelow(folder),
    ];

    static void AssertNowhere(List<(string Place, byte[] Octets)> places, params IEnumerable<string> secrets)
    {
        foreach (var secret in secrets) Assert.Empty(places.Where(place => SecretSearch.Finds(secret, place.Octets)).Select(place => place.Place));
    }

    [Fact]
    public void What_is_looked_for_is_found_however_it_is_written()
    {
        var octets = Encoding.UTF8.GetBytes(password);
        foreach (var form in (byte[][])[octets, Encoding.Unicode.GetBytes(password), Encoding.ASCII.GetBytes(Convert.ToBase64String(octets)), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(octets))])
            Assert.True(SecretSearch.Finds(password, [0xFF, .. form, 0]));
        Assert.False(SecretSearch.Finds(password, Encoding.UTF8.GetBytes(wrong)));
        var file = Path.Combine(folder, "held");
        using var held = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        held.Write(octets);
        held.Flush();
        File.Delete(file);
        Assert.Contains(SecretSearch.FilesOf(Environment.ProcessId), place => SecretSearch.Finds(password, place.Octets));
    }

    string Said { get { lock (said) return said.ToString(); } }

    string TraceOf(string name) => Path.Combine(folder, name + ".trace");

    async Task<int> GridctlAsync(string typed, params string[] arguments)
    {
        var process = Start($"gridctl-{processes.Count}", typed, Programs.Gridctl, [.. arguments, "--url", $"unix:{Socket}"]);
        await process.WaitForExitAsync(new CancellationTokenSource(Eventually.Patience).Token);
        return process.ExitCode;
    }

    /// <summary>Every program that is started from it on is in its trace, with all of its arguments and environment. strace stops at nothing else.</summary>
    Process Start(string name, string typed, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("strace") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-f", "--seccomp-bpf", "-v", "-s", "100000", "-e", "trace=execve,execveat", "-o", TraceOf(name), program, .. arguments]) start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        processes.Add(process);
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Write(typed);
        process.StandardInput.Close();
        return process;

        void Hear(object sender, DataReceivedEventArgs line) { lock (said) said.AppendLine(line.Data); }
    }
}
