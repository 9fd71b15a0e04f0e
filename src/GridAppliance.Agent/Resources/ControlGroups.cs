using System.Globalization;
using System.Text;
using GridAppliance.Agent.Inventory;
using GridAppliance.Api.Resources;

namespace GridAppliance.Agent.Resources;

/// <summary>Where limits come into force: the kernel's control groups on a node, a list in a test.</summary>
interface IControlGroups
{
    /// <summary>What this kernel lacks to enforce limits, or null.</summary>
    string? Lack();

    /// <summary>Where a program goes that runs under this holding's limits.</summary>
    string PathOf(string id);

    /// <summary>Makes the group, or sets the limits of the one that is there.</summary>
    void Make(HoldingRecord holding);

    /// <summary>Ends every process in the group and the group itself; nothing to do when there is none.</summary>
    /// <exception cref="IOException">Something of it is still there.</exception>
    Task EndAsync(string id, TimeProvider clock, CancellationToken cancellationToken);

    /// <summary>Moves what runs of a module under this holding's limits under another's, or, for null, out of all.</summary>
    /// <exception cref="IOException">Something of it could not be moved.</exception>
    void Move(string id, string module, string? to);

    IReadOnlyList<string> Existing();

    HoldingUsage? Usage(string id);
}

/// <summary>
/// Version 2 of control groups (Documentation/admin-guide/cgroup-v2.rst in the kernel): <c>grid/H-ID/</c> carries the limits, and the modules' own groups below it inherit them.
/// Modules that nobody allocated run beside, in <c>grid/NAME</c>; no module's name begins with a capital.
/// </summary>
/// <param name="paths">The node.</param>
/// <param name="accelerators">PCI addresses of what only those use who hold it; none for a node without.</param>
sealed class ControlGroups(AgentPaths paths, IReadOnlyList<string>? accelerators = null) : IControlGroups
{
    const string Prefix = "H-";
    /// <summary>A fork bomb's end.</summary>
    const int MostProcesses = 4096;
    const int Period = 100_000;   // microseconds, the kernel's own default
    static readonly string[] Needed = ["cpuset", "cpu", "memory", "pids"];
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);
    const int MostLooks = 250, MostRounds = 50;
    /// <summary>What grid-run gives those who run in nobody's limits, and those who do in somebody's: whom the kernel ends first when memory is full (Documentation/filesystems/proc in the kernel, 3.1).</summary>
    const string EndedFirst = "500", EndedInTurn = "0";

    readonly string root = Path.GetDirectoryName(paths.ControlGroups)!;

    public string? Lack()
    {
        if (SystemFiles.Text(root, "cgroup.controllers") is not { } present) return "this node's kernel has no control groups of version 2: limits could not be enforced";
        var missing = Needed.Except(present.Split(' ')).ToList();
        return missing.Count == 0 ? null : $"this node's kernel has no {string.Join(", ", missing)} controller: limits could not be enforced";
    }

    public string PathOf(string id) => Path.Combine(paths.ControlGroups, Prefix + id);

    public void Make(HoldingRecord holding)
    {
        var available = SystemFiles.Text(root, "cgroup.controllers")?.Split(' ') ?? [];
        var enable = string.Join(' ', Needed.Append("io").Intersect(available).Select(controller => "+" + controller));
        Write(root, "cgroup.subtree_control", enable);
        Directory.CreateDirectory(paths.ControlGroups);
        Write(paths.ControlGroups, "cgroup.subtree_control", enable);
        var group = PathOf(holding.Id);
        Directory.CreateDirectory(group);
        Write(group, "cpuset.cpus", string.Join(',', holding.Cpus));
        Write(group, "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{(long)holding.Cpus.Count * Period} {Period}"));
        Write(group, "memory.max", holding.Amounts.MemoryMiB == 0 ? "max" : (holding.Amounts.MemoryMiB << 20).ToString(CultureInfo.InvariantCulture));
        // Without it the limit would only push the owner's memory out to a disk that is everybody's.
        if (File.Exists(Path.Combine(group, "memory.swap.max"))) Write(group, "memory.swap.max", "0");
        Write(group, "pids.max", MostProcesses.ToString(CultureInfo.InvariantCulture));
        // Shares of a disk by the space that is held of it, where the kernel's scheduler knows weights.
        if (holding.Amounts.DiskMiB > 0 && File.Exists(Path.Combine(group, "io.weight"))) Write(group, "io.weight", "default 100");
        Fence(group, holding.Accelerators);
        Gather(holding, group);
    }

    /// <summary>Keeps what runs in a group from the accelerators that it does not hold.</summary>
    /// <exception cref="IOException">This kernel cannot.</exception>
    public void Fence(string group, IReadOnlyList<string> held)
    {
        if (accelerators is { Count: > 0 }) DeviceFence.Close(group, [.. accelerators.Except(held).SelectMany(address => DeviceFence.NumbersOf(paths, address))]);
    }

    public async Task EndAsync(string id, TimeProvider clock, CancellationToken cancellationToken)
    {
        var group = PathOf(id);
        if (!Directory.Exists(group)) return;
        for (var look = 0; ; look++)
        {
            try
            {
                // Each time: a program that was ended may have been started once more by then.
                Write(group, "cgroup.kill", "1");
                foreach (var below in Directory.GetDirectories(group)) Directory.Delete(below);
                Directory.Delete(group);
                return;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && !Directory.Exists(group)) { return; }
            catch (IOException) when (look < MostLooks)
            {
                // The kernel is still burying them.
                await Task.Delay(LookAgain, clock, cancellationToken);
            }
        }
    }

    public IReadOnlyList<string> Existing() => Directory.Exists(paths.ControlGroups)
        ? [.. Directory.GetDirectories(paths.ControlGroups, Prefix + "*").Select(path => Path.GetFileName(path)[Prefix.Length..])]
        : [];

    public HoldingUsage? Usage(string id)
    {
        var group = PathOf(id);
        if (SystemFiles.Number(group, "memory.current") is not { } memory) return null;
        var used = SystemFiles.Text(group, "cpu.stat")?.Split('\n').FirstOrDefault(line => line.StartsWith("usage_usec ", StringComparison.Ordinal))?.Split(' ')[1];
        return new()
        {
            MemoryMiB = memory >> 20, Processes = (int)(SystemFiles.Number(group, "pids.current") ?? 0),
            CpuSeconds = Math.Round(long.TryParse(used, CultureInfo.InvariantCulture, out var microseconds) ? microseconds / 1e6 : 0, 1),
        };
    }

    /// <summary>Programs of his modules that run outside already come in.</summary>
    void Gather(HoldingRecord holding, string group)
    {
        foreach (var module in holding.Modules) MoveAll(Path.Combine(paths.ControlGroups, module), Path.Combine(group, module), EndedInTurn);
    }

    public void Move(string id, string module, string? to)
    {
        var from = Path.Combine(PathOf(id), module);
        var target = Path.Combine(to is null ? paths.ControlGroups : PathOf(to), module);
        if (!Directory.Exists(from)) return;
        if (to is null) Fence(Directory.CreateDirectory(target).FullName, []);
        MoveAll(from, target, to is null ? EndedFirst : EndedInTurn);
    }

    /// <summary>Until nobody is left: those that are moved may be having children. What memory they have stays on the account of where they got it.</summary>
    static void MoveAll(string from, string to, string score)
    {
        for (var round = 0; SystemFiles.Text(from, "cgroup.procs") is { Length: > 0 } processes; round++)
        {
            if (round == MostRounds) throw new IOException($"what runs in {from} does not come out of it");
            Directory.CreateDirectory(to);
            foreach (var process in processes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                try
                {
                    Write(to, "cgroup.procs", process);
                    Write($"/proc/{process}", "oom_score_adj", score);
                }
                catch (IOException) { /* it ended meanwhile */ }
            }
        }
    }

    // One write(2), as these files want it; an error of the kernel's (a limit that it does not accept) is an IOException.
    static void Write(string group, string file, string value)
    {
        using var stream = new FileStream(Path.Combine(group, file), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });
        stream.Write(Encoding.ASCII.GetBytes(value));
    }
}
