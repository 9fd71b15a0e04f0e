using System.Globalization;
using System.Text.RegularExpressions;
using GridAppliance.Hosting.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace GridAppliance.Consoles.Scripts;

/// <summary>Reads a script: <c>about</c> and <c>steps</c>, each step one of the kinds of <see cref="ConsoleStep"/>. Every problem is told with its line.</summary>
static partial class ConsoleScriptFile
{
    const int MostSteps = 100;

    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50), Longest = TimeSpan.FromHours(1);
    static readonly TimeSpan UsualWait = TimeSpan.FromSeconds(30), UsualEvery = TimeSpan.FromSeconds(1);

    public static bool IsName(string name) => name.Length is > 0 and <= 60 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    public static (ConsoleScript? Script, IReadOnlyList<ConfigurationProblem> Problems) Read(string name, string yaml, string file)
    {
        var problems = new List<ConfigurationProblem>();
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents is not [{ RootNode: YamlMappingNode root }]) return (null, [new(file, 1, "", "must be one document with about and steps")]);
            var section = new YamlSection(root, "", 1, file, problems);
            var about = section.Text("about", required: true) ?? "";
            var sections = section.Sections("steps").ToList();
            if (sections.Count is 0 or > MostSteps) section.Problem("steps", $"there are between 1 and {MostSteps} steps");
            var steps = sections.Select(Step).OfType<ConsoleStep>().ToList();
            section.RejectUnknown();
            return problems.Count == 0 ? (new(name, about, steps), []) : (null, problems);
        }
        catch (YamlException e)
        {
            return (null, [new(file, (int)e.Start.Line, "", $"is not YAML: {e.InnerException?.Message ?? e.Message}")]);
        }
    }

    static ConsoleStep? Step(YamlSection step)
    {
        string[] kinds = ["expect", "send", "press", "answer", "break", "sysrq", "pause"];
        var named = kinds.Where(step.Has).ToList();
        if (named.Count != 1)
        {
            step.Problem(kinds[0], $"a step is one of {string.Join(", ", kinds)}");
            return null;
        }
        var read = Read(step, named[0]);
        step.RejectUnknown();
        return read;
    }

    static ConsoleStep? Read(YamlSection step, string kind) => kind switch
    {
        "expect" => Pattern(step, "expect") is { } awaited ? new ConsoleStep.Expect(awaited, Time(step, "within", UsualWait)) : null,
        "send" => Typed(step, "send") is { } text ? new ConsoleStep.Send(text) : null,
        "press" => (Typed(step, "press"), Time(step, "every", UsualEvery), Pattern(step, "until"), Time(step, "within", UsualWait)) is ({ } text, var every, { } until, var within)
            ? new ConsoleStep.Press(text, every, until, within) : null,
        "answer" => (Pattern(step, "answer"), Typed(step, "with"), Pattern(step, "until"), Time(step, "within", UsualWait)) is ({ } question, { } text, { } until, var within)
            ? new ConsoleStep.Answer(question, text, until, within) : null,
        "break" => Break(step),
        "sysrq" => SysRq(step),
        "pause" => new ConsoleStep.Pause(Time(step, "pause", UsualEvery)),
        _ => throw new InvalidOperationException("a kind of step that nobody reads"),
    };

    static ConsoleStep.Break? Break(YamlSection step)
    {
        if (step.Text("break") is ("true" or "if-possible") and var text) return new(IsNeeded: text == "true");
        step.Problem("break", "is true, or if-possible");
        return null;
    }

    static ConsoleStep.SysRq? SysRq(YamlSection step)
    {
        if (step.Text("sysrq") is [var key] && char.IsAsciiLetterOrDigit(key)) return new(key);
        step.Problem("sysrq", "is one letter or digit");
        return null;
    }

    /// <summary>What is typed, in YAML's own escapes: <c>"boot net\r"</c>, <c>"\x03"</c>.</summary>
    static string? Typed(YamlSection step, string key)
    {
        var text = step.Text(key, required: true);
        if (text is null || text.Length <= 1000 && !text.Contains('\n', StringComparison.Ordinal)) return text;
        step.Problem(key, "is at most 1000 characters, and ends a line with \\r");
        return null;
    }

    static Regex? Pattern(YamlSection step, string key)
    {
        if (step.Text(key, required: true) is not { } text) return null;
        try
        {
            return new(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            step.Problem(key, $"is no regular expression that can be used here: {e.Message}");
            return null;
        }
    }

    /// <summary>Tenths matter here: <c>500ms</c> beside <c>30s</c> and <c>10m</c>.</summary>
    static TimeSpan Time(YamlSection step, string key, TimeSpan otherwise)
    {
        if (step.Text(key) is not { } text) return otherwise;
        var time = Milliseconds().Match(text) is { Success: true } match ? TimeSpan.FromMilliseconds(int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture))
            : DurationText.TryParse(text, out var read) ? read : TimeSpan.Zero;
        if (time >= Shortest && time <= Longest) return time;
        step.Problem(key, $"'{text}' is no time between 50ms and 1h");
        return otherwise;
    }

    [GeneratedRegex(@"^(\d{1,6})ms$")]
    private static partial Regex Milliseconds();
}
