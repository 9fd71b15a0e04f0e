using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace GridAppliance.Hosting;

/// <summary>One line for each thing said: who says it, and what. Before that the journal gets a priority (sd-daemon(3)), which it takes off, and anybody else the time.</summary>
sealed class JournalFormatter : ConsoleFormatter
{
    public const string Called = "journal";

    readonly TimeProvider time;
    readonly bool isJournal;

    public JournalFormatter(TimeProvider time) : this(time, Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null) { }

    /// <param name="time">Dates the lines.</param>
    /// <param name="isJournal">Whether systemd keeps what is said, with a time of its own (systemd.exec(5), JOURNAL_STREAM).</param>
    public JournalFormatter(TimeProvider time, bool isJournal) : base(Called) => (this.time, this.isJournal) = (time, isJournal);

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(isJournal ? $"<{Priority(logEntry.LogLevel)}>" : $"{time.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture)} {Word(logEntry.LogLevel)}");
        textWriter.Write($"{logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..]}: ");
        WriteInOneLine(message, textWriter);
        if (logEntry.Exception is { } exception) WriteInOneLine($" {exception}", textWriter);
        textWriter.WriteLine();
    }

    // A line that breaks would be several to the journal, the later ones without a priority; other control characters are nothing for a terminal.
    static void WriteInOneLine(string text, TextWriter to)
    {
        foreach (var letter in text) to.Write(char.IsControl(letter) ? ' ' : letter);
    }

    static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug or LogLevel.Information or LogLevel.None => "",
        LogLevel.Warning => "warning ",
        LogLevel.Error or LogLevel.Critical => "ERROR ",
    };

    // syslog(3): 2 critical, 3 error, 4 warning, 6 informational, 7 debug.
    static int Priority(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => 7,
        LogLevel.Information or LogLevel.None => 6,
        LogLevel.Warning => 4,
        LogLevel.Error => 3,
        LogLevel.Critical => 2,
    };
}
