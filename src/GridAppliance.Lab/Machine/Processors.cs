using System.Globalization;

namespace GridAppliance.Lab.Machine;

/// <summary>This machine's processors, as far as a lab may use them.</summary>
static class Processors
{
    const string Line = "Cpus_allowed_list:";

    /// <summary>Their numbers, of which a container or a session may be given only some.</summary>
    public static IReadOnlyList<int> Allowed() =>
        File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal)) is { } line ? Parse(line[Line.Length..]) : [];

    /// <summary>The kernel's list format, such as <c>0-3,8</c> (cpuset(7), "List format").</summary>
    public static IReadOnlyList<int> Parse(string list) => [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).SelectMany(static range =>
    {
        var ends = range.Split('-');
        var first = int.Parse(ends[0], CultureInfo.InvariantCulture);
        return Enumerable.Range(first, int.Parse(ends[^1], CultureInfo.InvariantCulture) - first + 1);
    })];

    /// <summary>
    /// Which processor each of so many servers is emulated on; null where each is free to move. An emulator's threads hand work to each other all the time: where there are fewer processors
    /// than servers, those that are spread over several wait for each other, and four boots took a quarter more processor time (docs/figures.md).
    /// </summary>
    public static int? For(int server, int servers, IReadOnlyList<int> allowed) => allowed.Count > 1 && servers > allowed.Count ? allowed[server % allowed.Count] : null;
}
