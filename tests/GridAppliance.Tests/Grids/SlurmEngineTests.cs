using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using GridAppliance.Grids;
using GridAppliance.Nodes;
using GridAppliance.Protocols.Addresses;

namespace GridAppliance.Tests.Grids;

public sealed class SlurmEngineTests
{
    readonly Grid grid = new() { Id = Guid.NewGuid(), Name = "hpc", Engine = "slurm", Created = DateTimeOffset.UnixEpoch };

    [Fact]
    public void The_master_is_told_of_its_workers_and_a_worker_where_its_master_is()
    {
        var engine = new SlurmEngine();
        var toMaster = engine.Tell(grid, GridRole.Master, [Node(1)], [Node(2), Node(3)]);
        Assert.Contains("\nSlurmctldHost=n1(10.77.0.51)\n", toMaster["slurm.conf"], StringComparison.Ordinal);
        Assert.Contains("\nNodeName=n2 NodeAddr=10.77.0.52 CPUs=4 RealMemory=900 State=UNKNOWN\nNodeName=n3 ", toMaster["slurm.conf"], StringComparison.Ordinal);
        Assert.Contains("\nPartitionName=grid Nodes=ALL ", toMaster["slurm.conf"], StringComparison.Ordinal);
        Assert.Equal("127.0.0.1 localhost\n10.77.0.51 n1\n10.77.0.52 n2\n10.77.0.53 n3\n", toMaster["hosts"]);

        var toWorker = engine.Tell(grid, GridRole.Worker, [Node(1)], [Node(2)]);
        Assert.Equal("10.77.0.51:6817\n", toWorker["master"]);
        Assert.DoesNotContain("slurm.conf", toWorker.Keys);
    }

    /// <summary>Checked once against Debian's own controller and REST daemon, which take it; the figures here are RFC 7515's way of saying the same.</summary>
    [Fact]
    public void A_pass_is_a_token_that_the_controllers_key_signs_and_that_ends()
    {
        byte[] key = [.. Enumerable.Range(0, 128).Select(number => (byte)number)];
        var now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        var pass = ((IGridEngine)new SlurmEngine()).PassFor(Node(1), name => name == "jwt.key" ? key : throw new InvalidOperationException(name), now, now.AddMinutes(10))!;
        Assert.Equal(("http://10.77.0.51:6820", "gridjob"), (pass.Url, pass.Headers["X-SLURM-USER-NAME"]));
        var parts = pass.Headers["X-SLURM-USER-TOKEN"].Split('.');
        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        Assert.Equal("""{"exp":1700000600,"iat":1700000000,"sun":"gridjob"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])));
        Assert.Equal(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}")), Base64Url.DecodeFromChars(parts[2]));
    }

    /// <summary>A worker that somebody has taken over could sign as anybody with it.</summary>
    [Fact]
    public void The_key_of_passes_is_the_masters_alone()
    {
        Assert.Contains("jwt.key", new SlurmEngine().SecretsOf(GridRole.Master));
        Assert.Equal(["munge.key"], new SlurmEngine().SecretsOf(GridRole.Worker));
        Assert.Contains("\nAuthAltParameters=jwt_key=/etc/slurm/jwt.key\n", new SlurmEngine().Tell(grid, GridRole.Master, [Node(1)], [Node(2)])["slurm.conf"], StringComparison.Ordinal);
    }

    /// <summary>A controller refuses to start with a partition of no nodes.</summary>
    [Fact]
    public void A_grid_without_workers_has_no_partition() => Assert.DoesNotContain("PartitionName", new SlurmEngine().Tell(grid, GridRole.Master, [Node(1)], [])["slurm.conf"], StringComparison.Ordinal);

    /// <summary>The first is who leads, for the controller, for whoever asks it, and for the module.</summary>
    [Fact]
    public void Two_masters_are_told_of_each_other_in_the_order_in_which_they_lead_and_a_worker_of_both()
    {
        var told = new SlurmEngine().Tell(grid, GridRole.Master, [Node(4), Node(1)], [Node(2)]);
        Assert.Contains("\nSlurmctldHost=n4(10.77.0.54)\nSlurmctldHost=n1(10.77.0.51)\nSlurmctldParameters", told["slurm.conf"], StringComparison.Ordinal);
        Assert.Equal("n4 10.77.0.54\nn1 10.77.0.51\n", told["masters"]);
        Assert.Equal("10.77.0.54:6817,10.77.0.51:6817\n", new SlurmEngine().Tell(grid, GridRole.Worker, [Node(4), Node(1)], [Node(2)])["master"]);
    }

    [Fact]
    public void One_master_and_one_that_takes_over_are_taken_and_not_more()
    {
        Assert.Null(new SlurmEngine().Refusal([Node(1), Node(2)], [Node(3)]));
        Assert.Contains("name two at most", new SlurmEngine().Refusal([Node(1), Node(2), Node(4)], [Node(3)]), StringComparison.Ordinal);
        Assert.Equal("Slurm needs a master", new SlurmEngine().Refusal([], [Node(3)]));
    }

    [Fact]
    public void What_a_module_says_of_its_engine_is_read_and_what_is_none_of_it_is_passed_over()
    {
        var report = GridReport.Read("node n2 idle 0 1 N/A\nnode n3 busy 2 4 1.50\nnode n4 down x 4\njob 3_1 RUNNING n3 render\njob 4 PENDING render\nslurm_load: error\nstandby n1 ready\nstandby n5 perhaps\n\n");
        Assert.Equal([new GridNodeReport("n2", "idle", 0, 1, "N/A"), new GridNodeReport("n3", "busy", 2, 4, "1.50")], report.Nodes);
        Assert.Equal([new("n1", "ready")], report.Standbys);
        Assert.Equal([new GridJobReport("3_1", "RUNNING", "render", "n3"), new GridJobReport("4", "PENDING", "render", null)], report.Jobs);
    }

    static Node Node(int number) => new()
    {
        Id = Guid.NewGuid(), Name = $"n{number}", State = NodeState.Idle, StateSince = DateTimeOffset.UnixEpoch, FirstSeen = DateTimeOffset.UnixEpoch, BootMac = TestStore.Mac(number), Macs = [TestStore.Mac(number)],
        Network = "provisioning", Ip = Ipv4Address.Parse($"10.77.0.{50 + number}"), Inventory = new() { Cpus = 4, MemoryMiB = 1000 },
    };
}
