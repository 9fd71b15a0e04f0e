using System.Text.Json;
using GridAppliance.Api;
using GridAppliance.Api.Client;
using GridAppliance.Boot;
using GridAppliance.Cli;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Operations;
using GridAppliance.Testing;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Cli;

/// <summary>gridctl as it is run, in this process, against a real management plane.</summary>
public sealed class GridctlTests
{
    static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Nodes_are_lines_that_can_be_collated_when_nobody_looks_on()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        for (var i = 1; i <= 11; i++) await SampleNodes.DiscoverAsync(plane, i);
        await SampleNodes.ReadyAsync(plane, plane.Nodes.Current.Find("n2")!);

        var all = await plane.Gridctl("nodes");
        Assert.Equal(0, all.Status);
        Assert.Equal(["n1: discovered 52:54:00:00:00:01 bios rack3/ge-0/0/1", "n2: idle 52:54:00:00:00:02 bios rack3/ge-0/0/2"], Lines(all.Output)[..2]);
        Assert.Equal(["n9", "n10", "n11"], Lines(all.Output)[8..].Select(line => line.Split(':')[0]));

        var some = await plane.Gridctl("nodes", "n[2,99]");
        Assert.Equal((2, 1), (some.Status, Lines(some.Output).Length));
        Assert.Contains("n99: no such node", some.Error);
        Assert.Equal(3, (await plane.Gridctl("nodes", "n99")).Status);
        Assert.Equal(1, (await plane.Gridctl("nodes", "n[")).Status);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("nodes")]
    [InlineData("node", "show", "n1")]
    [InlineData("node", "timeline", "n1")]
    [InlineData("why", "n1")]
    [InlineData("events")]
    [InlineData("discover", "list")]
    [InlineData("operation", "list")]
    [InlineData("doctor")]
    [InlineData("discover", "hold", "n1", "--dry-run")]
    public async Task Every_command_speaks_json_in_the_shape_of_the_contract(params string[] command)
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.BootAsync(plane, node, BootStage.Script);

        var ran = await plane.Gridctl([.. command, "-o", "json"]);

        Assert.Equal("", ran.Error);
        using var json = JsonDocument.Parse(ran.Output);
        if (command is ["nodes"]) Assert.Equal("n1", json.RootElement[0].GetProperty("name").GetString());
        if (command is ["node", "show", _]) Assert.Equal(JsonSerializer.Serialize(JsonSerializer.Deserialize(ran.Output, ApiJson.Default.NodeDocument), ApiJson.Default.NodeDocument),
            JsonSerializer.Serialize(plane.Nodes.Current.Find("n1")!.ToDocument(), ApiJson.Default.NodeDocument));
        if (command is ["discover", ..]) Assert.Equal(JsonValueKind.Array, (json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement : json.RootElement.GetProperty("nodes")).ValueKind);
    }

    [Fact]
    public async Task Show_why_and_timeline_are_for_people()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.BootAsync(plane, node, BootStage.InitramfsFinished);
        await SampleNodes.ReadyAsync(plane, node);
        await SampleNodes.InstallAsync(plane, node, "hello", "running");

        var show = await plane.Gridctl("node", "show", "n1");
        Assert.Contains("64 × AMD EPYC 9354P", show.Output);
        Assert.Contains("hello 1.2.0, running", show.Output);
        Assert.Contains("hears rack3 port ge-0/0/1", show.Output);
        Assert.Contains("n1: n1 is idle and well.", (await plane.Gridctl("why", "n1")).Output);
        var timeline = await plane.Gridctl("node", "timeline", "n1");
        Assert.Contains("dhcp.discover", timeline.Output);
        Assert.Contains("s from the first DISCOVER to idle; the appliance's own share", timeline.Output);
    }

    [Fact]
    public async Task What_a_node_says_cannot_steer_the_terminal()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Fail, "\e]0;owned\a\e[2Jgone\r\nn1: all is well", "appliance", null, Never);

        foreach (var command in (string[][])[["nodes"], ["node", "show", "n1"], ["node", "timeline", "n1"], ["why", "n1"], ["events"], ["doctor"], ["nodes", "-o", "json"]])
        {
            var ran = await plane.Gridctl(command);
            Assert.DoesNotContain(ran.Output, c => char.IsControl(c) && c != '\n');
            Assert.DoesNotContain("\nn1: all is well", ran.Output);
        }
    }

    [Fact]
    public async Task A_change_to_many_nodes_asks_first_and_names_how_many()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        for (var i = 1; i <= 12; i++) await SampleNodes.DiscoverAsync(plane, i);

        var unasked = await plane.Gridctl("discover", "hold", "all");
        Assert.Equal(1, unasked.Status);
        Assert.Contains("12 nodes", unasked.Error);
        Assert.All(plane.Nodes.Current.Nodes, node => Assert.Equal(NodeState.Discovered, node.State));

        Assert.Equal((1, NodeState.Discovered), (await Asked("n\n"), plane.Nodes.Current.Find("n1")!.State));
        Assert.Equal((0, NodeState.Held), (await Asked("y\n"), plane.Nodes.Current.Find("n1")!.State));
        Assert.Equal(0, (await plane.Gridctl("discover", "release", "n[1-10]")).Status);
        Assert.Equal(0, (await plane.Gridctl("discover", "approve", "n[11-12]", "--yes")).Status);

        async Task<int> Asked(string answer)
        {
            using StringWriter output = new(), error = new();
            var status = await CommandTree.Run(["discover", "hold", "all", "--url", plane.Socket.ToString()!], new(output, error, new StringReader(answer), interactive: true));
            Assert.Contains("Hold 12 nodes (n1 … n12)? [y/N]", error.ToString());
            return status;
        }
    }

    [Fact]
    public async Task Dry_run_says_what_would_be_and_changes_nothing()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        var before = plane.Timeline.Last;
        foreach (var change in (string[][])[["discover", "approve"], ["discover", "hold"], ["node", "retire"]])
        {
            var ran = await plane.Gridctl([.. change, "n1", "--dry-run"]);
            Assert.Equal(0, ran.Status);
            Assert.StartsWith("n1: would be", ran.Output);
        }
        Assert.Equal(3, (await plane.Gridctl("node", "revive", "n1", "--dry-run")).Status);
        Assert.Equal(before, plane.Timeline.Last);
    }

    [Fact]
    public async Task Some_done_is_two_and_none_done_is_three()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var idle = await SampleNodes.DiscoverAsync(plane, 1);
        await SampleNodes.DiscoverAsync(plane, 2);
        await SampleNodes.ReadyAsync(plane, idle);

        var some = await plane.Gridctl("discover", "approve", "n[1-3]");
        Assert.Equal(2, some.Status);
        Assert.Equal(["n1: is idle, which cannot be approved", "n2: approved", "n3: there is no such node"], Lines(some.Output));
        Assert.Equal(3, (await plane.Gridctl("discover", "approve", "n[1-3]")).Status);
    }

    [Fact]
    public async Task Waiting_for_an_operation_names_its_steps_and_its_end()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        var runner = plane.Get<OperationRunner>();
        var started = Assert.IsType<Submission.Accepted>(await runner.SubmitAsync(new("slow", "") { NodeId = node.Id, Node = "n1", Subject = "hello", StartedBy = "root" }, Never));
        var id = started.Operation.Id;

        using StringWriter output = new();
        await using var error = new SignallingWriter("wait for the word");
        var waiting = CommandTree.Run(["operation", "wait", id.ToString(), "--url", plane.Socket.ToString()!], new(output, error, TextReader.Null, interactive: false));
        await error.Seen;
        Assert.Contains("n1: wait for the word (2/2, nobody has said the word)", error.ToString());
        plane.Get<SlowKind>().Release(id);
        Assert.Equal(0, await waiting);
        Assert.Contains("done", output.ToString());

        var failed = Assert.IsType<Submission.Accepted>(await runner.SubmitAsync(new("slow", "fail") { NodeId = node.Id, Node = "n1" }, Never));
        var ran = await plane.Gridctl("operation", "wait", failed.Operation.Id.ToString());
        Assert.Equal(3, ran.Status);
        Assert.Contains("the disk is on fire", ran.Output);
        Assert.Contains("the disk is on fire", (await plane.Gridctl("why", "n1")).Output + (await plane.Gridctl("operation", "list")).Output);
        Assert.Equal(1, (await plane.Gridctl("operation", "show", "nonsense")).Status);
        Assert.Equal(1, (await plane.Gridctl("operation", "cancel", id.ToString())).Status);
    }

    [Fact]
    public async Task Doctor_finds_what_is_wrong_and_says_what_to_do()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        Assert.Equal(0, (await plane.Gridctl("doctor")).Status);
        var node = await SampleNodes.DiscoverAsync(plane, 1);
        await plane.Nodes.ApplyAsync(node.Id, NodeEvent.Hold, "waits for approval", "appliance", null, Never);
        plane.Get<ApplianceProblems>().Raise("dhcp.rival-server", "another DHCP server answers", "Switch it off.");

        var ran = await plane.Gridctl("doctor");

        Assert.Equal(2, ran.Status);
        Assert.Contains("another DHCP server answers", ran.Output);
        Assert.Contains("gridctl discover approve n1", ran.Output);
    }

    [Fact]
    public async Task A_followed_stream_prints_what_happens_until_interrupted()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        await SampleNodes.DiscoverAsync(plane, 1);
        Assert.True(ApplianceAddress.TryParse(plane.Socket.ToString()!, out _));
        await using var output = new SignallingWriter("\"node\":\"n2\"");
        using var following = new CancellationTokenSource();
        var ran = CommandTree.Run(["events", "--follow", "-o", "json", "--url", plane.Socket.ToString()!], new(output, TextWriter.Null, TextReader.Null, interactive: false), following.Token);
        await Eventually.UntilAsync(() => output.ToString().Contains("\"node\":\"n1\"", StringComparison.Ordinal), "the first node's event");
        await SampleNodes.DiscoverAsync(plane, 2);
        await output.Seen.WaitAsync(Eventually.Patience);
        await following.CancelAsync();
        Assert.Equal(0, await ran.WaitAsync(Eventually.Patience));
        Assert.All(Lines(output.ToString()), line => Assert.NotNull(JsonSerializer.Deserialize(line, ApiJson.Default.EventDocument)));
    }

    [Theory]
    [InlineData("unix:/nonexistent/api.sock", "there is no socket at /nonexistent/api.sock", "systemctl start gridappliance")]
    [InlineData("http://127.0.0.1:1", "cannot be reached", "--url")]
    [InlineData("ftp://somewhere", "is no appliance's address", "unix:/path")]
    [InlineData("unix:relative", "is no appliance's address", "unix:/path")]
    [InlineData("http://user@host", "is no appliance's address", "unix:/path")]
    public async Task An_appliance_that_cannot_be_asked_is_one_and_says_what_to_do(string url, string what, string next)
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(1, await CommandTree.Run(["status", "--url", url], new(output, error, TextReader.Null, interactive: false)));
        Assert.Contains(what, error.ToString());
        Assert.Contains(next, error.ToString());
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task A_socket_that_nobody_listens_on_and_one_that_is_not_ours_are_told_apart()
    {
        var directory = Directory.CreateTempSubdirectory("ga-cli-").FullName;
        var path = Path.Combine(directory, "s");
        using (var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0))
        {
            socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
            using StringWriter error = new();
            Assert.Equal(1, await CommandTree.Run(["status", "--url", $"unix:{path}"], new(TextWriter.Null, error, TextReader.Null, interactive: false)));
            Assert.Contains("the appliance has stopped", error.ToString());
        }
        var denied = ApplianceTransport.Translate(new ApplianceAddress.Unix("/run/gridappliance/api.sock"), new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.AccessDenied));
        Assert.Equal(ApplianceFault.PermissionDenied, denied.Fault);
        Assert.Contains("usermod -aG gridappliance", denied.NextStep);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Usage_that_is_wrong_is_one()
    {
        await using var plane = await ManagementPlaneHost.StartAsync();
        foreach (var command in (string[][])[["frobnicate"], ["node"], ["node", "show"], ["nodes", "a", "b"], ["status", "-o", "xml"]]) Assert.Equal(1, (await plane.Gridctl(command)).Status);
    }

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A writer that says when something was written.</summary>
    sealed class SignallingWriter(string awaited) : StringWriter
    {
        readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly Lock gate = new();

        public Task Seen => seen.Task;

        public override void WriteLine(string? value)
        {
            lock (gate) base.WriteLine(value);
            if (value?.Contains(awaited, StringComparison.Ordinal) == true) seen.TrySetResult();
        }

        public override string ToString() { lock (gate) return base.ToString(); }
    }
}
