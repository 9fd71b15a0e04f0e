using System.Text;
using GridAppliance.Cli.Consoles;
using GridAppliance.Consoles;
using GridAppliance.Nodes;
using GridAppliance.Testing;
using GridAppliance.Tests.Consoles;
using GridAppliance.Tests.Power;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Cli;

/// <summary><c>gridctl console</c> in a real terminal, and <c>gridctl log</c>, against a scripted console.</summary>
public sealed class ConsoleCommandTests : WithScriptedConsole
{
    Task<int> Run(PseudoTerminal screen, params string[] arguments) => TerminalGridctl.RunAsync(plane, screen, arguments);

    [Fact]
    public async Task What_the_node_says_is_on_the_screen_and_every_key_reaches_it()
    {
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n1");
        await screen.SeeAsync("Ctrl-] then ? for help");
        Assert.True(screen.IsRaw);
        await console.SayAsync("\e[7mGRUB\e[0m grüß dich\r\ngrub> ");
        Assert.Contains("\e[7mGRUB\e[0m grüß dich", await screen.SeeAsync("grub> "), StringComparison.Ordinal);
        // The interrupt and suspend keys are the node's, and so is UTF-8.
        screen.Type("ls\u0003\u001a\u001cö\r");
        Assert.Equal("ls\u0003\u001a\u001cö\r", await console.HearAsync("\r"));

        screen.Type("\u001dq");
        Assert.Equal(0, await running);
        Assert.False(screen.IsRaw);
    }

    [Fact]
    public async Task A_paste_of_ten_kilobytes_is_not_lost()
    {
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n1");
        await screen.SeeAsync("for help");
        var paste = string.Concat(Enumerable.Range(0, 1024).Select(i => $"{i:d5} ü€\r"));
        var pasting = Task.Run(() => screen.Type(paste));
        Assert.Equal(paste, Encoding.UTF8.GetString(await console.HearAsync(Encoding.UTF8.GetByteCount(paste))));
        await pasting;
        screen.Type("\u001d.");
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task The_escape_character_opens_a_menu_and_twice_is_itself()
    {
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n1", "--escape", "^A");
        await screen.SeeAsync("Ctrl-A then ? for help");
        screen.Type("\u0001?");
        await screen.SeeAsync("take over (who types now sees it)");
        screen.Type("\u0001\u0001x\r");
        Assert.Equal("\u0001x\r", await console.HearAsync("\r"));
        screen.Type("\u0001z");
        await screen.SeeAsync("'z' is no command here");
        screen.Type("\u0001b");
        await screen.SeeAsync("this console cannot do that");
        screen.Type("\u0001q");
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task Power_is_at_hand_behind_the_escape_character()
    {
        await using var bmc = new ScriptedBmc();
        Assert.Equal(0, (await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n1", bmc.Uri.OriginalString, "--user", bmc.User)).Status);
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n1");
        await screen.SeeAsync("for help");
        screen.Type("\u001dp");
        await screen.SeeAsync("(o)n, o(f)f");
        screen.Type("o");
        await screen.SeeAsync("power on: is on");
        screen.Type("\u001dps");
        await screen.SeeAsync("n1 is on");
        Assert.Equal([1], bmc.State.Actions);
        screen.Type("\u001dq");
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task A_break_and_a_sysrq_key_go_through_serial_over_lan_to_the_machine()
    {
        await using var bmc = new ScriptedBmc();
        await SampleNodes.DiscoverAsync(plane, 2);
        Assert.Equal(0, (await plane.GridctlWith(Encoding.ASCII.GetString(bmc.Password) + "\n", "port", "set", "n2", bmc.Uri.OriginalString, "--user", bmc.User)).Status);
        await Eventually.UntilAsync(() => bmc.ConsoleSession != 0, "the console of n2");
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n2");
        await screen.SeeAsync("for help");
        screen.Type("\u001db");
        await screen.SeeAsync("sent a break");
        Assert.Equal((1, 0), (bmc.Breaks, bmc.Typed.Count));
        screen.Type("\u001dsw");
        await screen.SeeAsync("sent a break");
        await Eventually.UntilAsync(() => bmc.Typed.Count > 0, "the key");
        Assert.Equal((2, "w"), (bmc.Breaks, Encoding.ASCII.GetString([.. bmc.Typed])));
        screen.Type("\u001dq");
        Assert.Equal(0, await running);
    }

    [Fact]
    public async Task Another_who_types_is_named_and_taken_over_from()
    {
        using PseudoTerminal first = new(), second = new();
        var ann = Run(first, "console", "n1");
        await first.SeeAsync("for help");
        first.Type("a");
        await console.HearAsync("a");
        var ben = Run(second, "console", "n1");
        await second.SeeAsync("types here; you look on");
        second.Type("b");
        await second.SeeAsync("take over first");
        second.Type("\u001dt");
        await second.SeeAsync("you type here now");
        await first.SeeAsync("took over from");
        second.Type("c");
        Assert.Equal("c", await console.HearAsync("c"));
        first.Type("\u001dq");
        second.Type("\u001dq");
        Assert.Equal((0, 0), (await ann, await ben));
    }

    [Fact]
    public async Task A_console_that_ends_is_said_and_leaves_the_terminal_as_it_was()
    {
        using var screen = new PseudoTerminal();
        var running = Run(screen, "console", "n1");
        await screen.SeeAsync("for help");
        console.HangUp();
        await screen.SeeAsync("the line was lost");
        Assert.Equal(0, (await plane.Gridctl("port", "remove", "n1", $"tcp://{console.EndPoint}")).Status);
        await screen.SeeAsync("the console was taken from the node");
        Assert.Equal(1, await running);
        Assert.False(screen.IsRaw);
    }

    [Fact]
    public async Task Without_a_terminal_it_says_what_to_do_instead()
    {
        var ran = await plane.Gridctl("console", "n1");
        Assert.Equal(1, ran.Status);
        Assert.Contains("gridctl log n1", ran.Error, StringComparison.Ordinal);
        Assert.Contains("has no console", (await plane.Gridctl("console", (await SampleNodes.DiscoverAsync(plane, 2)).Name)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_for_people_and_carries_no_escape_sequence()
    {
        using (var viewer = plane.Get<ConsoleDirectory>().Find(node.Id)!.TryJoin("test")!)
        {
            await console.SayAsync("a\tb \e]0;owned\a\e[2J\u202e\u009b31mred\r\nKernel panic - not syncing\r\n");
            for (var seen = ""; !seen.Contains("syncing", StringComparison.Ordinal);) seen += Encoding.UTF8.GetString((await viewer.ReadAsync(new CancellationTokenSource(60_000).Token)).Octets.Span);
        }
        foreach (var command in (string[][])[["log", "n1"], ["log", "n1", "-o", "json"], ["log", "n1", "--replay", "--speed", "1000"], ["log", "n1", "--since", "1h", "--last", "5"]])
        {
            var ran = await plane.Gridctl(command);
            Assert.Equal((0, ""), (ran.Status, ran.Error));
            Assert.Contains("Kernel panic - not syncing", ran.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(ran.Output, c => char.IsControl(c) && c != '\n' || c == '\u202e');
        }
        var found = await plane.Gridctl("log", "n1", "--grep", "panic");
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  Kernel panic - not syncing\n$", found.Output);
        Assert.Equal("", (await plane.Gridctl("log", "n1", "--until", "2000-01-01")).Output);
        foreach (var wrong in (string[][])[["log", "n9"], ["log", "n1", "--since", "whenever"], ["log", "n1", "--grep", "("], ["log", "n1", "--replay", "--speed", "0"]]) Assert.Equal(1, (await plane.Gridctl(wrong)).Status);
    }

    [Theory]
    [InlineData("^]", 0x1d)]
    [InlineData("^a", 1)]
    [InlineData("^_", 0x1f)]
    public void An_escape_character_is_read(string text, byte key)
    {
        Assert.True(ConsoleEscape.TryParse(text, out var escape));
        Assert.Equal(key, escape);
    }

    [Fact]
    public void No_escape_character_is_one_too_and_nonsense_is_none()
    {
        Assert.True(ConsoleEscape.TryParse("none", out var none));
        Assert.Null(none);
        foreach (var nonsense in (string[])["", "^", "x", "^^^", "^1", "~"]) Assert.False(ConsoleEscape.TryParse(nonsense, out _));
        Assert.Equal([new ConsoleAction.SysRq('b')], new ConsoleEscape(1).Feed("\u0001sb"u8.ToArray()).Where(a => a is not ConsoleAction.Ask));
        Assert.Equal([new ConsoleAction.Power("cycle")], new ConsoleEscape(1).Feed("\u0001pc"u8.ToArray()).Where(a => a is not ConsoleAction.Ask));
    }
}
