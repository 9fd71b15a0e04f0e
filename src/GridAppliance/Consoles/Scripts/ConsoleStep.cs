using System.Text.RegularExpressions;

namespace GridAppliance.Consoles.Scripts;

/// <summary>One step at a console.</summary>
abstract record ConsoleStep
{
    /// <summary>Waits for text that fits.</summary>
    public sealed record Expect(Regex Pattern, TimeSpan Within) : ConsoleStep
    {
        public override string ToString() => $"waits for {Pattern}";
    }

    /// <summary>Types.</summary>
    public sealed record Send(string Text) : ConsoleStep
    {
        public override string ToString() => $"types {Show(Text)}";
    }

    /// <summary>Types the same again and again until text fits: for a firmware that looks at its line for a moment only.</summary>
    public sealed record Press(string Text, TimeSpan Every, Regex Until, TimeSpan Within) : ConsoleStep
    {
        public override string ToString() => $"presses {Show(Text)} until {Until}";
    }

    /// <summary>Answers every question that fits until other text does.</summary>
    public sealed record Answer(Regex Question, string Text, Regex Until, TimeSpan Within) : ConsoleStep
    {
        public override string ToString() => $"answers {Question} with {Show(Text)} until {Until}";
    }

    /// <summary>A serial break.</summary>
    /// <param name="IsNeeded">Without it the script is over, rather than gone on with: a machine at its prompt needs none.</param>
    public sealed record Break(bool IsNeeded) : ConsoleStep
    {
        public override string ToString() => IsNeeded ? "sends a break" : "sends a break if the line carries one";
    }

    public sealed record SysRq(char Key) : ConsoleStep
    {
        public override string ToString() => $"sends SysRq {Key}";
    }

    /// <summary>A far end needs a moment after some keys, and says nothing.</summary>
    public sealed record Pause(TimeSpan For) : ConsoleStep
    {
        public override string ToString() => $"waits {For.TotalSeconds:0.#} s";
    }

    static string Show(string text) => $"'{string.Concat(text.Select(c => char.IsControl(c) ? c == '\r' ? "⏎" : $"^{(char)(c | 0x40)}" : c.ToString()))}'";
}

/// <summary>What to do at a console, as data.</summary>
/// <param name="Name">Letters, digits and hyphens.</param>
/// <param name="About">One sentence: what for.</param>
/// <param name="Steps">In order.</param>
sealed record ConsoleScript(string Name, string About, IReadOnlyList<ConsoleStep> Steps);
