using System.ComponentModel;
using System.Runtime.InteropServices;
using GridAppliance.Agent.Native;

namespace GridAppliance.Agent.Modules.Changes;

/// <summary>The kernel that runs.</summary>
sealed class LinuxKernel : INodeKernel
{
    const int NonBlocking = 0x800;
    const string Loaded = "/proc/modules";
    static readonly TimeSpan LoadLimit = TimeSpan.FromSeconds(20);
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    /// <summary>How modules are called that the kernel loads by itself when a rule asks for them.</summary>
    static readonly string[] firewallFamilies = ["nf_", "nft_", "nfnetlink", "xt_", "x_tables", "ip_set", "ip_tables", "ip6_tables", "libcrc32c"];

    public string? ReadSysctl(string name) => File.Exists(SysctlFile(name)) ? File.ReadAllText(SysctlFile(name)).TrimEnd('\n') : null;

    public void WriteSysctl(string name, string value)
    {
        try { File.WriteAllText(SysctlFile(name), value + "\n"); }
        catch (IOException e) { throw new IOException($"the kernel does not take {value} for {name}: {e.Message}"); }
    }

    public bool IsLoaded(string module) => File.Exists(Loaded) && File.ReadLines(Loaded).Any(line => line.StartsWith(Plain(module) + " ", StringComparison.Ordinal));

    public IReadOnlyList<string> LoadOrder(string module)
    {
        if (IsLoaded(module)) return [Plain(module)];
        if (IsBuiltIn(module)) return [];
        var line = Lines("modules.dep").FirstOrDefault(line => NameOf(line.Split(':')[0]) == Plain(module)) ?? throw new IOException($"this node's kernel has no module {module}");
        // modules.dep names what must be there first last.
        return [.. line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries).Reverse().Select(NameOf)];
    }

    public void Load(string module)
    {
        NodeTool.Run(LoadLimit, out var said, "modprobe", module);
        if (!IsLoaded(module)) throw new IOException($"the kernel module {module} cannot be loaded: {said}");
    }

    public bool TryUnload(string module, TimeSpan patience)
    {
        for (var looks = (int)(patience / LookAgain); IsLoaded(module) && Libc.SystemCall(Libc.DeleteModule, Plain(module), NonBlocking) != 0; looks--)
        {
            if (Marshal.GetLastPInvokeError() is var error && error is not (Libc.TryAgain or Libc.Busy)) throw new IOException($"the kernel module {module} cannot be unloaded: {new Win32Exception(error).Message}");
            if (looks <= 0) return false;
            Thread.Sleep(LookAgain);
        }
        return true;
    }

    public IReadOnlyList<string> FirewallModules() =>
        !File.Exists(Loaded) ? [] : [.. File.ReadLines(Loaded).Select(line => line.Split(' ')[0]).Where(name => firewallFamilies.Any(family => name.StartsWith(family, StringComparison.Ordinal)))];

    // Without nf_tables there is no table; asking would make the kernel load it.
    public bool HasTable(string table) => (IsLoaded("nf_tables") || IsBuiltIn("nf_tables")) && Netfilter.HasTable(table);

    public void DeleteTable(string table) => Netfilter.DeleteTable(table);

    static bool IsBuiltIn(string module) => !File.Exists(Loaded) || Lines("modules.builtin").Any(path => NameOf(path) == Plain(module));

    static string[] Lines(string index)
    {
        var path = Path.Combine("/lib/modules", File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), index);
        return File.Exists(path) ? File.ReadAllLines(path) : [];
    }

    static string SysctlFile(string name) => Path.Combine("/proc/sys", name.Replace('.', '/'));

    static string NameOf(string path) => Plain(Path.GetFileName(path).Split('.')[0]);

    static string Plain(string module) => module.Replace('-', '_');
}
