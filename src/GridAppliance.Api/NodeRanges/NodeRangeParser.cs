using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace GridAppliance.Api.NodeRanges;

/// <summary>Recursive descent over the grammar on <see cref="NodeRange"/>; the first defect ends it.</summary>
sealed class NodeRangeParser(string text)
{
    static readonly TimeSpan RegexTimeout = TimeSpan.FromMilliseconds(200);

    int at;
    int factors;
    int names;
    NodeRangeDefect? defect;

    public bool TryParse([NotNullWhen(true)] out NodeRange? range, [NotNullWhen(false)] out NodeRangeDefect? why)
    {
        range = null;
        var terms = new List<RangeTerm>();
        if (text.Length > NodeRange.MaxLength) Fail($"longer than {NodeRange.MaxLength} characters");
        else if (string.IsNullOrWhiteSpace(text)) Fail("it is empty");
        else ReadTerms(terms);
        why = defect;
        if (why is not null) return false;
        range = new(text, terms);
        return true;
    }

    void ReadTerms(List<RangeTerm> terms)
    {
        do
        {
            SkipSpaces();
            var excludes = Take('-');
            if (excludes) SkipSpaces();
            if (ReadTerm(excludes) is not { } term) return;
            terms.Add(term);
            SkipSpaces();
            // `n[1-20]-n5` and `rack3 -n5` exclude without a comma; inside a word a hyphen is the word's own and never gets here.
        } while (at < text.Length && (Take(',') || text[at] == '-' || Fail($"'{text[at]}' is not expected here; join with ',', narrow with '@', exclude with '-'")));
    }

    RangeTerm? ReadTerm(bool excludes)
    {
        var read = new List<RangeFactor>();
        do
        {
            SkipSpaces();
            if (++factors > NodeRange.MaxFactors) { Fail($"more than {NodeRange.MaxFactors} parts"); return null; }
            if (ReadFactor() is not { } factor) return null;
            read.Add(factor);
            SkipSpaces();
        } while (Take('@'));
        return new(excludes, read);
    }

    RangeFactor? ReadFactor()
    {
        if (Take('~')) return ReadPattern("name");
        var start = at;
        while (at < text.Length && IsNameCharacter(text[at])) at++;
        var word = text[start..at];
        if (at < text.Length && text[at] is '=' or '!' && word.Length > 0) return ReadAttribute(word, start);
        if (at < text.Length && text[at] == '[') return ReadListed(start);
        if (word.Length == 0)
        {
            Fail(at < text.Length ? $"a name, '~' or an attribute is expected, not '{text[at]}'" : "a name, '~' or an attribute is expected at the end");
            return null;
        }
        return new RangeFactor.Word(word);
    }

    RangeFactor? ReadAttribute(string name, int start)
    {
        var negated = Take('!');
        if (!Take('=')) { Fail("'!' is followed by '='"); return null; }
        if (!NodeAttributes.Exists(name))
        {
            at = start;
            Fail($"there is no attribute '{name}'; there are {string.Join(", ", NodeAttributes.Names)}");
            return null;
        }
        if (!negated && Take('~')) return ReadPattern(name);
        var valueStart = at;
        while (at < text.Length && text[at] is not (',' or '@')) at++;
        var value = text[valueStart..at].TrimEnd();
        if (value.Length == 0) { Fail($"'{name}=' needs a value"); return null; }
        return new RangeFactor.Attribute(name, value, negated);
    }

    // A pattern ends at a ',' or '@' that stands outside of its own brackets.
    RangeFactor.Pattern? ReadPattern(string attribute)
    {
        var start = at;
        var depth = 0;
        for (; at < text.Length && (depth > 0 || text[at] is not (',' or '@')); at++)
        {
            if (text[at] == '\\') { at = Math.Min(at + 1, text.Length - 1); continue; }
            if (text[at] is '(' or '[' or '{') depth++;
            else if (text[at] is ')' or ']' or '}') depth--;
        }
        var pattern = text[start..at].TrimEnd();
        if (pattern.Length == 0) { Fail("'~' needs a pattern"); return null; }
        try
        {
            // NonBacktracking is linear in the input, whatever the pattern; the time-out is the belt to those braces.
            return new(attribute, new(pattern, RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, RegexTimeout));
        }
        catch (ArgumentException) { at = start; Fail($"'{pattern}' is not a regular expression"); return null; }
        catch (NotSupportedException) { at = start; Fail($"'{pattern}' uses look-around or back-references, or is too large, which ranges do without"); return null; }
    }

    // prefix[1-3,5]middle[01-04]suffix: every combination.
    RangeFactor.Listed? ReadListed(int start)
    {
        at = start;
        List<string> made = [""];
        while (at < text.Length && (IsNameCharacter(text[at]) || text[at] == '['))
        {
            if (text[at] == '[')
            {
                if (ReadBracket() is not { } counted) return null;
                if ((long)made.Count * counted.Count + names > NodeRange.MaxNames) { Fail($"it comes to more than {NodeRange.MaxNames} names"); return null; }
                made = [.. made.SelectMany(_ => counted, (prefix, number) => prefix + number)];
                if (at < text.Length && text[at] == '-') break;
                continue;
            }
            var literal = at;
            while (at < text.Length && IsNameCharacter(text[at])) at++;
            var between = text[literal..at];
            made = [.. made.Select(prefix => prefix + between)];
        }
        names += made.Count;
        return new(made);
    }

    List<string>? ReadBracket()
    {
        var open = at++;
        var counted = new List<string>();
        do
        {
            if (ReadNumber() is not { } first) return null;
            var last = Take('-') ? ReadNumber() : first;
            if (last is null) return null;
            var (from, to) = (int.Parse(first, CultureInfo.InvariantCulture), int.Parse(last, CultureInfo.InvariantCulture));
            if (to < from) { Fail($"{first}-{last} runs backwards"); return null; }
            if (to - from >= NodeRange.MaxNames - counted.Count) { Fail($"it comes to more than {NodeRange.MaxNames} names"); return null; }
            var width = first.StartsWith('0') ? "D" + first.Length : "D";
            for (var number = from; number <= to; number++) counted.Add(number.ToString(width, CultureInfo.InvariantCulture));
        } while (Take(','));
        if (Take(']')) return counted;
        if (at >= text.Length) at = open;
        Fail(at == open ? "'[' is not closed" : $"'{text[at]}' is not expected between '[' and ']'");
        return null;
    }

    string? ReadNumber()
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        if (at > start && at - start <= 9) return text[start..at];
        Fail(at == start ? "a number is expected" : "a number has at most 9 digits");
        return null;
    }

    static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':';

    bool Take(char c)
    {
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    void SkipSpaces() { while (at < text.Length && text[at] == ' ') at++; }

    bool Fail(string message)
    {
        defect ??= new(text.Length > 80 ? text[..80] + "…" : text, Math.Min(at, text.Length), message);
        return false;
    }
}
