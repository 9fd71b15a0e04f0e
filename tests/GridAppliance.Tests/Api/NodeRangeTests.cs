using GridAppliance.Api.NodeRanges;
using GridAppliance.Api.Nodes;

namespace GridAppliance.Tests.Api;

public sealed class NodeRangeTests
{
    static readonly NodeDocument[] Nodes =
    [
        .. Enumerable.Range(1, 12).Select(i => Node($"n{i}", i % 4 == 0 ? "held" : "idle", i <= 6 ? "rack3" : "rack4", i % 2 == 0 ? "uefi" : "bios")),
        Node("web-01", "active", "rack4", "uefi"),
        Node("web-02", "failed", "rack4", "uefi"),
        Node("idle", "retired", "rack5", "bios"),
    ];

    [Theory]
    [InlineData("n1", "n1")]
    [InlineData("N1", "n1")]
    [InlineData("n[1-3]", "n1 n2 n3")]
    [InlineData("n[1-2,5]", "n1 n2 n5")]
    [InlineData("web-[01-02]", "web-01 web-02")]
    [InlineData("web-01", "web-01")]
    [InlineData("n[1-2],web-01", "n1 n2 web-01")]
    [InlineData("rack3", "n1 n2 n3 n4 n5 n6")]
    [InlineData("rack3@uefi", "n2 n4 n6")]
    [InlineData("rack3@uefi@held", "n4")]
    [InlineData("rack3,-n4", "n1 n2 n3 n5 n6")]
    [InlineData("rack3 -n4", "n1 n2 n3 n5 n6")]
    [InlineData("n[1-6]-n4", "n1 n2 n3 n5 n6")]
    [InlineData("n[1-6]-n[2-5]", "n1 n6")]
    [InlineData("n[1-6]-n4,n4", "n1 n2 n3 n4 n5 n6")]
    [InlineData("-rack3,-rack4", "idle")]
    [InlineData("rack3,-uefi@held", "n1 n2 n3 n5 n6")]
    [InlineData("state=held", "n4 n8 n12")]
    [InlineData("switch=rack3@firmware=bios", "n1 n3 n5")]
    [InlineData("rack3@state!=idle", "n4")]
    [InlineData("~^web-", "web-01 web-02")]
    [InlineData("~^n1[0-2]$", "n10 n11 n12")]
    [InlineData("~^n(1|2),n3", "n1 n2 n3 n10 n11 n12")]
    [InlineData("~^n1{1,1}$", "n1")]
    [InlineData("switch=~3$@bios", "n1 n3 n5")]
    [InlineData("enrolling", "")]
    [InlineData(" n1 , n2 ", "n1 n2")]
    [InlineData("n2,n10,n1", "n1 n2 n10")]
    [InlineData("mac=02:00:00:00:00:03", "n3")]
    public void A_range_picks_these_nodes_in_natural_order(string text, string expected)
    {
        var picked = NodeRange.Parse(text).Select(Nodes);

        Assert.Equal(expected, string.Join(' ', picked.Nodes.Select(n => n.Name)));
        Assert.Empty(picked.Missing);
        Assert.Empty(picked.Unknown);
    }

    [Fact]
    public void A_nodes_name_wins_over_a_group_of_the_same_name() => Assert.Equal("idle", Assert.Single(NodeRange.Parse("idle").Select(Nodes).Nodes).Name);

    [Fact]
    public void All_is_every_node() => Assert.Equal(Nodes.Length, NodeRange.All.Select(Nodes).Nodes.Count);

    [Fact]
    public void A_name_that_is_not_there_is_told_apart_from_those_that_are()
    {
        var picked = NodeRange.Parse("n[11-14],rakc3").Select(Nodes);

        Assert.Equal(["n11", "n12"], picked.Nodes.Select(n => n.Name));
        Assert.Equal(["n13", "n14", "rakc3"], picked.Missing);
    }

    [Theory]
    [InlineData("rack3,-n99")]
    [InlineData("rack3@rakc")]
    public void A_word_that_was_to_narrow_the_range_and_means_nothing_is_unknown(string text) => Assert.Single(NodeRange.Parse(text).Select(Nodes).Unknown);

    [Theory]
    [InlineData("", 0, "empty")]
    [InlineData("n1,", 3, "expected at the end")]
    [InlineData("n[1-", 4, "number is expected")]
    [InlineData("n[1-2", 1, "not closed")]
    [InlineData("n[3-1]", 5, "backwards")]
    [InlineData("n[a]", 2, "number is expected")]
    [InlineData("n[1;2]", 3, "not expected between")]
    [InlineData("n[1-9999999999]", 14, "9 digits")]
    [InlineData("n[1-99999]", 9, "more than 10000")]
    [InlineData("n[1-200]m[1-200]", 16, "more than 10000")]
    [InlineData("n[1-6000],n[1-6000]", 19, "more than 10000")]
    [InlineData("n1 n2", 3, "not expected here")]
    [InlineData("n1;rm", 2, "not expected here")]
    [InlineData("color=red", 0, "no attribute 'color'")]
    [InlineData("state=", 6, "needs a value")]
    [InlineData("state!idle", 6, "followed by '='")]
    [InlineData("~", 1, "needs a pattern")]
    [InlineData("~(", 1, "not a regular expression")]
    [InlineData("~(?=x)", 1, "look-around")]
    [InlineData("~(a)\\1", 1, "back-references")]
    [InlineData("@n1", 0, "not '@'")]
    [InlineData("n1@", 3, "expected at the end")]
    public void A_defect_is_told_with_its_place(string text, int position, string message)
    {
        Assert.False(NodeRange.TryParse(text, out _, out var defect));
        Assert.Contains(message, defect.Message);
        Assert.Equal(position, defect.Position);
    }

    [Fact]
    public void A_range_is_bounded_in_length_and_parts()
    {
        Assert.False(NodeRange.TryParse(new('n', NodeRange.MaxLength + 1), out _, out _));
        Assert.False(NodeRange.TryParse(string.Join('@', Enumerable.Repeat("n", NodeRange.MaxFactors + 1)), out _, out _));
        Assert.True(NodeRange.TryParse(string.Join('@', Enumerable.Repeat("n", NodeRange.MaxFactors)), out _, out _));
    }

    [Fact]
    public void A_pattern_that_explodes_elsewhere_is_linear_here() =>
        Assert.Empty(NodeRange.Parse("~^(a+)+$").Select([Node(new string('a', 5000) + "!", "idle", "r", "bios")]).Nodes);

    [Fact]
    public void Union_intersection_and_exclusion_agree_with_sets()
    {
        var random = new Random(20260101);
        var names = Nodes.Select(n => n.Name).ToArray();
        for (var round = 0; round < 500; round++)
        {
            var expected = new HashSet<string>();
            var text = new List<string>();
            for (var term = random.Next(1, 6); term > 0; term--)
            {
                var excludes = text.Count > 0 && random.Next(3) == 0;
                var (left, right) = (Some(), Some());
                var narrowed = left.Count == 1 && right.Count == 1;
                text.Add((excludes ? "-" : "") + (narrowed ? $"{left[0]}@{right[0]}" : string.Join(excludes ? ",-" : ",", left)));
                IEnumerable<string> set = narrowed ? left.Intersect(right) : left;
                if (excludes) expected.ExceptWith(set); else expected.UnionWith(set);
            }
            var joined = string.Join(',', text);
            Assert.Equal(expected.OrderBy(n => n, NodeNameOrder.Instance), NodeRange.Parse(joined).Select(Nodes).Nodes.Select(n => n.Name));
        }

        List<string> Some() => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => names[random.Next(names.Length)])];
    }

    [Fact]
    public void No_text_makes_the_parser_throw()
    {
        var random = new Random(20260102);
        const string alphabet = "n123[]-,@~=!() .*+?\\{}abstateρ\0";
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Create(random.Next(0, 24), random, static (span, source) => { foreach (ref var c in span) c = alphabet[source.Next(alphabet.Length)]; });
            if (NodeRange.TryParse(text, out var range, out var defect)) range.Select(Nodes);
            else Assert.InRange(defect.Position, 0, text.Length);
        }
    }

    [Theory]
    [InlineData("n1", "n1")]
    [InlineData("n[1-3],web-01", "n1 n2 n3 web-01")]
    [InlineData("n[1-3]@n2", "n1 n2 n3 n2")]
    [InlineData("idle", "idle")]
    [InlineData("N1", null)]
    [InlineData("n[1-99]", null)]
    [InlineData("rack3", null)]
    [InlineData("all", null)]
    [InlineData("n1,rack3", null)]
    [InlineData("n[1-3]-n2", null)]
    [InlineData("-n1", null)]
    [InlineData("n1,~^web", null)]
    [InlineData("name=n1", null)]
    public void A_range_of_nothing_but_nodes_names_says_so_and_picks_the_same_from_these_alone(string text, string? expected)
    {
        var range = NodeRange.Parse(text);
        var names = range.OnlyNames(name => Nodes.Any(node => node.Name == name));
        Assert.Equal(expected, names is null ? null : string.Join(' ', names));
        if (names is null) return;
        var (all, few) = (range.Select(Nodes), range.Select([.. Nodes.Where(node => names.Contains(node.Name))]));
        Assert.Equal(all.Nodes, few.Nodes);
        Assert.Equal((all.Missing.Count, all.Unknown.Count), (few.Missing.Count, few.Unknown.Count));
    }

    [Fact]
    public void Names_are_ordered_as_people_count() =>
        Assert.Equal(["n1", "n2", "n10", "n10a", "n010b", "web-1"], new[] { "web-1", "n10a", "n10", "n010b", "n2", "n1" }.Order(NodeNameOrder.Instance));

    static NodeDocument Node(string name, string state, string where, string firmware)
    {
        var number = int.TryParse(name.AsSpan(1), out var i) ? i : 255;
        return new()
        {
            Id = Guid.Empty.ToString(), Name = name, State = state, Mac = $"02:00:00:00:00:{number:x2}", Macs = [$"02:00:00:00:00:{number:x2}"],
            Firmware = firmware, Location = new() { Switch = where, Port = "1" },
        };
    }
}
