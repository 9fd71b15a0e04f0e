namespace GridAppliance.Lab.Troubles;

/// <summary>Every trouble that <c>gridlab break</c> can make.</summary>
static class TroubleCatalogue
{
    public static IReadOnlyList<ITrouble> All { get; } =
        [new RivalDhcp(), new CableInWrongPort(), new CablePulled(), new PanicAtBoot(), new DiskFull(), new KillAppliance(), new SlowNetwork(), new BmcDead(), new VlanLeak()];

    /// <summary>Reads <c>NAME [SERVER]</c>.</summary>
    /// <exception cref="LabException">There is no such trouble, or a server is named where none belongs or missing where one does.</exception>
    public static (ITrouble Trouble, string Server) Parse(IReadOnlyList<string> words)
    {
        var trouble = All.FirstOrDefault(t => words.Count > 0 && t.Name == words[0])
            ?? throw new LabException($"'{string.Join(' ', words)}' is no trouble gridlab can make. It can make:{Environment.NewLine}{List()}");
        if (words.Count != (trouble.NeedsServer ? 2 : 1))
            throw new LabException(trouble.NeedsServer ? $"Say which server: gridlab break {trouble.Name} n3" : $"'{trouble.Name}' happens to the whole lab: gridlab break {trouble.Name}");
        return (trouble, trouble.NeedsServer ? words[1] : "");
    }

    public static string List() => string.Join(Environment.NewLine, All.Select(t => $"  {t.Name + (t.NeedsServer ? " SERVER" : ""),-16} {t.Summary}"));
}
