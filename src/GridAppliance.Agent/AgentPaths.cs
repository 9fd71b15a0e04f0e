namespace GridAppliance.Agent;

/// <summary>Where things are, below a root that is <c>/</c> on a node and a folder of its own in a test.</summary>
/// <param name="root">Where everything is below.</param>
/// <param name="isInstalled">On a machine that has an operating system of its own, who the node is outlives the boot: nobody brings it a new token then.</param>
sealed class AgentPaths(string root, bool isInstalled = false)
{
    public string Root => root;
    /// <summary>There on machines with an operating system of their own: the same words that a node finds on its kernel's command line.</summary>
    public string Configuration => Path.Combine(root, "etc/grid/agent.conf");
    string State => isInstalled ? Path.Combine(root, "var/lib/grid/identity") : Run;
    /// <summary>Boots that the kept key has seen, and which one was the last; see <see cref="Identity.KeptBoots"/>.</summary>
    public string? Boots => isInstalled ? Path.Combine(State, "boots") : null;
    /// <summary>Which root image this is; the tiny image has none.</summary>
    public string Image => Path.Combine(root, "etc/grid/image");
    /// <summary>Why the initramfs went on without the root image that it was told of.</summary>
    public string BootProblem => Path.Combine(root, "run/grid-root.problem");
    public bool IsInstalled => isInstalled;
    /// <summary>Starts modules' programs.</summary>
    public string Launcher => Path.Combine(root, isInstalled ? "usr/local/bin/grid-run" : "bin/grid-run");
    public string Proc => Path.Combine(root, "proc");
    public string Sys => Path.Combine(root, "sys");
    public string CommandLine => Path.Combine(Proc, "cmdline");
    public string BootId => Path.Combine(Proc, "sys/kernel/random/boot_id");

    /// <summary>Memory only: gone with the boot, kept over a restart of the agent.</summary>
    public string Run => Path.Combine(root, "run/grid-agent");
    public string Key => Path.Combine(State, "key");
    public string Enrolment => Path.Combine(State, "enrolment.json");
    public string Orders => Path.Combine(Run, "orders");
    public string Resources => Path.Combine(Run, "resources.json");
    public string Relation => Path.Combine(Run, "relation.json");
    public string Processes => Path.Combine(Run, "modules");

    /// <summary>What modules change in the kernel, before they do.</summary>
    public string Journal => Path.Combine(root, "var/lib/grid/journal");
    /// <summary>What modules write: see <see cref="Modules.Views.ModuleView"/>.</summary>
    public string Layers => Path.Combine(root, "var/lib/grid/layers");
    /// <summary>An update of the agent: what is tried, which process that is, and that it was accepted.</summary>
    public string AgentUpdate => Path.Combine(Run, "update.json");
    public string AgentTrial => Path.Combine(Run, "update.trial");
    public string AgentAccepted => Path.Combine(Run, "update.accepted");
    public string AgentUpdates => Path.Combine(root, "var/lib/grid/agent");

    public string Modules => Path.Combine(root, "var/lib/grid/modules");
    /// <summary>Root images that modules stand on: see <see cref="Modules.Views.RootImages"/>.</summary>
    public string Roots => Path.Combine(root, "var/lib/grid/roots");
    public string Incoming => Path.Combine(root, "var/lib/grid/incoming");
    public string ModuleLogs => Path.Combine(root, "var/log/grid");
    public string ControlGroups => Path.Combine(Sys, "fs/cgroup/grid");
}
