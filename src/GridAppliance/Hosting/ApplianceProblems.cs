using System.Collections.Concurrent;
using GridAppliance.Api;

namespace GridAppliance.Hosting;

/// <summary>What is wrong with the appliance itself, for the status page's banner: each code at most once, gone when it is mended.</summary>
sealed class ApplianceProblems(TimeProvider time)
{
    readonly ConcurrentDictionary<string, ApplianceProblemDocument> problems = new(StringComparer.Ordinal);

    public IReadOnlyList<ApplianceProblemDocument> All => [.. problems.Values.OrderBy(p => p.Since)];

    /// <param name="code">Stable and dotted; raising one that is raised keeps its time and renews its words.</param>
    public void Raise(string code, string message, string? nextStep) => problems.AddOrUpdate(code,
        _ => new() { Code = code, Message = message, NextStep = nextStep, Since = time.GetUtcNow() },
        (_, before) => before with { Message = message, NextStep = nextStep });

    public void Clear(string code) => problems.TryRemove(code, out _);
}
