namespace GridAppliance.Hosting;

/// <summary>Why the daemon does not start: one sentence for people, and what to do about it.</summary>
sealed class StartupException(string message, string nextStep, Exception? inner = null) : Exception(message, inner)
{
    public string NextStep { get; } = nextStep;
}
