using GridAppliance.Operations;

namespace GridAppliance.Tests.Operations;

public sealed class OperationPositionTests
{
    static readonly Step[] Steps = [Undoable("a"), new("b", _ => StepOutcome.DoneNow()), Undoable("c")];

    [Theory]
    [InlineData("", "begin")]
    [InlineData("begun", "run a")]
    [InlineData("begun done:a", "run b")]
    [InlineData("begun done:a done:b", "run c")]
    [InlineData("begun done:a done:b done:c", "conclude done")]
    [InlineData("begun done:a done:b done:c ended", "ended done")]
    // A failure takes back what is done, in reverse, and passes over what has no way back.
    [InlineData("begun failed:a", "conclude failed")]
    [InlineData("begun done:a failed:b", "undo a failed")]
    [InlineData("begun done:a done:b failed:c", "undo a failed")]
    [InlineData("begun done:a done:b failed:c undone:a", "conclude failed")]
    [InlineData("begun done:a done:b failed:c undofailed:a", "conclude failed")]
    [InlineData("begun done:a done:b failed:c undone:a ended", "ended failed")]
    // A cancellation also takes back the step that may have begun.
    [InlineData("cancel", "conclude cancelled")]
    [InlineData("begun cancel", "undo a cancelled")]
    [InlineData("begun done:a done:b cancel", "undo c cancelled")]
    [InlineData("begun done:a done:b cancel undone:c", "undo a cancelled")]
    [InlineData("begun done:a done:b cancel undone:c undone:a", "conclude cancelled")]
    // The step ended after all while the cancellation was written.
    [InlineData("begun done:a done:b cancel done:c", "undo c cancelled")]
    [InlineData("begun done:a done:b cancel failed:c", "undo a cancelled")]
    // Too late, or a second time: changes nothing.
    [InlineData("begun done:a done:b done:c cancel", "conclude done")]
    [InlineData("begun done:a failed:b cancel", "undo a failed")]
    [InlineData("begun done:a cancel undone:a cancel", "conclude cancelled")]
    // Steps of an older daemon's definition.
    [InlineData("begun done:a done:old", "run b")]
    [InlineData("begun done:old failed:old", "conclude failed")]
    public void The_journal_says_what_is_next(string journal, string next) => Assert.Equal(next, Say(OperationPosition.From(Steps, Parse(journal))));

    [Fact]
    public void Nothing_but_steps_and_journal_decides()
    {
        var journal = Parse("begun done:a done:b cancel undone:c");
        Assert.Equal(OperationPosition.From(Steps, journal), OperationPosition.From(Steps, journal));
        Assert.Equal(5, journal.Length);
    }

    static Step Undoable(string name) => new(name, _ => StepOutcome.DoneNow(), _ => StepOutcome.DoneNow());

    static string Say(OperationPosition position) => position switch
    {
        OperationPosition.Begin => "begin",
        OperationPosition.Run run => $"run {run.Step.Name}",
        OperationPosition.Undo undo => $"undo {undo.Step.Name} {undo.End.Word}",
        OperationPosition.Conclude conclude => $"conclude {conclude.End.Word}",
        OperationPosition.Ended ended => $"ended {ended.End.Word}",
        _ => throw new InvalidOperationException($"{position}"),
    };

    static JournalEntry[] Parse(string journal) => [.. journal.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word =>
    {
        var parts = word.Split(':');
        var mark = parts[0] switch
        {
            "begun" => JournalMark.Begun,
            "done" => JournalMark.StepDone,
            "failed" => JournalMark.StepFailed,
            "cancel" => JournalMark.CancelAsked,
            "undone" => JournalMark.StepUndone,
            "undofailed" => JournalMark.UndoFailed,
            "ended" => JournalMark.Ended,
            _ => throw new ArgumentException(word),
        };
        return new JournalEntry(mark, parts.Length > 1 ? parts[1] : null, "why", DateTimeOffset.UnixEpoch);
    })];
}
