using GridAppliance.Consoles.Record;
using GridAppliance.Hosting.Configuration;

namespace GridAppliance.Consoles;

/// <summary>The configuration's <c>consoles</c>: how much of each console is kept.</summary>
static class ConsoleOptions
{
    public static ConsoleRetention Read(YamlSection section)
    {
        var otherwise = new ConsoleRetention();
        var retention = otherwise with
        {
            Age = section.Duration("keep", otherwise.Age, TimeSpan.FromHours(1), TimeSpan.FromDays(3650)),
            TotalBytes = section.Size("size", otherwise.TotalBytes, 1 << 20, 1L << 40),
        };
        section.RejectUnknown();
        // A few files at least, so that what goes at once is a part of it.
        return retention with { SegmentBytes = Math.Min(otherwise.SegmentBytes, retention.TotalBytes / 4) };
    }
}
