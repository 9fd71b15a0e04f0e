using System.Text;
using GridAppliance.Consoles.Record;

namespace GridAppliance.Tests.Consoles;

public sealed class ConsoleLinesTests
{
    [Fact]
    public void Somebody_who_comes_or_leaves_cuts_no_line_and_words_of_ours_do()
    {
        var lines = new ConsoleLines();
        Assert.Empty(Add(ConsoleEntryKind.Output, "Kernel pa"));
        Assert.Empty(Add(ConsoleEntryKind.Mark, ""));
        Assert.Equal([(ConsoleEntryKind.Output, "Kernel panic")], Add(ConsoleEntryKind.Output, "nic\nlog"));
        Assert.Equal([(ConsoleEntryKind.Output, "log"), (ConsoleEntryKind.Mark, "the line was lost")], Add(ConsoleEntryKind.Mark, "the line was lost"));
        Assert.Equal([(ConsoleEntryKind.Output, "in:")], Add(ConsoleEntryKind.Output, "in:\n"));

        List<(ConsoleEntryKind, string)> Add(ConsoleEntryKind kind, string text) => [.. lines.Add(new(kind, DateTimeOffset.UnixEpoch, Encoding.UTF8.GetBytes(text))).Select(line => (line.Kind, line.Text))];
    }
}
