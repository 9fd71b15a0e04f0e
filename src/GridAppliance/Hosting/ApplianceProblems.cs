using System.Collections.Immutable;
using GridAppliance.Api;

namespace GridAppliance.Hosting;

/// <summary>What is wrong with the appliance itself, for the status page's banner: each code at most once, gone when it is mended.</summary>
sealed class ApplianceProblems(TimeProvider time)
{
    ImmutableDictionary<string, ApplianceProblemDocument> problems = ImmutableDictionary.Create<string, ApplianceProblemDocument>(StringComparer.Ordinal);

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<ApplianceProblemDocument> All => [.. Volatile.Read(ref problems).Values.OrderBy(p => p.Since)];

    /// <summary>Told of each problem once when it appears (true) and once when it is gone (false).</summary>
    public event Action<ApplianceProblemDocument, bool>? Changed;

    /// <param name="code">Stable and dotted; raising one that is raised keeps its time and renews its words.</param>
    /// <param name="message">One sentence: what is wrong.</param>
    /// <param name="nextStep">One sentence that starts with a verb: what to do.</param>
    public void Raise(string code, string message, string? nextStep)
    {
        var isNew = false;
        var raised = ImmutableInterlocked.AddOrUpdate(ref problems, code,
            _ => { isNew = true; return new() { Code = code, Message = message, NextStep = nextStep, Since = time.GetUtcNow() }; },
            (_, before) => { isNew = false; return before with { Message = message, NextStep = nextStep }; });
        if (isNew) Changed?.Invoke(raised, true);
    }

    public void Clear(string code)
    {
        if (ImmutableInterlocked.TryRemove(ref problems, code, out var gone)) Changed?.Invoke(gone, false);
    }
}
