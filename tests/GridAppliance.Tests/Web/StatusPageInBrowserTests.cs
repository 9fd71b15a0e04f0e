using GridAppliance.Agents;
using GridAppliance.Boot;
using GridAppliance.Grids;
using GridAppliance.Guard;
using GridAppliance.Hosting;
using GridAppliance.Lab.Switches.Snmp;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;
using GridAppliance.Tests.San;
using GridAppliance.Tests.Switches;

namespace GridAppliance.Tests.Web;

/// <summary>The page as a person meets it: a real browser, a real plane. Pictures are left in TestResults/status-page for whoever wants to look.</summary>
public sealed class StatusPageInBrowserTests
{
    static readonly string Pictures = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "TestResults", "status-page")).FullName;

    const string StateOfN1 = "document.querySelector('#nodes [data-key=n1] .chip')?.textContent";

    [ChromiumFact]
    public async Task A_node_changes_its_state_on_the_page_without_a_reload()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 1280, 900);
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'live'");
        await page.UntilAsync("document.querySelector('#nodes-empty').textContent.includes('No node has turned up yet')");
        await page.EvaluateAsync("window.sameDocument = true");

        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await page.UntilAsync($"{StateOfN1} === 'discovered'");
        await SampleNodes.BootAsync(plane, node, BootStage.KernelStarted);
        await page.UntilAsync("document.querySelector('#booting-list [data-key=n1] .stages')?.getAttribute('aria-valuetext') === 'kernel, 50 %'");
        await SampleNodes.BootAsync(plane, node, BootStage.InitramfsFinished);
        await SampleNodes.ReadyAsync(plane, node);
        await page.UntilAsync($"{StateOfN1} === 'idle'");

        Assert.Equal("true", await page.EvaluateAsync("window.sameDocument === true"));
        await page.UntilAsync("document.querySelector('#booting').hidden");
    }

    [ChromiumFact]
    public async Task What_a_node_says_stays_text_and_the_details_open_by_keyboard()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Fail, "<img src=x onerror='window.owned=1'><script>window.owned=1</script>", "appliance", null, CancellationToken.None);
        plane.Get<ApplianceProblems>().Raise("dhcp.rival-server", "another DHCP server <b>10.77.0.9</b> answers", "Switch it off.");
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 1280, 900);
        await page.UntilAsync($"{StateOfN1} === 'failed'");
        await page.UntilAsync("document.querySelector('#problems').textContent.includes('<b>10.77.0.9</b>')");

        await page.EvaluateAsync("(document.querySelector('#nodes [data-key=n1] button').focus(), document.activeElement.click())");
        await page.UntilAsync("document.querySelector('#drawer').open && document.querySelector('#drawer .why') !== null");

        Assert.Contains("<img src=x", await page.EvaluateAsync("document.querySelector('#drawer .why').textContent"));
        Assert.Equal("true", await page.EvaluateAsync("window.owned === undefined && document.querySelectorAll('#nodes img, #drawer img, #problems b').length === 0"));
        Assert.Equal("true", await page.EvaluateAsync("[...document.querySelectorAll('button')].every(b => (b.getAttribute('aria-label') ?? b.textContent).trim() !== '')"));
    }

    [ChromiumFact]
    public async Task Five_hundred_nodes_fit_a_phone_and_are_found_by_searching()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await Task.WhenAll(Enumerable.Range(1, 500).Select(number => SampleNodes.DiscoverAsync(plane, number)));
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 360, 740);
        await page.UntilAsync("document.querySelectorAll('#nodes li').length === 500");
        await page.ScreenshotAsync(Path.Combine(Pictures, "phone-500.png"));

        Assert.Equal("true", await page.EvaluateAsync("document.documentElement.scrollWidth <= 360"));
        await page.EvaluateAsync("(search => { search.value = '52:54:00:00:00:2a'; search.dispatchEvent(new Event('input')); })(document.querySelector('#search'))");
        await page.UntilAsync("document.querySelectorAll('#nodes li').length === 1");
    }

    [ChromiumFact]
    public async Task A_switch_is_drawn_as_its_front_looks_and_what_moves_on_it_is_seen()
    {
        await using var bench = new SwitchBench(BridgeModel.Factory(24).WithAccess(100, [.. Enumerable.Range(1, 23)]) with { Addresses = [new(100, TestStore.Mac(1), 3), new(100, TestStore.Mac(2), 5)] }, "<b>leaf1");
        await using var plane = await ManagementPlaneHost.StartAsync();
        var secret = await SwitchBench.WriteSecretAsync(plane.DataDir);
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 360, 740);
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'live' && document.querySelector('#fabric').hidden");

        foreach (var number in (int[])[1, 2]) await SampleNodes.DiscoverAsync(plane, number);
        Assert.Equal(0, (await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secret, "--ports", "Gi0/*", "--vlans", "100,250")).Status);
        await page.UntilAsync("document.querySelectorAll('#fabric .port').length === 24");
        await page.UntilAsync("document.querySelector('[data-port=\"leaf1/Gi0/3\"] button')?.getAttribute('aria-label') === 'port Gi0/3, VLAN 100, n1'");
        Assert.Equal("true", await page.EvaluateAsync("document.documentElement.scrollWidth <= 360 && document.querySelectorAll('#fabric b').length === 0"));
        await page.ScreenshotAsync(Path.Combine(Pictures, "fabric-phone.png"));

        Assert.Equal(0, (await plane.Gridctl("switch", "vlan", "n1", "250")).Status);
        await page.UntilAsync("document.querySelector('[data-port=\"leaf1/Gi0/3\"] button')?.dataset.vlan === '250'");
        await page.EvaluateAsync("document.querySelector('[data-port=\"leaf1/Gi0/3\"] button').click()");
        await page.UntilAsync("document.querySelector('#drawer').open");
    }

    [ChromiumFact]
    public async Task Who_reaches_which_storage_and_who_sends_in_anothers_name_are_on_the_map()
    {
        await using var bench = new SwitchBench(BridgeModel.Factory(8).WithAccess(100, [.. Enumerable.Range(1, 7)]) with { Addresses = [new(100, TestStore.Mac(1), 3)] }, "leaf1");
        await using var tgtd = new RealTgtd();
        await tgtd.StartAsync();
        await using var plane = await ManagementPlaneHost.StartAsync();
        var secret = await SwitchBench.WriteSecretAsync(plane.DataDir);
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.Equal(0, (await plane.Gridctl("switch", "add", "leaf1", bench.Address, "--user", SwitchBench.User, "--secret-file", secret)).Status);
        var disk = Path.Combine(Directory.CreateDirectory(Path.Combine(plane.DataDir, "san", "golden")).FullName, "golden.img");
        await File.WriteAllBytesAsync(disk, new byte[1 << 20]);
        Assert.Equal(0, (await plane.Gridctl("san", "add", "store", $"tgt+unix://{tgtd.ControlSocket}")).Status);
        var boot = await plane.Gridctl("san", "boot", "n1", "--fabric", "store", "--image", "golden.img");
        Assert.True(boot.Status == 0, boot.Error);
        // As the guard reports it.
        plane.Get<GuardReport>().Current = new([], [new() { Network = "provisioning", Source = new(TestStore.Mac(1), Ipv4Address.Parse("10.77.0.60")), Packets = 7, First = default, Last = default, From = new("leaf1", "Gi0/3") }]);
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 360, 740);
        await page.UntilAsync("document.querySelector('#fabric-storage [data-zone] button')?.textContent === 'n1'");
        Assert.Contains("n1", (await plane.Gridctl("fabric", "map")).Output.Split('\n').Single(line => line.Contains("grid-boot-", StringComparison.Ordinal)));

        await page.UntilAsync("document.querySelector('#fabric-forged li')?.textContent.includes('sends as 10.77.0.60 on network \\'provisioning\\' from port Gi0/3 of switch leaf1')");
        await page.UntilAsync("document.querySelector('[data-port=\"leaf1/Gi0/3\"] .port')?.dataset.forged === ''");
        Assert.Equal("true", await page.EvaluateAsync("document.documentElement.scrollWidth <= 360"));
        Assert.Contains("7 frames: n1's NIC", (await plane.Gridctl("fabric", "map")).Output);
        await page.ScreenshotAsync(Path.Combine(Pictures, "fabric-storage-phone.png"));
    }

    [ChromiumFact]
    public async Task A_grid_has_its_members_load_and_queue_on_the_page_and_a_worker_that_died_is_seen()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        foreach (var number in (int[])[1, 2, 3]) await SampleNodes.DiscoverAsync(plane, number);
        await using var page = await ChromiumPage.OpenAsync(plane.Loopback, 360, 740);
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'live' && document.querySelector('#grids').hidden");
        const string hostile = "<img/src=x/onerror=window.owned=1>";
        await using var master = new ScriptedMaster(plane, plane.Nodes.Current.Find("n1")!.Id) { Says = $"node n2 busy 1 2 0.50\njob 7_1 RUNNING n2 {hostile}\njob 7_2 PENDING {hostile}\n" };
        GridMember Member(string name, GridRole role, GridStanding standing) => new(plane.Nodes.Current.Find(name)!.Id, name, role, standing);
        var grid = new Grid
        {
            Id = Guid.NewGuid(), Name = "hpc", Engine = "slurm", Created = DateTimeOffset.UtcNow,
            Members = [Member("n1", GridRole.Master, GridStanding.Member), Member("n2", GridRole.Worker, GridStanding.Member), Member("n3", GridRole.Worker, GridStanding.Leaving)],
        };
        await plane.Get<GridDirectory>().ChangeAsync(grid.Id, _ => grid, new("grid.created", "a grid"), CancellationToken.None);
        static string ChipOf(string node) => $"document.querySelector('[data-member={node}] .chip')?.textContent";
        await page.UntilAsync($"{ChipOf("n1")} === 'master' && {ChipOf("n3")} === 'leaving'");

        var watch = plane.Get<GridWatch>();
        await watch.LookAsync(CancellationToken.None);
        await page.UntilAsync($"{ChipOf("n2")} === 'busy' && document.querySelector('.grid-queue').textContent.includes('1 running, 1 pending') && document.querySelector('.grid-load').textContent.includes('1 of 2 CPUs busy')");
        Assert.Contains(hostile, await page.EvaluateAsync("document.querySelector('[data-job=\"7_1\"]').textContent"));
        Assert.Equal("true", await page.EvaluateAsync("window.owned === undefined && document.querySelectorAll('#grids img').length === 0 && document.documentElement.scrollWidth <= 360"));
        await page.ScreenshotAsync(Path.Combine(Pictures, "grid-phone.png"));

        master.Says = "node n2 down 0 2 0.00\njob 7_1 PENDING render\n";
        for (var look = 0; look < 2; look++) await watch.LookAsync(CancellationToken.None);
        await page.UntilAsync($"{ChipOf("n2")} === 'down' && document.querySelector('#grids').textContent.includes('1 down')");
        Assert.Contains("taken out since", (await plane.Gridctl("grid", "show", "hpc")).Output, StringComparison.Ordinal);
        Assert.Contains("n2 works for grid hpc, whose slurm has it as down", (await plane.Gridctl("why", "n2")).Output, StringComparison.Ordinal);

        Assert.Contains("has no master that takes requests yet", (await plane.Gridctl("grid", "pass", "hpc")).Error, StringComparison.Ordinal);
        master.Says = "node n2 idle 0 2 0.00\n";
        await watch.LookAsync(CancellationToken.None);
        await page.UntilAsync($"{ChipOf("n2")} === 'idle'");
        await page.EvaluateAsync("document.querySelector('[data-member=n2] button').click()");
        await page.UntilAsync("document.querySelector('#drawer').open");
    }

    [ChromiumFact]
    public async Task A_lost_connection_is_said_and_mended()
    {
        var plane = await ManagementPlaneHost.StartAsync();
        var address = plane.Loopback;
        await using var page = await ChromiumPage.OpenAsync(address, 1280, 900);
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'live'");
        await plane.DisposeAsync();
        await page.UntilAsync("document.querySelector('#link').dataset.link === 'lost'");

        Assert.Contains("connection lost", await page.EvaluateAsync("document.querySelector('#link').textContent"));
        await using var again = await ManagementPlaneHost.StartAsync(port: address.Port);
        await SampleNodes.DiscoverAsync(again, 1);
        await page.UntilAsync($"document.querySelector('#link').dataset.link === 'live' && {StateOfN1} === 'discovered'");
    }

    [ChromiumFact]
    public async Task A_rack_in_every_state_is_drawn_light_dark_and_narrow()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await FillAsync(plane);
        foreach (var (name, width, height, dark) in ((string, int, int, bool)[])[("light", 1280, 860, false), ("dark", 1280, 860, true), ("phone", 360, 780, false)])
        {
            await using var page = await ChromiumPage.OpenAsync(plane.Loopback, width, height, dark);
            await page.UntilAsync("document.querySelectorAll('#nodes li').length === 16 && document.querySelector('#link').dataset.link === 'live'");
            await page.ScreenshotAsync(Path.Combine(Pictures, $"{name}.png"));
            Assert.Equal("true", await page.EvaluateAsync($"document.documentElement.scrollWidth <= {width}"));
            await page.EvaluateAsync("location.hash = 'n2'");
            await page.UntilAsync("document.querySelector('#drawer').open && document.querySelector('#drawer .timeline') !== null");
            await page.ScreenshotAsync(Path.Combine(Pictures, $"{name}-drawer.png"));
            Assert.Equal("true", await page.EvaluateAsync("document.querySelector('#drawer').scrollWidth <= document.querySelector('#drawer').clientWidth"));
        }
    }

    /// <summary>An agent on a grid's master that answers every order with the same words.</summary>
    sealed class ScriptedMaster : IAsyncDisposable
    {
        readonly CancellationTokenSource end = new();
        readonly Task life;

        public ScriptedMaster(ManagementPlaneHost plane, Guid node) => life = ServeAsync(plane.Get<AgentOrders>(), node);

        public required string Says { get; set; }

        public async ValueTask DisposeAsync()
        {
            await end.CancelAsync();
            await life;
            end.Dispose();
        }

        async Task ServeAsync(AgentOrders orders, Guid node)
        {
            while (!end.IsCancellationRequested)
            {
                if (await orders.TakeAsync(node, CancellationToken.None) is { } order) await orders.ReportAsync(node, order.Id, new() { Succeeded = true, Output = Says }, CancellationToken.None);
                else await Task.WhenAny(Task.Delay(20, end.Token));
            }
        }
    }

    static async Task FillAsync(ManagementPlaneHost plane)
    {
        for (var number = 1; number <= 16; number++)
        {
            var node = await SampleNodes.DiscoverAsync(plane, number, number % 3 == 0 ? "uefi" : "bios");
            var stage = number switch { 13 => BootStage.DhcpAck, 14 => BootStage.Script, 15 => BootStage.InitramfsStarted, _ => BootStage.InitramfsFinished };
            if (number != 16) await SampleNodes.BootAsync(plane, node, stage);
            if (number <= 11) await SampleNodes.ReadyAsync(plane, node);
            if (number is 2 or 5) await SampleNodes.InstallAsync(plane, node, "hello", "running");
            if (number is 3 or 4) await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Assign, "is assigned to farm blue", "root", null, CancellationToken.None);
            if (number is 3) await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Assigned, "is active in farm blue", "appliance", null, CancellationToken.None);
            if (number is 11) await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Fail, "its disk nvme0n1 does not answer", "appliance", null, CancellationToken.None);
            if (number is 12) await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Hold, "waits for approval", "appliance", null, CancellationToken.None);
            if (number is 10) await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Retire, "was retired by root", "root", null, CancellationToken.None);
        }
    }
}
