namespace GridAppliance.Cli.Consoles;

/// <summary>What a person does at a console.</summary>
abstract record ConsoleAction
{
    public sealed record Type(ReadOnlyMemory<byte> Octets) : ConsoleAction;
    public sealed record Break : ConsoleAction;
    public sealed record SysRq(char Key) : ConsoleAction;
    public sealed record Power(string Verb) : ConsoleAction;
    public sealed record TakeOver : ConsoleAction;
    public sealed record Release : ConsoleAction;
    public sealed record Quit : ConsoleAction;
    public sealed record Help : ConsoleAction;
    /// <summary>The next key means something else: say what it may be.</summary>
    public sealed record Ask(string Question) : ConsoleAction;
    public sealed record Unknown(byte Key) : ConsoleAction;
}

/// <summary>Finds the escape character in what is typed, and what the keys after it ask for. Twice, it is typed itself.</summary>
/// <param name="escape">The escape character; null for none.</param>
sealed class ConsoleEscape(byte? escape)
{
    public const byte Default = 0x1d;

    enum Place { Typing, Menu, SysRq, Power }

    Place place;

    /// <summary><c>^]</c>, <c>^A</c> … or <c>none</c>.</summary>
    public static bool TryParse(string text, out byte? escape)
    {
        escape = null;
        if (text == "none") return true;
        if (text is not ['^', var key] || char.ToUpperInvariant(key) is not (>= '@' and <= '_')) return false;
        escape = (byte)(char.ToUpperInvariant(key) & 0x1f);
        return true;
    }

    public static string Name(byte escape) => $"Ctrl-{(char)(escape | 0x40)}";

    public IEnumerable<ConsoleAction> Feed(ReadOnlyMemory<byte> typed)
    {
        var start = 0;
        for (var i = 0; i < typed.Length; i++)
        {
            var key = typed.Span[i];
            if (place == Place.Typing)
            {
                if (key != escape) continue;
                if (i > start) yield return new ConsoleAction.Type(typed[start..i]);
                place = Place.Menu;
            }
            else
            {
                yield return Next(key);
            }
            start = i + 1;
        }
        if (start < typed.Length) yield return new ConsoleAction.Type(typed[start..]);
    }

    ConsoleAction Next(byte key)
    {
        var before = place;
        place = Place.Typing;
        if (before == Place.SysRq) return char.IsAsciiLetterOrDigit((char)key) ? new ConsoleAction.SysRq((char)key) : new ConsoleAction.Unknown(key);
        if (before == Place.Power) return Verb(key) is { } verb ? new ConsoleAction.Power(verb) : new ConsoleAction.Unknown(key);
        if (key == escape) return new ConsoleAction.Type(new[] { key });
        switch ((char)key)
        {
            case 's':
                place = Place.SysRq;
                return new ConsoleAction.Ask("SysRq key (b reboot, s sync, t tasks, c crash, …)?");
            case 'p':
                place = Place.Power;
                return new ConsoleAction.Ask("power: (o)n, o(f)f, (d) shut down, (c)ycle, (r)eset, (s)tatus?");
            case 'b': return new ConsoleAction.Break();
            case 't': return new ConsoleAction.TakeOver();
            case 'r': return new ConsoleAction.Release();
            case 'q' or '.': return new ConsoleAction.Quit();
            case 'h' or '?': return new ConsoleAction.Help();
            default: return new ConsoleAction.Unknown(key);
        }
    }

    static string? Verb(byte key) => (char)key switch { 'o' => "on", 'f' => "off", 'd' => "soft", 'c' => "cycle", 'r' => "reset", 's' => "status", _ => null };
}
