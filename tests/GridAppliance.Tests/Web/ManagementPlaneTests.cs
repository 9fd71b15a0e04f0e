using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GridAppliance.Api.Client;
using GridAppliance.Api.Nodes;
using GridAppliance.Boot;
using GridAppliance.Hosting;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Web;

/// <summary>The typed client and the plane, each real, over the unix socket and over TCP.</summary>
public sealed class ManagementPlaneTests
{
    static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Status_counts_nodes_and_names_networks_and_problems()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.DiscoverAsync(plane, 2);
        await SampleNodes.ReadyAsync(plane, node);
        plane.Get<ApplianceProblems>().Raise("dhcp.rival-server:eth1", "another DHCP server answers on eth1", "Switch it off.");
        using var client = plane.Client();

        var status = await client.GetStatus(Never);

        Assert.Equal("rack12", status.Name);
        Assert.Equal((1, 1, 0), (status.Nodes["idle"], status.Nodes["discovered"], status.Nodes["failed"]));
        Assert.Equal(("provisioning", "10.77.0.1/24", "server", 201L), (status.Networks[0].Name, status.Networks[0].Address, status.Networks[0].Dhcp, status.Networks[0].LeasesTotal));
        Assert.Equal("dhcp.rival-server:eth1", Assert.Single(status.Problems).Code);
        using var http = plane.Http();
        Assert.Equal("degraded", (await http.GetFromJsonAsync<JsonNode>("/healthz"))!["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_problem_that_comes_and_goes_is_told_in_the_timeline()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var client = plane.Client();
        await using var events = client.StreamEvents(plane.Timeline.Last, null, Never).GetAsyncEnumerator(Never);
        plane.Get<ApplianceProblems>().Raise("a.b", "the roof leaks", "Fetch a bucket.");
        plane.Get<ApplianceProblems>().Raise("a.b", "the roof leaks more", "Fetch two.");
        plane.Get<ApplianceProblems>().Clear("a.b");

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(("appliance.problem", "the roof leaks", "error"), (events.Current.Kind, events.Current.Message, events.Current.Severity));
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("appliance.well", events.Current.Kind);
    }

    [Fact]
    public async Task A_node_its_timeline_and_why_are_served_by_name()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var made = await SampleNodes.DiscoverAsync(plane, 1, "uefi");
        await SampleNodes.BootAsync(plane, made, BootStage.InitramfsFinished);
        await SampleNodes.ReadyAsync(plane, made);
        using var client = plane.Client();

        var node = await client.GetNode("n1", Never);
        var timeline = await client.GetTimeline("n1", Never);
        var why = await client.GetWhy("n1", Never);

        Assert.Equal(("n1", "idle", "uefi", "52:54:00:00:00:01", 64), (node.Name, node.State, node.Firmware, node.Mac, node.Inventory!.Cpus));
        Assert.Equal("state.discovered", timeline.Events[0].Kind);
        Assert.Contains(timeline.Events, e => e.Kind == "state.idle");
        Assert.True(timeline.LastBootApplianceMs > 0);
        Assert.True(timeline.LastBootSeconds > 0);
        Assert.True(why.Ok);
    }

    [Fact]
    public async Task A_name_that_is_no_node_is_a_problem_with_a_next_step()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var client = plane.Client();
        foreach (var name in (string[])["n9", "..", "a/b", "%", "?", "\u202e"])
        {
            var refused = await Assert.ThrowsAsync<ApplianceException>(() => client.GetNode(name, Never));
            Assert.Equal((ApplianceFault.Refused, HttpStatusCode.NotFound), (refused.Fault, refused.Status));
            Assert.NotNull(refused.NextStep);
        }
        Assert.Contains("there is no node 'n9'", (await Assert.ThrowsAsync<ApplianceException>(() => client.GetWhy("n9", Never))).Message);
    }

    [Fact]
    public async Task A_range_picks_nodes_and_a_bad_one_is_refused_with_its_place()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        for (var i = 1; i <= 12; i++) await SampleNodes.DiscoverAsync(plane, i, i % 2 == 0 ? "uefi" : "bios");
        using var client = plane.Client();

        Assert.Equal(["n2", "n10", "n12"], (await client.GetNodes("uefi@~2|0", Never)).Select(n => n.Name));
        Assert.Contains("at character 3", (await Assert.ThrowsAsync<ApplianceException>(() => client.GetNodes("n[", Never))).Message);
        Assert.Contains("rakc", (await Assert.ThrowsAsync<ApplianceException>(() => client.GetNodes("all,-rakc", Never))).Message);
    }

    [Fact]
    public async Task A_held_node_is_approved_and_a_change_that_cannot_be_says_why()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var held = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.DiscoverAsync(plane, 2);
        await plane.Nodes.ApplyAsync(held.Id, NodeEvent.Hold, "waits for approval", "appliance", null, Never);
        using var client = plane.Client();

        var plan = await client.ChangeNodes(NodeChange.Approve, new() { Range = "n[1-3]", DryRun = true }, Never);
        Assert.Equal([true, true, false], plan.Nodes.Select(n => n.Accepted));
        Assert.Equal("held", (await client.GetNode("n1", Never)).State);

        var done = await client.ChangeNodes(NodeChange.Approve, new() { Range = "n[1-3]" }, Never);
        Assert.Equal([true, true, false], done.Nodes.Select(n => n.Accepted));
        Assert.Equal("enrolling", (await client.GetNode("n1", Never)).State);
        Assert.True(plane.Nodes.Current.Find("n2")!.Approved);

        var again = await client.ChangeNodes(NodeChange.Approve, new() { Range = "n1,n2" }, Never);
        Assert.All(again.Nodes, n => Assert.Equal((false, "is approved already"), (n.Accepted, n.Message)));
        using var http = plane.Http();
        Assert.Equal(HttpStatusCode.Conflict, (await http.PostAsJsonAsync("/api/v1/nodes/n1/approve", new { })).StatusCode);
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_is_a_problem_not_an_exception()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        foreach (var body in (string[])["", "{", "{}", "[]", "\"x\"", "{\"range\":7}", new string('[', 100_000), "{\"range\":\"" + new string('n', 100_000) + "\"}"])
        {
            using var answer = await http.PostAsync("/api/v1/nodes/approve", new StringContent(body, null, "application/json"));
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge, $"{answer.StatusCode} for {body[..Math.Min(body.Length, 20)]}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task An_unknown_address_and_a_wrong_method_are_problems()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        using var nowhere = await http.GetAsync("/api/v1/nowhere");
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (nowhere.StatusCode, nowhere.Content.Headers.ContentType!.MediaType));
        using var method = await http.PostAsJsonAsync("/api/v1/status", new { });
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "application/problem+json"), (method.StatusCode, method.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task The_contract_describes_every_address_and_its_documents()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        var contract = (await http.GetFromJsonAsync<JsonNode>("/api/v1/openapi.json"))!;
        var paths = contract["paths"]!.AsObject().Select(p => p.Key).ToHashSet();
        foreach (var path in (string[])["/api/v1/status", "/api/v1/nodes", "/api/v1/nodes/{name}", "/api/v1/nodes/{name}/timeline", "/api/v1/nodes/{name}/why", "/api/v1/nodes/{name}/approve",
            "/api/v1/nodes/hold", "/api/v1/events", "/api/v1/operations", "/api/v1/operations/{id}", "/api/v1/modules", "/api/v1/modules/install", "/metrics", "/healthz"]) Assert.Contains(path, paths);
        var node = contract["components"]!["schemas"]!["NodeDocument"]!["properties"]!.AsObject().Select(p => p.Key).ToHashSet();
        foreach (var field in (string[])["name", "state", "mac", "macs", "ip", "uuid", "arch", "firmware", "location", "power", "bmc", "agent", "modules", "inventory", "problem"]) Assert.Contains(field, node);
    }

    [Fact]
    public async Task The_page_and_its_files_are_served_and_nothing_else_under_their_folder()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        using var http = plane.Http();
        var page = await http.GetStringAsync("/");
        Assert.DoesNotContain("<script>", page);
        Assert.DoesNotContain("style=", page);
        foreach (var file in page.Split('"').Where(part => part.StartsWith("/page/", StringComparison.Ordinal)).Distinct())
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(file)).StatusCode);
        foreach (var file in (string[])["/page/", "/page/..%2fapp.js", "/page/%2e%2e/etc/passwd", "/page/index.htm"]) Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(file)).StatusCode);

        using var first = await http.GetAsync("/page/app.js");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/page/app.js") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        Assert.Equal(HttpStatusCode.NotModified, (await http.SendAsync(request)).StatusCode);
    }
}
