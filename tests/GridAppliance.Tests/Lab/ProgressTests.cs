using GridAppliance.Api.Nodes;
using GridAppliance.Lab;
using GridAppliance.Lab.Machine;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Tests.Lab;

public sealed class ProgressTests
{
    static readonly LabPlan Plan = LabPlan.For(LabName.Default, LabServers.StandardRack);

    static NodeDocument Node(int server, string state, string? stage = null, int percent = 0) => new()
    {
        Id = "id", Name = "node-a", State = state, Mac = "52:54:00:ff:ff:ff", Macs = ["52:54:00:ff:ff:ff", Plan.Servers[server].Mac.ToString()], Ip = "10.77.0.50",
        Boot = stage is null ? null : new BootDocument { Started = default, Stage = stage, Percent = percent },
    };

    static IReadOnlyList<ServerProgress> At(double seconds, params NodeDocument[] nodes) =>
        ServerProgress.Of(Plan, nodes, TimeSpan.FromSeconds(seconds), BootFigures.Typical);

    [Fact]
    public void A_server_is_matched_with_its_node_by_any_of_the_nodes_addresses()
    {
        var progress = At(5, Node(2, "enrolling", "kernel", 60));

        Assert.Equal("  n3  UEFI PXE  [############........]  60 %  enrolling: kernel as node-a, 10.77.0.50", progress[2].ToString());
        Assert.Equal("  n1  BIOS      [....................]   0 %  firmware starting", progress[0].ToString());
    }

    [Fact]
    public void An_idle_node_is_at_a_hundred_percent_and_no_other_is()
    {
        var progress = At(5, Node(0, "idle", "initramfs", 80), Node(1, "enrolling", "agent", 100));

        Assert.Equal([100, 99, 0, 0], progress.Select(p => p.Percent));
        Assert.True(progress[0].IsIdle);
        Assert.Equal(0, progress[0].SecondsLeft);
    }

    [Fact]
    public void Time_left_comes_from_the_last_run_and_never_says_zero_before_the_end()
    {
        Assert.Equal(BootFigures.Typical.For(ServerFirmware.UefiHttp) - 5, At(5)[3].SecondsLeft);
        Assert.Equal(1, At(500)[3].SecondsLeft);
    }

    [Fact]
    public void Figures_come_back_as_they_were_written_and_damage_means_the_typical_ones()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("gridlab-test").FullName, "sub", "figures.json");
        try
        {
            Assert.Same(BootFigures.Typical, BootFigures.Read(path));
            new BootFigures { Seconds = new Dictionary<ServerFirmware, double> { [ServerFirmware.Bios] = 12.5 } }.Write(path);
            Assert.Equal(12.5, BootFigures.Read(path).For(ServerFirmware.Bios));
            Assert.Equal(BootFigures.Typical.For(ServerFirmware.UefiPxe), BootFigures.Read(path).For(ServerFirmware.UefiPxe));
            File.WriteAllText(path, "{ \"seconds\": {");
            Assert.Same(BootFigures.Typical, BootFigures.Read(path));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(path)!)!, recursive: true);
        }
    }

    [Fact]
    public void Away_from_a_terminal_a_line_is_written_only_when_it_changes()
    {
        var output = new StringWriter();
        var terminal = new Terminal(output, isTerminal: false);

        terminal.Draw(["a 1", "b 1"], "3 s left");
        terminal.Draw(["a 1", "b 2"], "2 s left");
        terminal.Draw(["a 1", "b 2"], "1 s left");

        Assert.Equal(["a 1", "b 1", "b 2"], output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void On_a_terminal_the_block_is_drawn_over_itself()
    {
        var output = new StringWriter();
        var terminal = new Terminal(output, isTerminal: true);

        terminal.Draw(["a"], "2 s left");
        terminal.Draw(["b"], "1 s left");

        Assert.Equal("\ra\e[K\n\r2 s left\e[K\n\e[2A\rb\e[K\n\r1 s left\e[K\n", output.ToString());
    }

    [Fact]
    public void The_end_of_a_console_is_shown_without_its_cursor_movements() =>
        Assert.Equal(
            "    >>Start PXE" + Environment.NewLine + "    PXE-E18: timeout",
            LogTail.Clean("old\r\n\e[2J\e[01;01H>>Start\e[0m PXE\r\n\r\n\e[0K\a\r\nPXE-E18: timeout\r\n", 2).Replace("Start  PXE", "Start PXE", StringComparison.Ordinal));
}
