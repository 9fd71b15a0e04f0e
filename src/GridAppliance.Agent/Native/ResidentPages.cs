using System.Globalization;

namespace GridAppliance.Agent.Native;

/// <summary>
/// What the process has in memory and can have again from its files. Most of the program that an installation touches is not touched again before the next: an idle agent need not hold it.
/// </summary>
static class ResidentPages
{
    public static void GiveBack() => GiveBack(Environment.ProcessPath!);

    public static void GiveBack(string program)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        foreach (var (start, length) in Clean(File.ReadLines("/proc/self/smaps"), program)) _ = Libc.Advise((nint)start, (nuint)length, Libc.DoNotNeed);
    }

    /// <summary>
    /// Mappings of the program's file that are not written to and hold no page of the process's own (proc_pid_smaps(5)): what is dropped there is read again as it was. Of no other file: those of the program
    /// are there as long as the process is, so nothing else can have taken their place meanwhile.
    /// </summary>
    public static IReadOnlyList<(ulong Start, ulong Length)> Clean(IEnumerable<string> maps, string program)
    {
        List<(ulong, ulong)> clean = [];
        (ulong Start, ulong Length)? file = null;
        foreach (var line in maps)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is [{ } name, { } size, ..] && name.EndsWith(':'))
            {
                if (name == "Anonymous:" && size == "0" && file is { } found) clean.Add(found);
                continue;
            }
            file = words is [{ } range, ['r', '-', _, 'p'], _, _, _, { } path] && path == program && range.Split('-') is [{ } from, { } to]
                && ulong.TryParse(from, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start) && ulong.TryParse(to, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end) && end > start
                ? (start, end - start) : null;
        }
        return clean;
    }
}
