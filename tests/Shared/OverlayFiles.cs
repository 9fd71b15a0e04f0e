namespace GridAppliance.Testing;

/// <summary>What was put on the disk of a test's machine, whose root is this machine's under an overlay (machine.sh).</summary>
static class OverlayFiles
{
    /// <summary>Where agents and modules put anything.</summary>
    static readonly string[] places = ["var/lib/grid", "etc/grid", "etc/systemd", "usr/local", "opt", "var/log/grid"];

    /// <param name="machine">The machine's folder.</param>
    /// <returns>Paths, a line each, in order.</returns>
    public static string Of(string machine) => string.Join('\n', places.Select(place => Path.Combine(machine, "upper", place)).Where(Directory.Exists)
        .SelectMany(place => Directory.EnumerateFileSystemEntries(place, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal));
}
