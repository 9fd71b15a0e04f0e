using GridAppliance.Agent.Resources;
using GridAppliance.Api.Resources;

namespace GridAppliance.Tests.Agent;

/// <summary>The kernel's part: groups with their limits, which live on when the agent dies and go when the machine does. A test says when it fails.</summary>
sealed class ScriptedGroups : IControlGroups
{
    readonly Dictionary<string, HoldingRecord> groups = [];

    public string? Missing { get; set; }

    /// <summary>Called before each change; throws what a test wants to happen.</summary>
    public Action<string>? Before { get; set; }

    public IReadOnlyDictionary<string, HoldingRecord> InForce => groups;

    public string? Lack() => Missing;

    public string PathOf(string id) => $"/nowhere/H-{id}";

    public void Make(HoldingRecord holding)
    {
        Before?.Invoke("make");
        groups[holding.Id] = holding;
        Before?.Invoke("made");
    }

    public Task EndAsync(string id, TimeProvider clock, CancellationToken cancellationToken)
    {
        Before?.Invoke("end");
        groups.Remove(id);
        Before?.Invoke("ended");
        return Task.CompletedTask;
    }

    public List<(string From, string Module, string? To)> Moved { get; } = [];

    public void Move(string id, string module, string? to)
    {
        Before?.Invoke("move");
        Moved.Add((id, module, to));
    }

    public IReadOnlyList<string> Existing() => [.. groups.Keys];

    public HoldingUsage? Usage(string id) => groups.ContainsKey(id) ? new() { MemoryMiB = 7, CpuSeconds = 1.5, Processes = 1 } : null;

    /// <summary>Another boot.</summary>
    public void Clear() => groups.Clear();
}
