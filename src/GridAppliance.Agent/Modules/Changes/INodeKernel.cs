namespace GridAppliance.Agent.Modules.Changes;

/// <summary>The parts of a node's kernel that modules change for everybody. A test's node has one of its own.</summary>
interface INodeKernel
{
    /// <returns>Null when the kernel has no such setting.</returns>
    string? ReadSysctl(string name);
    void WriteSysctl(string name, string value);
    bool IsLoaded(string module);
    /// <summary>The module and what it depends on, in the order in which they are loaded; empty when it is built into the kernel.</summary>
    /// <exception cref="IOException">This node has no such module.</exception>
    IReadOnlyList<string> LoadOrder(string module);
    void Load(string module);
    /// <summary>Unloads a module, if it is loaded.</summary>
    /// <returns>Whether it is gone: false when somebody still uses it after all the patience.</returns>
    /// <exception cref="IOException">The kernel does not unload it, and not because it is in use.</exception>
    bool TryUnload(string module, TimeSpan patience);
    /// <summary>Loaded modules that belong to the kernel's firewall.</summary>
    IReadOnlyList<string> FirewallModules();
    bool HasTable(string table);
    void DeleteTable(string table);
}
