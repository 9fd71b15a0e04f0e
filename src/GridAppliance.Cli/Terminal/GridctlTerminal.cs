using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GridAppliance.Api;
using Spectre.Console;

namespace GridAppliance.Cli.Terminal;

/// <summary>
/// The only way out to the terminal. Everything that passes is neutralised here (<see cref="SafeText"/>), so that no command can forget it; colour is applied after that.
/// Results go to <see cref="Out"/>, remarks and progress to <see cref="Error"/>.
/// </summary>
sealed class GridctlTerminal
{
    // Wide enough that a redirected table never wraps: its reader is a program or a pager.
    const int RedirectedWidth = 4096;

    static readonly ApiJson Indented = new(new JsonSerializerOptions(ApiJson.Default.Options) { WriteIndented = true });

    readonly IAnsiConsole console;
    readonly TextReader input;

    public GridctlTerminal(TextWriter output, TextWriter error, TextReader input, bool interactive)
    {
        (Out, Error, this.input, Interactive) = (output, error, input, interactive);
        console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(output),
            Interactive = InteractionSupport.No,
            Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        if (!interactive) console.Profile.Width = RedirectedWidth;
    }

    public static GridctlTerminal OfProcess() =>
        new(Console.Out, Console.Error, Console.In, interactive: !Console.IsOutputRedirected && !Console.IsInputRedirected && !Console.IsErrorRedirected) { Raw = RawTerminal.OfProcess };

    /// <summary>The terminal itself, for a command that carries octets between it and a node; null where there is none.</summary>
    public Func<RawTerminal?> Raw { get; init; } = static () => null;

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>A person is at both ends: may be asked, and shown a line that changes.</summary>
    public bool Interactive { get; }

    public void Line(string text) => Out.WriteLine(SafeText.Neutralise(text));

    /// <summary>A node's words as they flow, with their line ends; everything else in them is neutralised as anywhere.</summary>
    public void Flow(string text)
    {
        Out.Write(string.Join('\n', text.Split('\n').Select(static line => SafeText.Neutralise(line.Replace("\r", "", StringComparison.Ordinal).Replace('\t', ' ')))));
        Out.Flush();
    }

    public void Line(Cell text)
    {
        console.Write(Text(text));
        console.WriteLine();
    }

    /// <summary><c>node: value</c>, which can be sorted and collated.</summary>
    public void NodeLine(string node, Cell value)
    {
        console.Write(Text(node + ": "));
        Line(value);
    }

    public void Blank() => Out.WriteLine();

    public void Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<Cell>> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        // Padding on the right only, so that the first column begins at the margin.
        foreach (var header in headers) table.AddColumn(new TableColumn(Text(new(header, Tone.Faint))) { Padding = new(0, 0, 2, 0), NoWrap = !Interactive });
        foreach (var row in rows) table.AddRow(row.Select(Text));
        console.Write(table);
    }

    /// <summary>Labels and values, aligned; values that are null are left out.</summary>
    public void Facts(IEnumerable<(string Label, Cell? Value)> facts)
    {
        var there = facts.Where(fact => fact.Value is not null).ToList();
        var width = there.Count == 0 ? 0 : there.Max(fact => fact.Label.Length);
        foreach (var (label, value) in there)
        {
            console.Write(Text(new(label.PadRight(width + 2), Tone.Faint)));
            Line(value!.Value);
        }
    }

    public void Json<T>(T document, JsonTypeInfo<T> type) => Out.WriteLine(JsonSerializer.Serialize(document, Indented.GetTypeInfo(type.Type)!));

    /// <summary>One document, one line: for streams.</summary>
    public void JsonLine<T>(T document, JsonTypeInfo<T> type)
    {
        Out.WriteLine(JsonSerializer.Serialize(document, type));
        Out.Flush();
    }

    public void Note(string text) => Error.WriteLine(SafeText.Neutralise(text));

    public void Complain(string what, string? nextStep)
    {
        Error.WriteLine($"gridctl: {SafeText.Neutralise(what)}");
        if (nextStep is not null) Error.WriteLine($"  → {SafeText.Neutralise(nextStep)}");
    }

    /// <summary>Rewrites one line of the error stream; an empty text clears it. Only for people.</summary>
    public void Progress(string text)
    {
        if (!Interactive) return;
        var safe = SafeText.Neutralise(text);
        var room = Math.Max(20, console.Profile.Width - 1);
        Error.Write($"\r\e[K{(safe.Length > room ? safe[..(room - 1)] + "…" : safe)}");
        Error.Flush();
    }

    public bool Confirm(string question)
    {
        Error.Write($"{SafeText.Neutralise(question)} [y/N] ");
        Error.Flush();
        return input.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>Standard input to its end.</summary>
    public string Everything() => input.ReadToEnd();

    /// <summary>Something that must not be seen: a line of standard input when that is no terminal, else typed after <paramref name="prompt"/> without an echo.</summary>
    /// <returns>Null when there is nothing to read.</returns>
    public string? Secret(string prompt)
    {
        if (!ReferenceEquals(input, Console.In) || Console.IsInputRedirected) return input.ReadLine();
        Error.Write(SafeText.Neutralise(prompt));
        Error.Flush();
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }
        Error.WriteLine();
        return typed.ToString();
    }

    static Text Text(Cell cell) => new(SafeText.Neutralise(cell.Text), cell.Tone switch
    {
        Tone.Plain => Style.Plain,
        Tone.Faint => new(Color.Grey),
        Tone.Good => new(Color.Green),
        Tone.Busy => new(Color.Blue),
        Tone.Warning => new(Color.Yellow),
        Tone.Bad => new(Color.Red),
        Tone.Strong => new(decoration: Decoration.Bold),
    });
}

/// <summary>Text and how it is meant; the colour is the terminal's business.</summary>
readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}

enum Tone { Plain, Faint, Good, Busy, Warning, Bad, Strong }
