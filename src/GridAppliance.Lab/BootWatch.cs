using GridAppliance.Api.Nodes;
using GridAppliance.Lab.Appliance;
using GridAppliance.Lab.Servers;

namespace GridAppliance.Lab;

/// <summary>Waits until every server of a lab is an idle node of its appliance.</summary>
sealed class BootWatch(LabRig rig, BootFigures figures, TimeProvider clock)
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(300);

    /// <summary>Each server's time from <paramref name="poweredOn"/> to idle.</summary>
    /// <param name="patience">From now on.</param>
    /// <param name="draw">Called at every look.</param>
    /// <exception cref="LabException">A server stopped or was given up, the appliance ended, or the patience did. The message says why, with the evidence.</exception>
    public async Task<IReadOnlyDictionary<LabServer, TimeSpan>> UntilIdleAsync(
        DateTimeOffset poweredOn, TimeSpan patience, Action<IReadOnlyList<ServerProgress>> draw, CancellationToken cancellation)
    {
        var idle = new Dictionary<LabServer, TimeSpan>();
        IReadOnlyList<NodeDocument> nodes = [];
        var giveUp = clock.GetUtcNow() + patience;
        HashSet<LabServer> missing = [];
        while (true)
        {
            nodes = await rig.Appliance.Client.GetNodes(null, cancellation).OrNullWhenAway() ?? nodes;
            var now = clock.GetUtcNow();
            var progress = ServerProgress.Of(rig.Plan, nodes, now - poweredOn, figures);
            foreach (var server in progress.Where(p => p.IsIdle)) idle.TryAdd(server.Server, server.Elapsed);
            draw(progress);
            if (progress.All(p => p.IsIdle)) return idle;

            if (rig.Appliance.Running is null) throw new LabException($"The appliance ended. The end of its log:{Environment.NewLine}{rig.Appliance.LogEnd()}");
            // In the middle of an exec a program has no environment to know it by: who has ended is missing at the next look as well.
            var earlier = missing;
            missing = [.. progress.Where(p => !p.IsIdle && rig.Servers.Running(p.Server) is null).Select(p => p.Server)];
            if (progress.Any(p => !p.IsIdle && p.HasFailed) || missing.Overlaps(earlier) || now >= giveUp)
                throw new LabException(await ExplainAsync(progress, cancellation));
            await Task.Delay(Look, clock, cancellation);
        }
    }

    async Task<string> ExplainAsync(IReadOnlyList<ServerProgress> progress, CancellationToken cancellation)
    {
        var lines = new List<string>();
        foreach (var server in progress.Where(p => !p.IsIdle))
        {
            lines.Add(rig.Servers.Running(server.Server) is null
                ? $"Server {server.Server.Name} is not running. What its QEMU said:{Environment.NewLine}{Machine.LogTail.Of(rig.Plan.Paths.Log(server.Server.Name), 5)}"
                : $"Server {server.Server.Name} is not idle after {server.Elapsed.TotalSeconds:0} s ({server.Stage}).");
            if (server.Node is { } node && await rig.Appliance.Client.GetWhy(node.Name, cancellation).OrNullWhenAway() is { } why)
                lines.Add($"  The appliance says: {why.Reason} {why.NextStep}");
            lines.Add($"  The end of its console ({server.Server.ConsoleLog}):{Environment.NewLine}{rig.Servers.ConsoleEnd(server.Server)}");
        }
        lines.Add($"The end of the appliance's log:{Environment.NewLine}{rig.Appliance.LogEnd()}");
        return string.Join(Environment.NewLine, lines);
    }
}
