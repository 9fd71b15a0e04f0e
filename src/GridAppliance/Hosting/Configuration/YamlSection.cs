using YamlDotNet.RepresentationModel;

namespace GridAppliance.Hosting.Configuration;

/// <summary>
/// A mapping of the file being read, with its path. Getters never throw: what is wrong goes onto the one list of problems with its line, and the caller gets a default and
/// goes on, so that a person sees every mistake at once.
/// </summary>
sealed class YamlSection(YamlMappingNode? mapping, string path, int line, string file, List<ConfigurationProblem> problems)
{
    readonly HashSet<string> asked = new(StringComparer.Ordinal);

    public bool Has(string key) => Node(key) is not null;

    public void Problem(string key, string message) => problems.Add(new(file, LineOf(key), PathOf(key), message));

    /// <summary>A scalar as text; null when absent (a problem too when <paramref name="required"/>).</summary>
    public string? Text(string key, bool required = false)
    {
        switch (Node(key))
        {
            case YamlScalarNode { Value: { Length: > 0 } value }:
                return value;
            case null or YamlScalarNode:
                if (required) Problem(key, "is required");
                return null;
            default:
                Problem(key, "must be a single value");
                return null;
        }
    }

    /// <summary>A value of a type that parses itself; <paramref name="example"/> shows a person what is meant.</summary>
    public T? Value<T>(string key, string example, bool required = false) where T : struct, ISpanParsable<T>
    {
        if (Text(key, required) is not { } text) return null;
        if (T.TryParse(text, null, out var value)) return value;
        Problem(key, $"'{text}' is not valid; write it like {example}");
        return null;
    }

    public T Choice<T>(string key, T otherwise) where T : struct, Enum
    {
        if (Text(key) is not { } text) return otherwise;
        foreach (var value in Enum.GetValues<T>())
            if (string.Equals(value.ToString(), text, StringComparison.OrdinalIgnoreCase)) return value;
        Problem(key, $"'{text}' is not one of {string.Join(", ", Enum.GetNames<T>().Select(n => n.ToLowerInvariant()))}");
        return otherwise;
    }

    public bool Flag(string key, bool otherwise)
    {
        if (Text(key) is not { } text) return otherwise;
        if (bool.TryParse(text, out var value)) return value;
        Problem(key, $"'{text}' is neither true nor false");
        return otherwise;
    }

    /// <summary>A duration such as <c>90s</c>, <c>10m</c>, <c>1h30m</c>, <c>7d</c>.</summary>
    public TimeSpan Duration(string key, TimeSpan otherwise, TimeSpan least, TimeSpan most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (!DurationText.TryParse(text, out var value))
        {
            Problem(key, $"'{text}' is not a duration; write it like 90s, 10m, 1h30m or 7d");
            return otherwise;
        }
        if (value >= least && value <= most) return value;
        Problem(key, $"'{text}' is outside {DurationText.Format(least)} to {DurationText.Format(most)}");
        return otherwise;
    }

    /// <summary>A size such as <c>64MiB</c>.</summary>
    public long Size(string key, long otherwise, long least, long most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (!SizeText.TryParse(text, out var value))
        {
            Problem(key, $"'{text}' is not a size; write it like 512KiB, 64MiB or 2GiB");
            return otherwise;
        }
        if (value >= least && value <= most) return value;
        Problem(key, $"'{text}' is outside {SizeText.Format(least)} to {SizeText.Format(most)}");
        return otherwise;
    }

    public YamlSection Section(string key)
    {
        switch (Node(key))
        {
            case YamlMappingNode child: return new(child, PathOf(key), LineOf(key), file, problems);
            case null: break;
            case var other:
                problems.Add(new(file, (int)other.Start.Line, PathOf(key), "must be a mapping of keys"));
                break;
        }
        return new(null, PathOf(key), line, file, problems);
    }

    /// <summary>The mappings of a list.</summary>
    public IEnumerable<YamlSection> Sections(string key)
    {
        var index = 0;
        foreach (var item in Items(key))
        {
            var itemPath = $"{PathOf(key)}[{index++}]";
            if (item is YamlMappingNode child) yield return new(child, itemPath, (int)item.Start.Line, file, problems);
            else problems.Add(new(file, (int)item.Start.Line, itemPath, "must be a mapping of keys"));
        }
    }

    /// <summary>The scalars of a list, each with a way to complain about it.</summary>
    public IEnumerable<(string Text, Action<string> Problem)> Texts(string key)
    {
        var index = 0;
        foreach (var item in Items(key))
        {
            var (itemPath, itemLine) = ($"{PathOf(key)}[{index++}]", (int)item.Start.Line);
            void Complain(string message) => problems.Add(new(file, itemLine, itemPath, message));
            if (item is YamlScalarNode { Value: { Length: > 0 } text }) yield return (text, Complain);
            else Complain("must be a single value");
        }
    }

    /// <summary>Call last: every key that nobody asked for is a problem, with the nearest known one as a hint.</summary>
    public void RejectUnknown()
    {
        if (mapping is null) return;
        foreach (var node in mapping.Children.Keys)
        {
            var key = (node as YamlScalarNode)?.Value ?? "";
            if (asked.Contains(key)) continue;
            var near = asked.MinBy(known => Distance(known, key));
            var hint = near is not null && Distance(near, key) <= 2 ? $"; did you mean '{near}'?" : $"; known here: {string.Join(", ", asked.Order(StringComparer.Ordinal))}";
            problems.Add(new(file, (int)node.Start.Line, PathOf(key), "is not a key that I know" + hint));
        }
    }

    IEnumerable<YamlNode> Items(string key)
    {
        switch (Node(key))
        {
            case YamlSequenceNode list: return list.Children;
            case null: return [];
            default: Problem(key, "must be a list"); return [];
        }
    }

    YamlNode? Node(string key)
    {
        asked.Add(key);
        return mapping is not null && mapping.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;
    }

    string PathOf(string key) => path.Length == 0 ? key : $"{path}.{key}";

    int LineOf(string key) => Node(key) is { } node ? (int)node.Start.Line : line;

    /// <summary>Levenshtein's distance, for "did you mean".</summary>
    static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], cost);
            }
        }
        return row[b.Length];
    }
}
