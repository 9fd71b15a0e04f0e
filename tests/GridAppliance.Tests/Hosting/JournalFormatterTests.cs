using GridAppliance.Hosting;
using GridAppliance.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GridAppliance.Tests.Hosting;

public sealed class JournalFormatterTests
{
    [Theory]
    [InlineData(LogLevel.Debug, "<7>BootPlane: served\n")]
    [InlineData(LogLevel.Information, "<6>BootPlane: served\n")]
    [InlineData(LogLevel.Warning, "<4>BootPlane: served\n")]
    [InlineData(LogLevel.Error, "<3>BootPlane: served\n")]
    [InlineData(LogLevel.Critical, "<2>BootPlane: served\n")]
    public void The_journal_gets_a_priority_who_speaks_and_what(LogLevel level, string line) => Assert.Equal(line, Written(level, "served", null, isJournal: true));

    [Fact]
    public void Who_keeps_no_journal_gets_the_time() =>
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}[.][0-9]{3} warning BootPlane: served\n$", Written(LogLevel.Warning, "served", null, isJournal: false));

    [Fact]
    public void What_breaks_a_line_or_speaks_to_a_terminal_is_in_one_line_and_harmless()
    {
        var written = Written(LogLevel.Error, "a\nb\u001b[2Jc", new IOException("no\r\nroom"), isJournal: true);

        Assert.StartsWith("<3>BootPlane: a b [2Jc System.IO.IOException: no  room", written);
        Assert.Equal('\n', Assert.Single(written, char.IsControl));
    }

    static string Written(LogLevel level, string message, Exception? exception, bool isJournal)
    {
        using var to = new StringWriter { NewLine = "\n" };
        new JournalFormatter(new ManualClock(), isJournal).Write(new LogEntry<string>(level, "GridAppliance.Boot.Http.BootPlane", default, message, exception, static (state, _) => state), null, to);
        return to.ToString();
    }
}
