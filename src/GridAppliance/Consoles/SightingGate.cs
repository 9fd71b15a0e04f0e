namespace GridAppliance.Consoles;

/// <summary>Lets each kind of sight of one console through once in a while: a machine that panics in a loop, or an Enter key held down at a login prompt, is one story.</summary>
sealed class SightingGate(TimeProvider time)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    // Kinds are a dozen.
    readonly Dictionary<string, DateTimeOffset> told = new(StringComparer.Ordinal);

    public bool Admit(in ConsoleSighting sighting)
    {
        var now = time.GetUtcNow();
        lock (told)
        {
            if (told.TryGetValue(sighting.Kind, out var last) && now - last < Pause) return false;
            told[sighting.Kind] = now;
            return true;
        }
    }
}
