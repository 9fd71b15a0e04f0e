using GridAppliance.Api.Modules;

namespace GridAppliance.Modules;

/// <summary>What must be installed before a module can be: the needed before those that need them.</summary>
static class ModuleNeedsPlan
{
    /// <summary>The names in the order in which they are installed, without the module itself.</summary>
    public static bool TryOrder(ModuleManifest module, Func<string, ModuleManifest?> find, out IReadOnlyList<string> before, out string problem)
    {
        var done = new List<string>();
        (before, problem) = (done, Visit(module, find, [], done) ?? "");
        done.Remove(module.Name);
        return problem.Length == 0;
    }

    /// <summary>The circle in which modules would need each other, once this one is there; null when there is none.</summary>
    public static string? Circle(ModuleManifest module, Func<string, ModuleManifest?> find) =>
        Visit(module, name => name == module.Name ? module : find(name) ?? new() { Name = name, Version = "0", Class = name }, [], []) is { } problem && problem.Contains(" → ", StringComparison.Ordinal) ? problem : null;

    static string? Visit(ModuleManifest module, Func<string, ModuleManifest?> find, List<string> way, List<string> done)
    {
        if (done.Contains(module.Name)) return null;
        if (way.Contains(module.Name)) return string.Join(" → ", [.. way.SkipWhile(name => name != module.Name), module.Name]);
        way.Add(module.Name);
        foreach (var need in module.Needs?.Modules ?? [])
        {
            if (find(need) is not { } needed) return $"{module.Name} needs {need}, which is not in the catalogue";
            if (Visit(needed, find, way, done) is { } problem) return problem;
        }
        way.Remove(module.Name);
        done.Add(module.Name);
        return null;
    }
}
