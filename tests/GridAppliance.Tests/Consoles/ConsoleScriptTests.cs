using System.Text.Json;
using GridAppliance.Consoles;
using GridAppliance.Consoles.Scripts;
using GridAppliance.Hosting;
using GridAppliance.Nodes;
using GridAppliance.Tests.Web;

namespace GridAppliance.Tests.Consoles;

/// <summary>Console scripts, run with gridctl against a scripted machine.</summary>
public sealed class ConsoleScriptTests : WithScriptedConsole
{
    Task<ManagementPlaneHost.Ran> RunAsync(string script, params string[] more) => plane.Gridctl(["console-script", "run", "n1", script, .. more]).WaitAsync(TimeSpan.FromSeconds(60));

    [Fact]
    public async Task A_grub_rescue_prompt_is_answered_and_every_step_is_on_the_record()
    {
        var running = RunAsync("grub-continue");
        await console.HearAsync("\r");
        await console.SayAsync("\r\n\e[Kgrub rescue> ");
        await console.HearAsync("insmod normal\r");
        await console.SayAsync("insmod normal\r\ngrub rescue> ");
        await console.HearAsync("normal\r");
        await console.SayAsync("normal\r\n        GNU GRUB  version 2.06\r\n");

        var ran = await running;
        Assert.Equal((0, ""), (ran.Status, ran.Error));
        Assert.Contains("n1: 2. types 'insmod normal⏎'", ran.Output, StringComparison.Ordinal);
        Assert.EndsWith("n1: done\n", ran.Output, StringComparison.Ordinal);
        var log = (await plane.Gridctl("log", "n1")).Output;
        Assert.Contains("-- script grub-continue begins --", log, StringComparison.Ordinal);
        Assert.Contains("-- script grub-continue is done --", log, StringComparison.Ordinal);
        Assert.Contains("console script grub-continue is done", (await plane.Gridctl("node", "timeline", "n1")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_question_of_a_file_system_check_is_answered()
    {
        var running = RunAsync("fsck-yes");
        await console.HearAsync("\r");
        foreach (var question in (string[])["Clear inode 12 (y/n)? ", "Fix<y>? ", "Connect to /lost+found<y>? "])
        {
            await console.SayAsync(question);
            await console.HearAsync("y");
            await console.SayAsync("yes\r\n");
        }
        await console.SayAsync("/dev/sda1: ***** FILE SYSTEM WAS MODIFIED *****\r\n");
        Assert.Equal(0, (await running).Status);
    }

    [Fact]
    public async Task A_firmware_that_is_quick_is_stopped_by_keys_pressed_all_the_while()
    {
        await console.SayAsync("\r\n=> the past is not looked at\r\n");
        var running = RunAsync("uboot-dhcp");
        await console.HearAsync(" ");
        await console.SayAsync("U-Boot 2023.01\r\nHit any key to stop autoboot:  2 ");
        await console.HearAsync(" ");
        await console.SayAsync("\b\b\b 0 \r\n=> ");
        await console.HearAsync("\u0003");
        await console.SayAsync("<INTERRUPT>\r\n=> ");
        await console.HearAsync("dhcp\r");
        await console.SayAsync("BOOTP broadcast 1\r\nDHCP client bound to address 10.77.0.50 (2 ms)\r\n");
        Assert.Equal(0, (await running).Status);
    }

    [Fact]
    public async Task Where_it_stops_is_said()
    {
        var refused = await RunAsync("linux-sysrq-reboot");
        Assert.Equal(3, refused.Status);
        Assert.Contains("a raw TCP port never does: give it as telnet+rfc2217://", refused.Output, StringComparison.Ordinal);
        Assert.Contains("failed at step 1", (await plane.Gridctl("log", "n1")).Output, StringComparison.Ordinal);
        Assert.Contains("no console script", (await RunAsync("make-coffee")).Error, StringComparison.Ordinal);

        using var ann = plane.Get<ConsoleDirectory>().Find(node.Id)!.TryJoin("ann")!;
        ann.Claim();
        Assert.Contains("ann types here", (await RunAsync("grub-continue")).Output, StringComparison.Ordinal);
        var running = RunAsync("grub-continue", "--take-over");
        await console.HearAsync("\r");
        ann.TakeOver();
        await console.SayAsync("something\r\n");
        Assert.Contains("ann took the console over", (await running).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_break_that_the_line_does_not_carry_is_said_and_a_machine_at_its_prompt_needs_none()
    {
        var running = RunAsync("openfirmware-boot-net");
        await console.HearAsync("\r");
        await console.SayAsync("\r\nok ");
        await console.HearAsync("boot net\r");
        await console.SayAsync("boot net\r\nBoot device: /network  File and args: \r\n");
        var ran = await running;
        Assert.True(ran.Status == 0, ran.Output + ran.Error);
        Assert.Contains("n1: 1. sends a break if the line carries one", ran.Output, StringComparison.Ordinal);
        Assert.Contains("-- script openfirmware-boot-net: this console carries no break", (await plane.Gridctl("log", "n1")).Output, StringComparison.Ordinal);

        // One that is not at its prompt cannot be stopped this way, and the reason is said with the failure.
        var own = Directory.CreateDirectory(Path.Combine(plane.DataDir, "console-scripts")).FullName;
        await File.WriteAllTextAsync(Path.Combine(own, "stop.yaml"), "about: x\nsteps:\n  - break: if-possible\n  - expect: 'ok $'\n    within: 50ms\n");
        var script = new ConsoleScripts(plane.Get<ApplianceOptions>(), Microsoft.Extensions.Logging.Abstractions.NullLogger<ConsoleScripts>.Instance).Find("stop")!;
        var session = plane.Get<ConsoleDirectory>().Find(node.Id)!;
        using var viewer = session.TryFollow("test", out _)!;
        var last = default(ScriptProgress);
        await foreach (var progress in new ConsoleScriptRun(script, session, viewer, TimeProvider.System).RunAsync(takeOver: true, new CancellationTokenSource(60_000).Token)) last = progress;
        Assert.Equal((ScriptOutcome.Failed, 2), (last.Outcome, last.Step));
        Assert.Contains("did not come within", last.Text, StringComparison.Ordinal);
        Assert.Contains("carries no break", last.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_come_with_the_appliance_can_be_read_and_an_operators_own_go_before_them()
    {
        var list = JsonDocument.Parse((await plane.Gridctl("console-script", "list", "-o", "json")).Output).RootElement.EnumerateArray().Select(s => s.GetProperty("name").GetString()).ToList();
        Assert.Superset(new HashSet<string?>(["fsck-yes", "grub-continue", "ipxe-autoboot", "linux-sysrq-reboot", "openfirmware-boot-net", "uboot-dhcp", "uboot-pxe"]), list.ToHashSet());

        var own = Directory.CreateDirectory(Path.Combine(plane.DataDir, "console-scripts")).FullName;
        await File.WriteAllTextAsync(Path.Combine(own, "fsck-yes.yaml"), "about: Ours.\nsteps:\n  - send: \"y\\r\"\n");
        await File.WriteAllTextAsync(Path.Combine(own, "Wrong Name.yaml"), "about: x\nsteps: [{ send: x }]\n");
        await File.WriteAllTextAsync(Path.Combine(own, "broken.yaml"), "about: x\nsteps: [{ say: x }]\n");
        var scripts = new ConsoleScripts(plane.Get<ApplianceOptions>(), Microsoft.Extensions.Logging.Abstractions.NullLogger<ConsoleScripts>.Instance);
        Assert.Equal("Ours.", scripts.Find("fsck-yes")!.About);
        Assert.Equal(new ConsoleStep.Send("y\r"), Assert.Single(scripts.Find("fsck-yes")!.Steps));
        Assert.Null(scripts.Find("broken"));
    }

    [Theory]
    [InlineData("steps: [{ send: x }]", "about")]
    [InlineData("about: a\nsteps: []", "steps")]
    [InlineData("about: a\nsteps:\n  - expect: '('", "steps[0].expect")]
    [InlineData("about: a\nsteps:\n  - expect: 'x'\n    within: 2d", "steps[0].within")]
    [InlineData("about: a\nsteps:\n  - sysrq: bb", "steps[0].sysrq")]
    [InlineData("about: a\nsteps:\n  - break: maybe", "steps[0].break")]
    [InlineData("about: a\nsteps:\n  - send: x\n    break: true", "steps[0].expect")]
    [InlineData("about: a\nsteps:\n  - press: x\n    evry: 1s\n    until: x", "steps[0].evry")]
    [InlineData("about: a\nsteps: x", "steps")]
    [InlineData("- a", "")]
    [InlineData("about: [", "")]
    public void A_script_that_is_wrong_is_told_with_its_place(string yaml, string path)
    {
        var (script, problems) = ConsoleScriptFile.Read("test", yaml, "test.yaml");
        Assert.Null(script);
        Assert.Contains(problems, problem => problem.Key == path);
    }
}
