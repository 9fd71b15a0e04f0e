namespace GridAppliance.Agent.Modules;

/// <summary>
/// Why something is not well, in words; the default value says that it is. A value and no bare text: what an asynchronous method needs that returns a reference, or a generic value with one inside, is
/// not compiled ahead but on the node, at its first installation (docs/agent-size.md).
/// </summary>
readonly record struct Trouble(string? Reason)
{
    public bool IsNone => Reason is null;

    public static implicit operator Trouble(string? reason) => new(reason);
}
