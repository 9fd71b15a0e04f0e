using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace GridAppliance.EndToEnd.Lab;

static class TimesTold
{
    /// <summary>Says how long something took: seconds since a timestamp of <see cref="Stopwatch"/>.</summary>
    public static void Say(this ITestOutputHelper output, string what, long since) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s"));
}
