using System.Net;
using System.Text;
using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Establish;
using GridAppliance.Api.Operations;
using GridAppliance.Boot.Http;
using GridAppliance.Nodes;
using GridAppliance.Tests.Agent;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Establish;

/// <summary>
/// Machines with an operating system become nodes: OpenSSH's real client and server, real sudo, the real agent, gridctl in front. What stands for a machine's systemd is a script.
/// </summary>
public sealed class EstablishTests : IAsyncLifetime
{
    const string AdminPassword = "admin-Pass word'1";

    MachineNetwork network = null!;
    ManagementPlaneHost appliance = null!;

    public async Task InitializeAsync()
    {
        network = await MachineNetwork.CreateAsync();
        appliance = await network.StartApplianceAsync();
    }

    public async Task DisposeAsync()
    {
        // The agents first: they would call on.
        await network.DisposeAsync();
        await appliance.DisposeAsync();
    }

    [Fact]
    public async Task The_boot_plane_hears_this_very_machine_at_its_address_too()
    {
        // What it says to itself does not come in by the network's interface, which the other socket is bound to.
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(appliance.Get<BootPlane>().Addresses.Single(), "nothing"));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_machine_becomes_an_idle_node_by_a_password_and_sudo_and_the_password_is_nowhere()
    {
        var machine = await (await network.AddAsync()).StartAsync();
        var plan = await Establish("admin", AdminPassword, "--plan", machine.Address);
        var planned = Assert.Single(plan.Machines);
        Assert.Equal(("install", "sudo with a password", true), (planned.Action, planned.Rights, planned.HostKeyIsNew));
        Assert.Contains("Debian", planned.System);
        Assert.StartsWith("SHA256:", planned.HostKey);
        Assert.Empty(appliance.Nodes.Current.Nodes);
        Assert.Null(machine.Read("/usr/local/bin/grid-agent"));

        var done = Assert.Single((await Establish("admin", AdminPassword, "--apply", machine.Address)).Machines);
        Assert.True(done.Action == "done", done.Message);
        var node = Assert.Single(appliance.Nodes.Current.Nodes);
        Assert.Equal(NodeState.Idle, node.State);
        Assert.Equal(machine.Address, node.Ip.ToString());
        Assert.Contains("ExecStart=/usr/local/bin/grid-agent", machine.Read("/etc/systemd/system/grid-agent.service"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(machine.Folder + "/upper/etc/grid/agent.conf"));
        // Modules are started there as on a node of our own image.
        Assert.Equal(await File.ReadAllTextAsync(AgentUnderTest.Launcher), machine.Read("/usr/local/bin/grid-run"));

        // Again: there is nothing to do.
        var again = Assert.Single((await Establish("admin", AdminPassword, "--plan", machine.Address)).Machines);
        Assert.Equal(("nothing", node.Name, false), (again.Action, again.Node, again.HostKeyIsNew));

        foreach (var file in Directory.EnumerateFiles(appliance.DataDir, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)))
            Assert.False((await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(AdminPassword)) >= 0, $"the password is in {file}");
        Assert.Equal(["askpass"], Directory.EnumerateFiles(Path.Combine(appliance.DataDir, "establish")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_list_of_good_and_bad_machines_is_done_as_far_as_it_can_be_and_each_failure_says_why()
    {
        const string OtherKey = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        var red = await network.AddAsync("printf 'NAME=\"Rocky Linux\"\\nID=\"rocky\"\\nID_LIKE=\"rhel centos fedora\"\\nPRETTY_NAME=\"Rocky Linux 9.4\"\\n' > /etc/os-release; printf '#!/bin/sh\\necho \"$@\" >> /restored\\n' > /usr/sbin/restorecon; chmod 755 /usr/sbin/restorecon");
        var full = await network.AddAsync("mount -t tmpfs -o size=1m tmpfs /usr/local/bin");
        var theirs = await network.AddAsync($"mkdir -p /etc/grid; printf 'grid.url=http://10.9.9.9:8067\\ngrid.key={OtherKey}\\n' > /etc/grid/agent.conf");
        var torn = await network.AddAsync("""
            mv /usr/bin/head /usr/bin/head.real
            cat > /usr/bin/head <<'END'
            #!/bin/sh
            if [ ! -f /var/torn ]; then
              touch /var/torn; session=$(sed -n 's/^PPid:\t//p' "/proc/$PPID/status")
              [ "$(cat "/proc/$session/comm")" = sshd ] && kill -9 "$session"; sleep 1
            fi
            exec /usr/bin/head.real "$@"
            END
            chmod 755 /usr/bin/head
            """);
        var twice = await network.AddAsync();
        await twice.AddAddressAsync(99);
        await Task.WhenAll(red.StartAsync(), full.StartAsync(), theirs.StartAsync(), torn.StartAsync(), twice.StartAsync());

        string[] hosts = [red.Address, full.Address, theirs.Address, torn.Address, twice.Address, network.Address(99), red.Address];
        var ran = await appliance.Gridctl(["establish", "--hosts", string.Join(",", hosts), "--user", "root", "--key", network.KeyFile, "--apply", "-o", "json"]);
        Assert.True(ran.Status == 2, $"{ran.Status}: {ran.Output}{ran.Error}");
        Assert.Contains($"named more than once, done once: {red.Address}", ran.Error);
        var results = JsonSerializer.Deserialize(ran.Output, ApiJson.Default.EstablishDocument)!.Machines.ToDictionary(machine => machine.Host);
        Assert.Equal(6, results.Count);
        Assert.True(results[red.Address].Action == "done", results[red.Address].Message);
        Assert.Contains("/usr/local/bin/grid-agent", red.Read("/restored"));
        Assert.True(results[torn.Address].Action == "done", results[torn.Address].Message);
        Assert.NotNull(torn.Read("/var/torn"));
        Assert.Contains("its disk is full", results[full.Address].Message);
        Assert.Contains("it belongs to another appliance (key aaaaaaaaaaaaaaaa…)", results[theirs.Address].Message);
        Assert.Contains(OtherKey, theirs.Read("/etc/grid/agent.conf"));
        var pair = new[] { results[twice.Address], results[network.Address(99)] };
        Assert.Single(pair, machine => machine.Action == "done" && machine.Message.Contains("idle", StringComparison.Ordinal));
        Assert.Equal(3, appliance.Nodes.Current.Nodes.Count(node => node.State == NodeState.Idle));
    }

    [Fact]
    public async Task Credentials_that_do_not_suffice_are_told_apart()
    {
        var machine = await (await network.AddAsync()).StartAsync();
        async Task<string> Say(string user, string password, params string[] more) => Assert.Single((await Establish(user, password, "--plan", machine.Address, more)).Machines).Message;
        Assert.Equal("it does not take these credentials", await Say("admin", "wrong"));
        Assert.Equal("sudo says no: guest may not become root there", await Say("guest", "guest-Pass word'1"));
        var sudo = Path.Combine(network.Directory, "sudo");
        await File.WriteAllTextAsync(sudo, "wrong\n");
        Assert.Equal("sudo says no: the password is wrong", await Say("admin", AdminPassword, "--sudo-password-file", sudo));
        Assert.StartsWith("install the agent", await Say("free", "free-Pass word'1"));

        var locked = Path.Combine(network.Directory, "locked");
        await MachineNetwork.RunAsync("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", locked);
        var ran = await appliance.Gridctl("establish", "--hosts", machine.Address, "--user", "root", "--key", locked, "--plan");
        Assert.Equal(1, ran.Status);
        Assert.Contains("the private key has a passphrase", ran.Error);
        Assert.Empty(appliance.Nodes.Current.Nodes);
    }

    [Fact]
    public async Task A_changed_host_key_stops_it_until_the_administrator_names_the_new_one()
    {
        var machine = await (await network.AddAsync()).StartAsync();
        var first = Assert.Single((await Establish("admin", AdminPassword, "--plan", machine.Address)).Machines);
        await machine.ForgetHostKeyAsync();
        await machine.StartAsync();
        var changed = Assert.Single((await Establish("admin", AdminPassword, "--apply", machine.Address)).Machines);
        Assert.Equal("failed", changed.Action);
        Assert.Contains("its host key is not the one that is pinned", changed.Message);

        var known = Path.Combine(network.Directory, "known");
        await File.WriteAllTextAsync(known, $"10.9.9.9 ssh-ed25519 {new string('A', 68)}\n");
        Assert.Equal("the file of host keys does not name it", Assert.Single((await Establish("admin", AdminPassword, "--plan", machine.Address, "--host-keys", known)).Machines).Message);
        await File.WriteAllTextAsync(known, $"{machine.Address} {await File.ReadAllTextAsync(Path.Combine(machine.Folder, "hostkey.pub"))}");
        var named = Assert.Single((await Establish("admin", AdminPassword, "--plan", machine.Address, "--host-keys", known)).Machines);
        Assert.Equal("install", named.Action);
        Assert.NotEqual(first.HostKey, named.HostKey);
    }

    [Fact]
    public async Task An_appliance_that_was_restarted_waits_for_the_credentials_says_so_and_goes_on()
    {
        var machine = await network.AddAsync();
        // Its sshd is not there yet: the operation has begun and tries again.
        var begun = await appliance.Client().ApplyEstablish(new() { Hosts = machine.Address, User = "admin", Password = AdminPassword }, CancellationToken.None);
        var id = Assert.Single(begun.Machines).OperationId!;
        await appliance.StopAsync();
        await appliance.RestartAsync(0);
        var waiting = await Until(id, operation => operation.Reason?.Contains("has no credentials", StringComparison.Ordinal) == true);
        Assert.Equal("running", waiting.State);

        await machine.StartAsync();
        var done = Assert.Single((await Establish("admin", AdminPassword, "--apply", machine.Address)).Machines);
        Assert.True(done.Action == "done", done.Message);
        Assert.Equal(id, done.OperationId);
        Assert.Equal(NodeState.Idle, Assert.Single(appliance.Nodes.Current.Nodes).State);
    }

    async Task<OperationDocument> Until(string id, Func<OperationDocument, bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = appliance.Client();
        OperationDocument? last = null;
        while (!limit.IsCancellationRequested)
        {
            last = await client.GetOperation(id, CancellationToken.None);
            if (holds(last)) return last;
            await Task.Delay(50, CancellationToken.None);
        }
        throw new TimeoutException($"the operation stayed {last?.State}, {last?.Reason}");
    }

    async Task<EstablishDocument> Establish(string user, string password, string how, string hosts, params string[] more)
    {
        var file = Path.Combine(network.Directory, "password");
        await File.WriteAllTextAsync(file, password + "\n");
        var ran = await appliance.Gridctl(["establish", "--hosts", hosts, "--user", user, "--password-file", file, how, "-o", "json", .. more]);
        Assert.True(ran.Output.Length > 0, ran.Error);
        return JsonSerializer.Deserialize(ran.Output, ApiJson.Default.EstablishDocument)!;
    }
}
