namespace GridAppliance.Agent.Modules;

/// <summary>How an order ended, in one sentence.</summary>
readonly record struct ModuleOutcome(bool Succeeded, string Message)
{
    public static ModuleOutcome Done(string message) => new(true, message);
    public static ModuleOutcome Refused(string message) => new(false, message);
}
