using System.Text;
using GridAppliance.Consoles;

namespace GridAppliance.Tests.Consoles;

public sealed class TerminalTextTests
{
    static string Clean(params byte[][] pieces)
    {
        var terminal = new TerminalText();
        var text = new StringBuilder();
        foreach (var piece in pieces) terminal.Append(piece, text);
        return text.ToString();
    }

    [Theory]
    [InlineData("plain\r\ntext\twith tab", "plain\ntext\twith tab")]
    [InlineData("\e[31mred\e[0m", "red")]
    [InlineData("\e]0;owned\atitle", "title")]
    [InlineData("\e]52;c;cm0gLXJm\e\\clipboard", "clipboard")]
    [InlineData("\ePq#0;2;0;0;0\e\\sixel", "sixel")]
    [InlineData("\e(Bcharset", "charset")]
    [InlineData("\e[2Jclear\e[H", "clear")]
    [InlineData("bell\a backspace\b", "bell backspace")]
    [InlineData("\e[1;\nnext", "\nnext")]
    [InlineData("\u009b31mC1 control", "31mC1 control")]
    [InlineData("grüße 字", "grüße 字")]
    public void Control_sequences_are_taken_out_and_text_stays(string raw, string shown) => Assert.Equal(shown, Clean(Encoding.UTF8.GetBytes(raw)));

    [Fact]
    public void A_sequence_or_character_cut_anywhere_is_the_same_sequence()
    {
        var raw = Encoding.UTF8.GetBytes("a\e[31;1mb\e]0;title\e\\c字d\e(Be");
        for (var cut = 0; cut <= raw.Length; cut++) Assert.Equal("abc字de", Clean(raw[..cut], raw[cut..]));
    }

    [Fact]
    public void Noise_never_yields_a_control_character()
    {
        var random = new Random(7);
        var noise = new byte[4096];
        for (var round = 0; round < 200; round++)
        {
            random.NextBytes(noise);
            Assert.DoesNotContain(Clean(noise), c => char.IsControl(c) && c is not ('\n' or '\t'));
        }
    }

    [Fact]
    public void A_string_that_never_ends_does_not_swallow_the_rest() => Assert.EndsWith("panic", Clean(Encoding.UTF8.GetBytes("\e]0;" + new string('x', 5000) + "panic")), StringComparison.Ordinal);
}
