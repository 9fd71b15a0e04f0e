using GridAppliance.Cli.Terminal;

namespace GridAppliance.Tests.Cli;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("QEMU Standard PC", "QEMU Standard PC")]
    [InlineData("Größe 漢字 ✓", "Größe 漢字 ✓")]
    [InlineData("\e[2J\e]0;owned\a", "\\x1b[2J\\x1b]0;owned\\x07")]
    [InlineData("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d")]
    [InlineData("\u009b31m", "\\x9b31m")]
    [InlineData("ab\u202Ecd", "ab\\u{202e}cd")]
    [InlineData("x\u2028y", "x\\u{2028}y")]
    [InlineData("\u007f", "\\x7f")]
    [InlineData("", "")]
    public void What_a_node_says_cannot_steer_the_terminal(string text, string shown) => Assert.Equal(shown, SafeText.Neutralise(text));

    [Fact]
    public void A_lone_surrogate_becomes_a_replacement_character() => Assert.Equal("a\uFFFDb", SafeText.Neutralise("a\ud800b"));
}
