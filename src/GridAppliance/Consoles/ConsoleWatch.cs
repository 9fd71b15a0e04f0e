using System.Text;
using System.Text.RegularExpressions;
using GridAppliance.Nodes;

namespace GridAppliance.Consoles;

/// <summary>Something on a console that the node's timeline should have.</summary>
/// <param name="IsOurs">The appliance's own words, not the node's.</param>
readonly record struct ConsoleSighting(string Kind, EventSeverity Severity, string Line, bool IsOurs = false);

/// <summary>Reads a console as lines and says which of them an operator would be called for. Prompts stand without a line's end, so the unfinished line is looked at too.</summary>
sealed class ConsoleWatch
{
    const int LongestLine = 1024;

    // Non-backtracking: what a node prints must not be able to cost more than its length.
    const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    /// <summary>One row a sight; the words that kernels, loaders and fsck have used for decades.</summary>
    static readonly (string Kind, EventSeverity Severity, bool IsPrompt, Regex Pattern)[] Sights =
    [
        ("console.panic", EventSeverity.Error, false, new(@"Kernel panic - not syncing|panic\(cpu \d+", Options)),
        ("console.oops", EventSeverity.Error, false, new(@"\bOops: |BUG: unable to handle|general protection fault|kernel BUG at |Unable to handle kernel ", Options)),
        ("console.hang", EventSeverity.Warning, false, new(@"soft lockup - CPU|blocked for more than \d+ seconds|rcu: INFO: rcu_\w+ (self-)?detected stall", Options)),
        ("console.out-of-memory", EventSeverity.Warning, false, new(@"Out of memory: Killed process|invoked oom-killer", Options)),
        ("console.grub-rescue", EventSeverity.Error, true, new(@"^(grub rescue> |grub> )$", Options)),
        ("console.fsck", EventSeverity.Warning, true, new(@"(\(y/n\)|<y>)\??\s*$|UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY", Options)),
        ("console.emergency", EventSeverity.Error, true, new(@"Give root password for maintenance|You are in emergency mode|\(initramfs\) $", Options)),
        ("console.no-boot-device", EventSeverity.Warning, false, new(@"No bootable device|Operating System not found|BOOTMGR is missing|No boot filename received", Options)),
        ("console.login", EventSeverity.Info, true, new(@"\blogin: $", Options)),
    ];

    /// <summary>All of them at once, since hardly any line has one.</summary>
    static readonly Regex AnySight = AnyOf(Sights.Select(static sight => sight.Pattern)), AnyPrompt = AnyOf(Sights.Where(static sight => sight.IsPrompt).Select(static sight => sight.Pattern));

    readonly TerminalText terminal = new();
    readonly StringBuilder line = new();
    int toldOnLine = -1;

    public IReadOnlyList<ConsoleSighting> See(ReadOnlySpan<byte> octets)
    {
        var before = line.Length;
        terminal.Append(octets, line);
        if (line.Length == before) return [];
        List<ConsoleSighting>? found = null;
        var text = line.ToString();
        var start = 0;
        for (var end = text.IndexOf('\n'); end >= 0; end = text.IndexOf('\n', start))
        {
            Look(text.AsSpan(start, end - start), isWhole: true, ref found);
            (start, toldOnLine) = (end + 1, -1);
        }
        var rest = text.AsSpan(start);
        if (rest.Length > LongestLine) rest = rest[^LongestLine..];
        line.Clear().Append(rest);
        if (rest.Length > 0) Look(rest, isWhole: false, ref found);
        return found ?? [];
    }

    /// <summary>Each line is told of once, with the first sight that fits.</summary>
    void Look(ReadOnlySpan<char> text, bool isWhole, ref List<ConsoleSighting>? found)
    {
        if (toldOnLine >= 0 || !(isWhole ? AnySight : AnyPrompt).IsMatch(text)) return;
        for (var i = 0; i < Sights.Length; i++)
        {
            var (kind, severity, isPrompt, pattern) = Sights[i];
            if ((!isWhole && !isPrompt) || !pattern.IsMatch(text)) continue;
            toldOnLine = i;
            (found ??= []).Add(new(kind, severity, (text.Length > 200 ? text[..200] : text.Trim()).ToString()));
            return;
        }
    }

    static Regex AnyOf(IEnumerable<Regex> patterns) => new(string.Join('|', patterns.Select(static pattern => $"({pattern})")), Options);
}
