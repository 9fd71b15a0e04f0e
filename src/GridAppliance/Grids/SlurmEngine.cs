using System.Globalization;
using System.Text;
using GridAppliance.Boot.Files;
using GridAppliance.Nodes;

namespace GridAppliance.Grids;

/// <summary>
/// Slurm of the Debian image (22.05). Workers get their configuration from the controller ("configless"): what is written here goes to the master alone, and a worker is told where that is.
/// https://slurm.schedmd.com/slurm.conf.html, https://slurm.schedmd.com/configless_slurm.html
/// </summary>
sealed class SlurmEngine : IGridEngine
{
    const string Module = "slurm";
    const int ControllerPort = 6817;
    const int RestPort = 6820;

    /// <summary>One that works and one that takes over: what a controller writes down has one copy.</summary>
    const int MostMasters = 2;

    /// <summary>Munge's lets the members trust each other; the second is the controllers' alone, and signs what programs outside show them; with the third a master gives its backup what it writes down.</summary>
    const string MungeKey = "munge.key", TokenKey = "jwt.key", CopyKey = "copy.key";

    /// <summary>As whom requests from outside run.</summary>
    const string User = "gridjob";

    /// <summary>The plugin that asks nothing of the kernel as long as nobody has it do something; the other one wants to write at once.</summary>
    const string ControlGroups = "CgroupPlugin=cgroup/v1\n";

    public string Name => "slurm";

    public string Image => RootImage.Debian;

    public string ModuleOf(GridRole role) => Module;

    public IReadOnlyList<string> Secrets { get; } = [MungeKey, TokenKey, CopyKey];

    public IReadOnlyList<string> SecretsOf(GridRole role) => role switch
    {
        GridRole.Master => Secrets,
        GridRole.Worker => [MungeKey],
    };

    public GridPass? PassFor(Node master, Func<string, byte[]> secret, DateTimeOffset now, DateTimeOffset until) => new(
        string.Create(CultureInfo.InvariantCulture, $"http://{master.Ip}:{RestPort}"),
        new Dictionary<string, string> { ["X-SLURM-USER-NAME"] = User, ["X-SLURM-USER-TOKEN"] = SlurmToken.Sign(secret(TokenKey), User, now, until) }, "/slurm/v0.0.38/nodes");

    public string? Refusal(IReadOnlyList<Node> masters, IReadOnlyList<Node> workers) => masters.Count switch
    {
        0 => "Slurm needs a master",
        <= MostMasters => null,
        _ => "Slurm has one master here, and one that takes over from it: name two at most",
    };

    public IReadOnlyDictionary<string, string> Tell(Grid grid, GridRole role, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers)
    {
        var hosts = $"127.0.0.1 localhost\n{string.Concat(masters.Concat(workers).DistinctBy(node => node.Id).Select(node => $"{node.Ip} {node.Name}\n"))}";
        return role switch
        {
            GridRole.Worker => new Dictionary<string, string>
            {
                ["role"] = "worker\n", ["hosts"] = hosts, ["master"] = string.Join(',', masters.Select(master => string.Create(CultureInfo.InvariantCulture, $"{master.Ip}:{ControllerPort}"))) + "\n",
            },
            GridRole.Master => new Dictionary<string, string>
            {
                ["role"] = "master\n", ["hosts"] = hosts, ["masters"] = string.Concat(masters.Select(master => $"{master.Name} {master.Ip}\n")),
                ["slurm.conf"] = Configuration(grid, masters, workers), ["cgroup.conf"] = ControlGroups,
            },
        };
    }

    static string Configuration(Grid grid, IReadOnlyList<Node> masters, IReadOnlyList<Node> workers)
    {
        // No control groups of Slurm's own: a module sees them to read, and the agent holds its programs in one already.
        var text = new StringBuilder($"""
            ClusterName={grid.Name}
            {string.Join('\n', masters.Select(master => $"SlurmctldHost={master.Name}({master.Ip})"))}
            SlurmctldParameters=enable_configless
            SlurmctldPort={ControllerPort.ToString(CultureInfo.InvariantCulture)}
            SlurmUser=slurm
            SlurmctldLogFile=/var/log/slurm/slurmctld.log
            SlurmdLogFile=/var/log/slurmd.log
            SlurmctldPidFile=/run/slurmctld.pid
            SlurmdPidFile=/run/slurmd.pid
            StateSaveLocation=/var/spool/slurm
            SlurmdSpoolDir=/var/spool/slurmd
            AuthType=auth/munge
            AuthAltTypes=auth/jwt
            AuthAltParameters=jwt_key=/etc/slurm/{TokenKey}
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            JobAcctGatherType=jobacct_gather/none
            AccountingStorageType=accounting_storage/none
            MpiDefault=none
            SchedulerType=sched/backfill
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            ReturnToService=2
            SlurmdTimeout=30
            MessageTimeout=30
            MinJobAge=3600
            JobRequeue=1

            """);
        foreach (var node in workers)
            text.Append(CultureInfo.InvariantCulture, $"NodeName={node.Name} NodeAddr={node.Ip} CPUs={Math.Max(1, node.Inventory?.Cpus ?? 1)} RealMemory={MemoryOf(node)} State=UNKNOWN\n");
        if (workers.Count > 0) text.Append("PartitionName=grid Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n");
        return text.ToString();
    }

    /// <summary>What a kernel counts as memory changes a little from boot to boot, and Slurm takes a node out that has less than it was told.</summary>
    static long MemoryOf(Node node) => Math.Max(1, (node.Inventory?.MemoryMiB ?? 1) * 9 / 10);
}
