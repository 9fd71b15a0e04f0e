using System.Text;
using GridAppliance.Nodes;

namespace GridAppliance.Tests.Nodes;

public sealed class NodeLifecycleTests
{
    /// <summary>Every cell, empty ones included: whoever changes the table changes this picture, and sees what else it touches.</summary>
    const string Table = """
                   | AgentEnrolled | Hold | Approve   | Ready | Assign    | Assigned | Release   | Released | Abort      | Fail   | Retry      | Retire  | Revive
        Discovered | Enrolling     | Held | -         | -     | -         | -        | -         | -        | -          | Failed | -          | Retired | -
        Enrolling  | Enrolling     | Held | -         | Idle  | -         | -        | -         | -        | Discovered | Failed | -          | Retired | -
        Idle       | Enrolling     | Held | -         | -     | Assigning | -        | -         | -        | -          | Failed | -          | Retired | -
        Assigning  | Assigning     | -    | -         | -     | -         | Active   | -         | -        | Releasing  | Failed | -          | -       | -
        Active     | Active        | -    | -         | -     | -         | -        | Releasing | -        | -          | Failed | -          | -       | -
        Releasing  | Releasing     | -    | -         | -     | -         | -        | -         | Idle     | Failed     | Failed | -          | -       | -
        Held       | Held          | -    | Enrolling | -     | -         | -        | -         | -        | -          | -      | -          | Retired | -
        Failed     | Enrolling     | -    | -         | -     | -         | -        | Releasing | -        | -          | -      | Discovered | Retired | -
        Retired    | -             | -    | -         | -     | -         | -        | -         | -        | -          | -      | -          | -       | Discovered
        """;

    [Fact]
    public void The_table_is_this_one_in_every_cell() => Assert.Equal(Table, Print(), ignoreLineEndingDifferences: true);

    [Fact]
    public void Every_transient_state_can_be_aborted() =>
        Assert.All((NodeState[])[NodeState.Enrolling, NodeState.Assigning, NodeState.Releasing], state => Assert.NotNull(NodeLifecycle.Next(state, NodeEvent.Abort)));

    [Fact]
    public void No_state_is_a_dead_end()
    {
        foreach (var start in Enum.GetValues<NodeState>())
        {
            var reached = new HashSet<NodeState> { start };
            for (var before = 0; before != reached.Count;)
            {
                before = reached.Count;
                reached.UnionWith([.. reached.SelectMany(state => Enum.GetValues<NodeEvent>().Select(happened => NodeLifecycle.Next(state, happened))).OfType<NodeState>()]);
            }
            Assert.Contains(NodeState.Idle, reached);
        }
    }

    static string Print()
    {
        var events = Enum.GetValues<NodeEvent>();
        var states = Enum.GetValues<NodeState>();
        string Cell(NodeState state, NodeEvent happened) => NodeLifecycle.Next(state, happened)?.ToString() ?? "-";
        var widths = events.Select(happened => states.Select(state => Cell(state, happened).Length).Append(happened.ToString().Length).Max()).ToArray();
        var text = new StringBuilder();
        void Line(string head, IEnumerable<string> cells) => text.AppendLine($"{head,-10} | {string.Join(" | ", cells.Select((cell, i) => cell.PadRight(widths[i])))}".TrimEnd());
        Line("", events.Select(happened => happened.ToString()));
        foreach (var state in states) Line(state.ToString(), events.Select(happened => Cell(state, happened)));
        return text.ToString().TrimEnd();
    }
}
