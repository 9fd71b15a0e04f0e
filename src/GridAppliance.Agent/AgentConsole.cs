namespace GridAppliance.Agent;

/// <summary>The agent's voice: short lines on the machine's console, each said once until something else was said.</summary>
sealed class AgentConsole(TextWriter writer)
{
    readonly Lock gate = new();
    string? last;

    public void Say(string line)
    {
        lock (gate)
        {
            if (line == last) return;
            last = line;
            writer.Write($"grid: {line}\n");
            writer.Flush();
        }
    }
}
