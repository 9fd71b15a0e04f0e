using GridAppliance.Protocols.Snmp;
using GridAppliance.Testing;

namespace GridAppliance.Protocols.Tests.Snmp;

public sealed class ObjectIdentifierTests
{
    [Theory]
    [InlineData("1.3.6.1.2.1.1.5.0", "2b06010201010500")]
    [InlineData("2.999.3", "883703")]
    [InlineData("0.0", "00")]
    [InlineData("1.39.4294967295", "4f8fffffff7f")]
    [InlineData("2.47.127.128", "7f7f8100")]
    public void Text_and_contents_octets_say_the_same(string text, string hex)
    {
        var identifier = ObjectIdentifier.Parse(text);
        var contents = new byte[identifier.ContentsLength];
        Assert.Equal(contents.Length, identifier.WriteContents(contents));
        Assert.Equal(hex, Convert.ToHexStringLower(contents));
        Assert.True(ObjectIdentifier.TryReadContents(contents, out var read));
        Assert.Equal(identifier, read);
        Assert.Equal(text, read.ToString());
    }

    [Theory]
    [InlineData("2b8f")] // stops inside a sub-identifier
    [InlineData("2b90ffffff7f")] // 33 bits
    [InlineData("ffffffffffffffffffff7f")]
    public void A_sub_identifier_that_is_cut_or_beyond_32_bits_is_refused(string hex) =>
        Assert.False(ObjectIdentifier.TryReadContents(Convert.FromHexString(hex), out _));

    [Fact]
    public void Damaged_identifiers_never_throw_and_what_is_read_is_written_again()
    {
        var contents = Convert.FromHexString("2b060102010111820c8f8f7f4f00");
        foreach (var damaged in Mutations.Truncations(contents).Concat(Mutations.Of(contents, 1155, 20_000)))
        {
            if (!ObjectIdentifier.TryReadContents(damaged, out var read) || read.Length == 0) continue;
            var again = new byte[read.ContentsLength];
            Assert.Equal(again.Length, read.WriteContents(again));
            Assert.True(ObjectIdentifier.TryReadContents(again, out var second));
            Assert.Equal(read, second);
        }
    }

    [Fact]
    public void A_hundred_and_twenty_eight_sub_identifiers_are_the_limit()
    {
        Assert.True(ObjectIdentifier.TryReadContents(Enumerable.Repeat((byte)1, 127).ToArray(), out var longest));
        Assert.Equal(128, longest.Length);
        Assert.False(ObjectIdentifier.TryReadContents(Enumerable.Repeat((byte)1, 128).ToArray(), out _));
        Assert.Throws<ArgumentException>(() => longest.Append(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("1..3")]
    [InlineData("1.3.")]
    [InlineData("1.-3")]
    [InlineData("1.3.4294967296")]
    [InlineData("1.3.x")]
    public void What_is_not_an_identifier_does_not_parse(string text) => Assert.False(ObjectIdentifier.TryParse(text, null, out _));

    [Fact]
    public void Identifiers_stand_in_the_order_of_a_walk()
    {
        string[] inOrder = ["1.3", "1.3.6", "1.3.6.1.2.2", "1.3.6.1.2.10", "1.3.6.1.2.127", "1.3.6.1.2.128", "1.3.6.1.2.16384", "1.3.6.2"];
        var sorted = inOrder.Reverse().Select(s => ObjectIdentifier.Parse(s)).Order().Select(i => i.ToString());
        Assert.Equal(inOrder, sorted);
    }

    [Fact]
    public void A_tables_index_is_what_stands_below_its_column()
    {
        var column = ObjectIdentifier.Parse("1.3.6.1.2.1.17.4.3.1.2");
        var cell = column.Append(0, 17, 147, 77, 99, 22);
        Assert.True(cell.StartsWith(column));
        Assert.Equal([0u, 17u, 147u, 77u, 99u, 22u], cell.Below(column).ToArray());
        Assert.True(ObjectIdentifier.Parse("1.3.6.1.2.1.17.4.3.1.22").Below(column).IsEmpty);
    }

    [Fact]
    public void An_identifier_without_a_BER_form_is_not_written() =>
        Assert.Throws<InvalidOperationException>(() => ObjectIdentifier.Parse("1.40.1").WriteContents(new byte[16]));
}
