using System.Globalization;
using GridAppliance.Api.Nodes;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab;

/// <summary>How far one server is on its way to idle, as the appliance sees it; pure.</summary>
/// <param name="Node">The node that the appliance made of it; null while it has not been heard of.</param>
/// <param name="Elapsed">Since power-on.</param>
/// <param name="Expected">Seconds that such a server usually takes.</param>
readonly record struct ServerProgress(LabServer Server, NodeDocument? Node, TimeSpan Elapsed, double Expected)
{
    const int BarWidth = 20;

    public bool IsIdle => Node?.State == "idle";

    public bool HasFailed => Node?.State == "failed";

    public int Percent => IsIdle ? 100 : Math.Clamp(Node?.Boot?.Percent ?? 0, 0, 99);

    public string Stage => Node switch
    {
        null => "firmware starting",
        { State: "idle" } => "idle",
        { State: "failed", Problem: { } problem } => $"failed: {problem}",
        { Boot.Stage: { } stage, State: var state } => $"{state}: {stage}",
        { State: var state } => state,
    };

    /// <summary>Never less than a second before the end: a figure of an earlier run promises nothing.</summary>
    public double SecondsLeft => IsIdle ? 0 : Math.Max(1, Expected - Elapsed.TotalSeconds);

    public static IReadOnlyList<ServerProgress> Of(LabPlan plan, IReadOnlyList<NodeDocument> nodes, TimeSpan elapsed, BootFigures figures) =>
        [.. plan.Servers.Select(server => new ServerProgress(server, NodeOf(server, nodes), elapsed, figures.For(server.Firmware)))];

    public static NodeDocument? NodeOf(LabServer server, IReadOnlyList<NodeDocument> nodes)
    {
        var mac = server.Mac.ToString();
        return nodes.FirstOrDefault(node => node.Mac == mac || node.Macs.Contains(mac));
    }

    public override string ToString()
    {
        var done = Percent * BarWidth / 100;
        var node = Node is null ? "" : $" as {Node.Name}{(Node.Ip is null ? "" : $", {Node.Ip}")}";
        return string.Create(CultureInfo.InvariantCulture,
            $"  {Server.Name,-4}{FirmwareText.Of(Server.Firmware),-10}[{new string('#', done)}{new string('.', BarWidth - done)}] {Percent,3} %  {Stage}{node}");
    }
}

static class FirmwareText
{
    public static string Of(ServerFirmware firmware) => firmware switch
    {
        ServerFirmware.Bios => "BIOS",
        ServerFirmware.UefiPxe => "UEFI PXE",
        ServerFirmware.UefiHttp => "UEFI HTTP",
    };
}
